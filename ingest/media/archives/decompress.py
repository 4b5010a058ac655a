"""Decompress streams, with a limit on how far they may expand.

Everything read from an archive passes through ``Bounded``, which counts it against a budget and turns the various
errors of damaged data into the one its caller expects. Nothing is written, and no more is held than was requested.
"""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from app.evaluation.archive_errors import PACKED_DAMAGE
from ingest.media.items import MediaError

#: No photograph, drawing or text compresses further; a bomb does by far.
MAX_RATIO: Final = 100

#: Below this many bytes no ratio is suspicious: an empty page compresses well.
FREE_BYTES: Final = 32 << 20

#: Memory that an .xz file may require: enough for every preset of the xz tool.
MAX_XZ_MEMORY: Final = 128 << 20

#: How many of the last bytes are remembered: one block of a tar.
TAIL: Final = 512

_CHUNK: Final = 1 << 16

#: What the standard library raises on archives that are truncated, damaged, or of another format.
DAMAGE: Final = (*PACKED_DAMAGE, OSError, tarfile.TarError)


class Readable(Protocol):
    """Anything with a ``read``, which is all that is required of the underlying stream."""

    def read(self, size: int, /) -> bytes: ...


class Budget:
    """The number of bytes that a file of ``size`` bytes may still expand to."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._limit = max(FREE_BYTES, MAX_RATIO * size)
        self._spent = 0

    def spend(self, count: int) -> None:
        """Raises MediaError once the file has expanded beyond its limit."""
        self._spent += count
        if self._spent > self._limit:
            finding = f"refused as a decompression bomb: it expands to more than {self._limit:,} bytes"
            raise MediaError(self._path, finding)


class Bounded:
    """Reads ``inner`` within ``budget``; damage is raised as the error that ``fail`` makes of it.

    ``tail`` is the last bytes that were read, at most TAIL of them.
    """

    def __init__(self, inner: Readable, budget: Budget | None, fail: Callable[[Exception], Exception]) -> None:
        self.tail = b""
        self._inner = inner
        self._budget = budget
        self._fail = fail

    def read(self, size: int, /) -> bytes:
        """``size`` bytes, or fewer at the end."""
        parts: list[bytes] = []
        left = size
        while left > 0 and (part := self._part(min(left, _CHUNK))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def drain(self) -> None:
        """Read to the end, where the checksum of the whole is checked."""
        while self._part(_CHUNK):
            pass

    def _part(self, size: int) -> bytes:
        try:
            part = self._inner.read(size)
        except DAMAGE as error:
            raise self._fail(error) from error
        if self._budget is not None:
            self._budget.spend(len(part))
        self.tail = (self.tail + part[-TAIL:])[-TAIL:]
        return part


def inflated(packed: BinaryIO, path: Path) -> Bounded:
    """The content of the open file ``packed``, decompressed if ``path`` ends in .gz, .bz2, .xz, or a tar's equivalent.

    Raises MediaError, naming ``path``, if it is damaged, truncated or a bomb.
    """

    def fail(error: Exception) -> MediaError:
        return MediaError(
            path, f"expected a whole {path.suffix} file, found one that cannot be read to its end: {error}"
        )

    ending = _ARCHIVES.get(path.suffix.lower(), path.suffix.lower())
    if ending not in DECOMPRESSORS:
        return Bounded(packed, None, fail)
    return Bounded(DECOMPRESSORS[ending](packed), Budget(path, path.stat().st_size), fail)


class _Unseekable(io.RawIOBase):
    """Lets gzip read a stream that can only be read forwards."""

    def __init__(self, inner: Readable) -> None:
        self._inner = inner

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._inner.read(size)


class _Xz:
    """An .xz file read with a memory limit, which ``lzma.open`` does not support."""

    def __init__(self, packed: Readable) -> None:
        self._packed = packed
        self._pending = b""
        self._decompressor = self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        data = b""
        while not data:
            if self._decompressor.eof and not self._next_stream():
                return b""
            if self._decompressor.needs_input and not self._pending:
                self._pending = self._packed.read(_CHUNK)
                if not self._pending:
                    raise EOFError("the compressed data ended before its end was marked")
            pending, self._pending = self._pending, b""
            data = self._decompressor.decompress(pending, max_length=size)
        return data

    def _next_stream(self) -> bool:
        """Whether another stream follows the finished one; there may be zeros between them."""
        rest = self._decompressor.unused_data.lstrip(b"\0")
        while not rest:
            chunk = self._packed.read(_CHUNK)
            if not chunk:
                return False
            rest = chunk.lstrip(b"\0")
        self._pending = rest
        self._decompressor = self._new()
        return True


def _gunzipped(packed: Readable) -> Readable:
    return gzip.GzipFile(fileobj=_Unseekable(packed), mode="rb")


def _bunzipped(packed: Readable) -> Readable:
    return bz2.BZ2File(_Unseekable(packed))


#: Ending -> the decompressed stream; not limited yet.
DECOMPRESSORS: Final[Mapping[str, Callable[[Readable], Readable]]] = {
    ".gz": _gunzipped,
    ".bz2": _bunzipped,
    ".xz": _Xz,
}
#: Endings of compressed tars -> the ending of the compression.
_ARCHIVES: Final = {".tgz": ".gz", ".tbz": ".bz2", ".tb2": ".bz2", ".tbz2": ".bz2", ".txz": ".xz"}
