"""The files a dataset is built from, and their fingerprints."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Role = Literal["labels", "pred_probs", "predicted", "votes", "index", "classes", "media"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, by the path that the manifest uses for it."""

    path: str
    role: Role
    sha256: str
    bytes: int


def fingerprint(path: Path, name: str, role: Role) -> Source:
    """A file's size and SHA-256. A folder's are those of the list of its files with theirs."""
    if path.is_dir():
        files = [fingerprint(file, file.relative_to(path).as_posix(), role) for file in _files(path)]
        listing = "".join(f"{file.sha256}  {file.path}\n" for file in files)
        return Source(name, role, hashlib.sha256(listing.encode()).hexdigest(), sum(file.bytes for file in files))
    with path.open("rb") as stream:
        return Source(name, role, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
