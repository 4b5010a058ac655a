"""Detect the format of a recording from its first bytes, not from its file name.

People rename files; an MP3 called .wav is still an MP3. The result names a demuxer of ffmpeg, and never one that
follows references in a file: a "recording" that is a playlist may name other files and addresses.
"""

from collections.abc import Mapping
from typing import BinaryIO, Final

from ingest.media.archives.stores import MemberError

#: Endings of recordings that folders are searched for -> ffmpeg's name of the format.
DEMUXERS: Final[Mapping[str, str]] = {
    "wav": "wav",
    "mp3": "mp3",
    "flac": "flac",
    "m4a": "mov",
    "ogg": "ogg",
    "oga": "ogg",
    "opus": "ogg",
    "webm": "matroska",
    "aac": "aac",
    "aiff": "aiff",
}
#: Streams that may begin anywhere, so their first bytes need not identify them.
_STREAMS: Final = ("mp3", "aac")
#: Bytes that distinguish text from sound.
_HEAD: Final = 512


def format_of(file: BinaryIO, suffix: str) -> str:
    """The demuxer for a recording, by its content. ``suffix``, such as "mp3", decides if the content does not.

    Raises MemberError for anything that is not a recording.

    >>> from io import BytesIO
    >>> format_of(BytesIO(b"ID3\x04" + bytes(20)), "wav"), format_of(BytesIO(b"OggS" + bytes(20)), "mp3")
    ('mp3', 'ogg')
    """
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        raise MemberError("expected a recording, found an empty file")
    found = _told(head)
    if head[:3] == b"ID3":
        file.seek(tag_size(head))
        found = _told_after_tag(file.read(4))
    if found is None and suffix in _STREAMS and not _is_text(head):
        found = suffix
    if found is None:
        raise MemberError("expected a recording (WAV, MP3, FLAC, Ogg, M4A, WebM, AAC, AIFF), found something else")
    return found


def tag_size(head: bytes) -> int:
    """The size in bytes of the ID3 tag at the beginning of a file, given its first ten bytes; 0 without a tag.

    >>> tag_size(b"ID3\\x04\\0\\0\\0\\0\\1\\2"), tag_size(b"fLaC")
    (140, 0)
    """
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    # Four bytes with seven bits each.
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))


def _told(data: bytes) -> str | None:
    head = data[:12]
    if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
        return "wav"
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return "aiff"
    if head[4:8] == b"ftyp":
        return "mov"
    for begin, demuxer in ((b"fLaC", "flac"), (b"OggS", "ogg"), (b"\x1aE\xdf\xa3", "matroska"), (b"ADIF", "aac")):
        if head.startswith(begin):
            return demuxer
    return _stream(head)


def _told_after_tag(after: bytes) -> str:
    """The format after an ID3 tag; MP3 unless something else is recognised."""
    return "flac" if after == b"fLaC" else _stream(after) or "mp3"


def _stream(head: bytes) -> str | None:
    """Both MP3 and AAC frames begin with eleven ones; the layer of AAC is 0."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if head[1] & 0x06 and head[1] & 0x18 != 0x08 else None


def _is_text(data: bytes) -> bool:
    return data.isascii() and b"\0" not in data
