"""The files a dataset is built from, and their fingerprints."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Role = Literal["labels", "pred_probs", "predicted", "votes", "index", "classes", "media", "words"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file, by the path in the manifest."""

    path: str
    role: Role
    sha256: str
    bytes: int


def each_once(sources: Sequence[Source], folder: str) -> list[Source]:
    """Remove files listed twice, such as a table of labels and texts, and add the folder where names would clash.

    ``folder`` is the name of the folder of the later ones, which hold media.

    >>> labels, texts = Source("t.csv", "labels", "ab", 9), Source("t.csv", "media", "ab", 9)
    >>> [source.role for source in each_once([labels, texts], "media")]
    ['labels']
    >>> [source.path for source in each_once([labels, Source("t.csv", "media", "cd", 9)], "media")]
    ['t.csv', 'media/t.csv']
    """
    found: dict[str, Source] = {}
    for source in sources:
        known = found.setdefault(source.path, source)
        if known.sha256 != source.sha256:
            other = replace(source, path=f"{folder}/{source.path}")
            found.setdefault(other.path, other)
    return list(found.values())


def fingerprint(path: Path, name: str, role: Role) -> Source:
    """The size and SHA-256 of a file; ``name`` is its name in the manifest."""
    with path.open("rb") as stream:
        return Source(name, role, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)
