"""A cache of generated files on disk: writing one tells its length, and parts of it can then be read again.

The files are in a folder of the server's own, of bounded size, which is removed when the server ends. No file name
comes from a visitor.
"""

import hashlib
import tempfile
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from cachetools import LRUCache

from app.web.server.scratch_folder import ScratchFolder

_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A cached file; open it before it is removed."""

    path: Path
    size: int
    sha256: str


class _Files(LRUCache[Hashable, CachedFile]):
    """Recently used files, up to a number of bytes; a single larger file is kept until the next one comes."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(most_bytes, getsizeof=lambda kept: min(kept.size, most_bytes))

    def popitem(self) -> tuple[Hashable, CachedFile]:
        key, oldest = super().popitem()
        oldest.path.unlink(missing_ok=True)
        return key, oldest


class FileCache:
    """Keeps at most ``most_bytes`` of recently used files. Safe to use from several threads."""

    def __init__(self, most_bytes: int, folder: ScratchFolder) -> None:
        self._folder = folder
        self._files = _Files(most_bytes)
        self._changing = threading.Lock()
        self._writing: dict[Hashable, threading.Lock] = {}

    def open(self, key: Hashable, make: Callable[[], Iterator[bytes]]) -> tuple[BinaryIO, CachedFile]:
        """The file of a key, open for reading; if it is not cached, one thread writes it now."""
        while True:
            kept = self._known(key) or self._write(key, make)
            try:
                return kept.path.open("rb"), kept
            except FileNotFoundError:
                # So many other files were requested meanwhile that it was removed again.
                with self._changing:
                    self._files.pop(key, None)

    def has(self, key: Hashable) -> bool:
        """Whether the file of a key is cached."""
        return self._known(key) is not None

    def _known(self, key: Hashable) -> CachedFile | None:
        with self._changing:
            return self._files.get(key)

    def _write(self, key: Hashable, make: Callable[[], Iterator[bytes]]) -> CachedFile:
        with self._changing:
            mine = self._writing.setdefault(key, threading.Lock())
        with mine:
            kept = self._known(key)
            if kept is None:
                kept = self._written(make)
                self._keep(key, kept)
        return kept

    def _written(self, make: Callable[[], Iterator[bytes]]) -> CachedFile:
        digest, size = hashlib.sha256(), 0
        part = tempfile.NamedTemporaryFile(dir=self._folder.path(), delete=False)  # noqa: SIM115 - it stays
        try:
            with part:
                for piece in make():
                    part.write(piece)
                    digest.update(piece)
                    size += len(piece)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
        return CachedFile(Path(part.name), size, digest.hexdigest())

    def _keep(self, key: Hashable, kept: CachedFile) -> None:
        with self._changing:
            self._files[key] = kept
            self._writing.pop(key, None)


def read(file: BinaryIO, first: int, n_bytes: int) -> Iterator[bytes]:
    """``n_bytes`` of a file from the offset ``first``, in pieces."""
    file.seek(first)
    while n_bytes > 0:
        piece = file.read(min(_PIECE, n_bytes))
        if not piece:
            raise OSError(f"{n_bytes} bytes of a kept file are missing")
        n_bytes -= len(piece)
        yield piece
