"""Locate the samples of a WAV file, and check that it contains as many as its header declares.

Decoders treat a truncated file as a shorter recording; a listener would not know that something is missing.
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from ingest.media.archives.stores import MemberError

#: Programs that write to a pipe do not know how much will come, and say that it is this much or more, or nothing.
UNKNOWN: Final = 0x7FFFF000
#: That the size, of more than four bytes, stands elsewhere, in a file that begins with RF64.
_LONG: Final = 0xFFFFFFFF
#: No recording has so many parts; a file of zeros would have one every eight bytes.
MOST_CHUNKS: Final = 100_000
#: Where in "fmt " the bytes of all channels' samples of one moment are told.
_FRAME_AT: Final = 12


class Samples(NamedTuple):
    """Where the samples of a WAV file begin, and of how many bytes its header says they are."""

    begin: int
    size: int
    unknown: bool  # the header says 0 because its writer never came back to say more


def samples(file: BinaryIO) -> Samples:
    """Where the samples of a WAV file are. Raises MemberError where they are not all there."""
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
    """Whether nothing, or nothing but whole parts with names, lies from a place up to the end of the file.

    Behind samples of no bytes it tells a recording of nothing from one whose writer never came back to say how much.
    """
    at = begin
    for name, place, size in _chunks(file, begin):
        at = place + size + size % 2
        if not name.strip().isalnum():
            return False
    return at in (end, end + 1)


def _chunks(file: BinaryIO, at: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and declared size of each part of the file; the size may lead beyond its end."""
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
    """A WAV file whose header says 0 bytes, read as if it said that nobody knows how many there are."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        self._file = file
        self._size_at = begin - 4

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As of any file; it stays where it is when damage leads to before its beginning."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return self._file.tell()

    def tell(self) -> int:
        """As of any file."""
        return self._file.tell()

    def read(self, count: int = -1) -> bytes:
        """As of any file, with another size in the header."""
        place = self._file.tell()
        data = bytearray(self._file.read(count))
        for at in range(max(place, self._size_at), min(place + len(data), self._size_at + 4)):
            data[at - place] = 0xFF
        return bytes(data)
