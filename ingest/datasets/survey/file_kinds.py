"""What a file is, by its first bytes and not by its name: a picture, a sound, a text, or something else."""

import codecs
import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from app.evaluation.tables.git_pointers import pointer
from ingest.media.archives.stores import MemberError
from ingest.media.audio.sniffing import format_of

Kind = Literal["image", "audio", "text", "other", "unreadable"]

_HEAD: Final = 512
#: Most texts are shorter, so that their encoding is known for sure.
_TEXT_HEAD: Final = 1 << 16
_PICTURE: Final = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0\0\0\0|RIFF.{4}WEBP|II\*\0|MM\0\*"
    rb"|\0\0\0\x0cjP  |\xff\x4f\xff\x51|.{4}ftypavi[fs]|P[1-6][\s#]+\d+\s+\d+\s",
    re.DOTALL,
)
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Control characters that texts do not have, save a few by mistake.
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\x0b\f\r\x1b\x08"))
#: Binary files without a NUL are next to never UTF-8, so that more of them are forgiven there.
_MOST_CONTROL: Final = {"utf-8": 1 / 10, "": 1 / 100}
_LETTERS_OF_CP1252: Final = re.compile(rb"[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]")
_NOT_CP1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
#: Of texts that only latin-1 can read. Others that it can read are the same, or better, in cp1252.
ONLY_LATIN_1: Final = "iso8859-1"


@dataclass(frozen=True, slots=True)
class Content:
    """The kind of a file; for a text, an encoding that fits; for other files, what they are in words."""

    kind: Kind
    encoding: str = ""
    words: str = ""


def look(path: Path) -> Content:
    """The content of a file, from as few of its bytes as are needed."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            content = content_of(head)
            if content.kind == "text" and len(head) == _HEAD:
                content = content_of(head + file.read(_TEXT_HEAD - _HEAD), whole=False)
    except OSError as error:
        return Content("unreadable", words=f"cannot be opened ({error.strerror})")
    return content


def content_of(head: bytes, *, whole: bool = True) -> Content:
    r"""The content of a file that begins with these bytes; ``whole`` says that a letter may not be cut off at the end.

    >>> [content_of(head).kind for head in (b"\x89PNG\r\n\x1a\n", b"ID3\x04" + bytes(20), b"caf\xe9", b"", bytes(9))]
    ['image', 'audio', 'text', 'unreadable', 'other']
    """
    if not head:
        return Content("unreadable", words="is empty")
    if pointer(head):
        return Content("unreadable", words="is a pointer of Git")
    if _PICTURE.match(head):
        return Content("image")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return Content("text", encoding)
    try:
        format_of(BytesIO(head), "")
        return Content("audio")
    except MemberError:
        encoding = _encoding(head, whole=whole)
        return Content("text", encoding) if encoding else Content("other")


def _encoding(head: bytes, *, whole: bool) -> str:
    """An encoding in which the bytes are text, the likeliest first; "" if they are none."""
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head, final=whole and len(head) < _HEAD)
        found = "ascii" if head.isascii() else "utf-8"
    except UnicodeDecodeError:
        found = "latin-1"
    control = len(head) - len(head.translate(None, _CONTROL))
    if b"\0" in head or control > _MOST_CONTROL["" if found == "latin-1" else "utf-8"] * len(head):
        return ""
    if found == "latin-1" and _NOT_CP1252.search(head):
        return ONLY_LATIN_1
    return "cp1252" if found == "latin-1" and _LETTERS_OF_CP1252.search(head) else found
