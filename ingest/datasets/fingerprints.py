"""The files a dataset is built from, and their fingerprints.

A matrix may have many gigabytes: its fingerprint is taken in a thread, while the matrix is read for other things.
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final, Literal, Self

#: Bytes read at a time.
_PIECE: Final = 1 << 20

Role = Literal[
    "labels", "pred_probs", "predicted", "votes", "index", "classes", "media", "words", "provenance", "answers"
]


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


class Fingerprints:
    """Takes the fingerprints of files, one after the other, in a thread that ends with the ``with`` block."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fingerprints")
        self._stopped = Event()
        self._found: list[Future[Source]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def add(self, path: Path, name: str, role: Role) -> None:
        """Begin with a file; ``name`` is its name in the manifest."""
        self._found.append(self._pool.submit(self._fingerprint, path, name, role))

    def all(self) -> tuple[Source, ...]:
        """The fingerprints of all files, in the order they were added. Raises OSError for an unreadable one."""
        return tuple(found.result() for found in self._found)

    def _fingerprint(self, path: Path, name: str, role: Role) -> Source:
        digest, piece = hashlib.sha256(), bytearray(_PIECE)
        with path.open("rb", buffering=0) as stream:
            while (n := stream.readinto(piece)) and not self._stopped.is_set():
                digest.update(memoryview(piece)[:n])
            return Source(name, role, digest.hexdigest(), path.stat().st_size)
