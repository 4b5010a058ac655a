"""Locate the samples of a WAV file, and check that it contains as many as its header declares.

Decoders treat a truncated file as a shorter recording; a listener would not know that something is missing.
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from ingest.media.archives.stores import MemberError

#: Programs that write to a pipe do not know the size, and declare this or more, or 0.
UNKNOWN: Final = 0x7FFFF000
#: In a file that begins with RF64: the size does not fit four bytes and is declared elsewhere.
_LONG: Final = 0xFFFFFFFF
#: No recording has so many parts; a file of zeros would have one every eight bytes.
MOST_CHUNKS: Final = 100_000
#: The offset in "fmt " of the bytes per frame (one sample of each channel).
_FRAME_AT: Final = 12


class Samples(NamedTuple):
    """The offset of a WAV file's samples, and the number of bytes its header declares."""

    begin: int
    size: int
    unknown: bool  # the header says 0 because its writer never filled in the size


def samples(file: BinaryIO) -> Samples:
    """Locate the samples of a WAV file. Raises MemberError if not all of them are there."""
    end = file.seek(0, os.SEEK_END)
    frame: int | None = None
    long_size: int | None = None
    for name, begin, size in _chunks(file):
        if name == b"ds64":
            long_size = struct.unpack("<Q", _at(file, begin + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"fmt ":
            head = _at(file, begin, min(size, _FRAME_AT + 4))
            if len(head) < _FRAME_AT + 4:
                raise MemberError("expected a whole WAV file, found one that ends within its header")
            frame = max(1, struct.unpack_from("<H", head, _FRAME_AT)[0])
        elif name == b"data":
            if frame is None:
                raise MemberError("expected a WAV file, found samples before it says what they are")
            size = size if long_size is None or size != _LONG else long_size
            if not UNKNOWN <= size <= _LONG and (end - begin) // frame < size // frame:
                raise MemberError(
                    f"expected {size:,} bytes of sound, as its header says, found {end - begin:,}: cut off"
                )
            return Samples(begin, size, size == 0 and not _ends_in_chunks(file, begin, end))
    raise MemberError("expected a whole WAV file, found one that ends before its samples")


def _ends_in_chunks(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether only complete chunks, or nothing, follow an offset up to the end of the file.

    If the declared size is 0, this distinguishes an empty recording from one whose writer never filled in the size.
    """
    at = begin
    for name, place, size in _chunks(file, begin):
        at = place + size + size % 2
        if not name.strip().isalnum():
            return False
    return at in (end, end + 1)


def _chunks(file: BinaryIO, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, offset and declared size of each chunk of the file; the size may exceed the file."""
    for _ in range(MOST_CHUNKS):
        if len(head := _at(file, at, 8)) < 8:
            return
        name, size = struct.unpack("<4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2
    raise MemberError(f"expected at most {MOST_CHUNKS:,} parts, found more")


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


class Finished:
    """A WAV file with a declared size of 0 bytes, read as if its header said "unknown"."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file = file
        self._size_at = begin - 4

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Like any file's, but seeks before the beginning, caused by damage, are ignored."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return self._file.tell()

    def tell(self) -> int:
        """Like any file's."""
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        """Like any file's, but with another size in the header."""
        place = self._file.tell()
        data = bytearray(self._file.read(count))
        for at in range(max(place, self._size_at), min(place + len(data), self._size_at + 4)):
            data[at - place] = 0xFF
        return bytes(data)
