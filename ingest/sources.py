"""The files a dataset is built from, and their fingerprints."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Role = Literal["labels", "pred_probs", "predicted", "votes", "index", "classes", "media", "words"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, by the path that the manifest uses for it."""

    path: str
    role: Role
    sha256: str
    bytes: int


def fingerprint(path: Path, name: str, role: Role) -> Source:
    """The size and SHA-256 of a file that the manifest calls ``name``."""
    with path.open("rb") as stream:
        return Source(name, role, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)
