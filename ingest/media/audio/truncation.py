"""Detect truncated recordings by comparing what their headers declare with what is there.

A decoder returns what it has and treats a truncated file as a shorter recording, so a listener would not know that
something is missing. Nothing is decoded here, and of a long file little more than the edges is read. A file that
declares no length, such as a stream recorded from its middle on, cannot be truncated. ``libsndfile`` checks FLAC
itself.
"""

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final

from ingest.media.archives.stores import MemberError
from ingest.media.audio import riff
from ingest.media.audio.frame_headers import mp3_promise

_PAGE: Final = struct.Struct("<4sBBqIIIB")  # Ogg: mark, version, flags, position, stream, number, checksum, segments
_MOST_OF_A_PAGE: Final = _PAGE.size + 255 + 255 * 255
_LAST_PAGE: Final = 4  # flag
#: A stream that begins later than this, in samples, is the rest of an earlier one.
_BEGINNING: Final = 480_000

_SOUND_BOXES: Final = (b"mdat", b"moov", b"moof")
_SEGMENT: Final = b"\x18\x53\x80\x67"
_MOST_ELEMENTS: Final = 10_000_000
_TOO_MANY: Final = f"expected at most {riff.MOST_CHUNKS:,} parts, found more"


def require_end(file: BinaryIO, demuxer: str) -> None:
    """Raises MemberError for a truncated recording, if its format tells; see ``sniffing`` for formats.

    One missing frame of MP3, a fortieth of a second, may go unnoticed.
    """
    check = _CHECKS.get(demuxer)
    found = None if check is None else check(file, file.seek(0, os.SEEK_END))
    if found is not None:
        raise MemberError(f"{found}: cut off")


def _wav(file: BinaryIO, _size: int) -> None:
    riff.samples(file)


def _mp3(file: BinaryIO, size: int) -> str | None:
    promise = mp3_promise(file, size)
    if promise is None or promise[0] <= promise[1]:
        return None
    return f"expected {promise[0]:,} frames of sound, as its header says, found {promise[1]:,}"


def _too_short(end: int, size: int) -> str:
    return f"expected at least {end:,} bytes, as its header says, found {size:,}"


def _mov(file: BinaryIO, size: int) -> str | None:
    """Check boxes, one after another, each with its size before its name; 0 means up to the end of the file."""
    at = 0
    for _ in range(riff.MOST_CHUNKS):
        if len(head := _at(file, at, 16)) < 8:
            return None
        length, name = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == 16:
            length = struct.unpack_from(">Q", head, 8)[0]
        if length < 8:
            return None
        at += length
        if at > size:
            return _too_short(at, size) if name in _SOUND_BOXES else None
    raise MemberError(_TOO_MANY)


def _aiff(file: BinaryIO, size: int) -> str | None:
    at = 12
    for _ in range(riff.MOST_CHUNKS):
        if len(head := _at(file, at, 8)) < 8:
            return None
        name, length = struct.unpack(">4sI", head)
        at += 8 + length
        if name == b"SSND":
            return _too_short(at, size) if at > size and length < riff.UNKNOWN else None
        at += length % 2
    raise MemberError(_TOO_MANY)


def _ogg(file: BinaryIO, size: int) -> str | None:
    """Check that the last page is complete and marked as the last, unless the beginning of the stream is unknown."""
    begin = max(0, size - 2 * _MOST_OF_A_PAGE)
    tail = _at(file, begin, size - begin)
    at = tail.rfind(b"OggS\0")
    if at < 0:
        return None
    flags, _, length = _page(tail, at)
    if length is None or at + length > len(tail):
        return "expected a whole recording, found one whose last page is not whole"
    if flags & _LAST_PAGE or not _begins(_at(file, 0, 2 * _MOST_OF_A_PAGE)):
        return None
    return "expected a recording up to its end, found one in which none is marked"


def is_chained(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file belongs to another recording than the first."""
    size = file.seek(0, os.SEEK_END)
    tail = _at(file, max(0, size - 2 * _MOST_OF_A_PAGE), size)
    last = tail.rfind(b"OggS\0")
    return last >= 0 and tail[last + 14 : last + 18] != _at(file, 14, 4)


def _page(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Flags, position in the recording, and length in bytes; None if even the header is incomplete."""
    head = data[at : at + _PAGE.size]
    if len(head) < _PAGE.size:
        return 0, 0, None
    _, _, flags, position, _, _, _, n_segments = _PAGE.unpack(head)
    segments = data[at + _PAGE.size : at + _PAGE.size + n_segments]
    if len(segments) < n_segments:
        return flags, position, None
    return flags, position, _PAGE.size + n_segments + sum(segments)


def _begins(data: bytes) -> bool:
    """Whether the first page with sound is the beginning of the recording."""
    at = 0
    while data[at : at + 4] == b"OggS":
        _, position, length = _page(data, at)
        if position > 0:
            return position <= _BEGINNING
        if length is None:
            break
        at += length
    return False


def _matroska(file: BinaryIO, size: int) -> str | None:
    """Check elements, one after another; the content of one of unknown length is read as if it stood beside it."""
    for name, begin, length in _elements(file):
        if length is not None and begin + length > size:
            return _too_short(begin + length, size)
        if name == _SEGMENT and length is not None:
            return None
    return None


def _elements(file: BinaryIO) -> Iterator[tuple[bytes, int, int | None]]:
    """Name, offset and length of each; the leading zero bits of a number give the number of bytes that follow."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        head = _at(file, at, 12)
        if len(head) < 2 or not head[0] >> 4:
            return
        n_name = 9 - head[0].bit_length()
        first = head[n_name] if n_name < len(head) else 0
        n_length = 9 - first.bit_length()
        number = head[n_name : n_name + n_length]
        if not first or len(number) < n_length:
            return
        mask = (1 << 7 * n_length) - 1
        length = int.from_bytes(number) & mask
        at += n_name + n_length
        yield head[:n_name], at, None if length == mask else length
        at += 0 if length == mask else length


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


_CHECKS: Final[Mapping[str, Callable[[BinaryIO, int], str | None]]] = {
    "wav": _wav,
    "mp3": _mp3,
    "mov": _mov,
    "ogg": _ogg,
    "matroska": _matroska,
    "aiff": _aiff,
}
