"""Decode bytes of a stated text encoding, whole or in pieces, and refuse the wrong encoding.

Decoding with a wrong encoding often succeeds with other letters, and nobody would notice. Bytes that begin with the
mark of another encoding, contain zeros in place of letters, or are UTF-8 from beginning to end are therefore refused by
name.
"""

import codecs
from collections.abc import Iterator
from typing import Final, Literal

from ingest.media.archives.decompress import Readable
from ingest.media.archives.stores import MemberError

#: Byte order marks, the longer ones first, because one is the beginning of another.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_LONGEST_MARK: Final = 4
#: In these nearly any bytes are text; this many non-ASCII letters are not valid UTF-8 by chance.
_BY_CHANCE: Final = {"latin-1": 1, "cp1252": 1, "gb18030": 6}
#: No single-byte text has a larger share of zeros, while most two-byte texts do.
_MOST_ZEROS: Final = 1 / 5
#: A smaller two-byte text may look like ASCII by chance.
_LEAST_ASCII: Final = 16
_ASCII: Final = frozenset(b"\t\n\r" + bytes(range(0x20, 0x7F)))
#: Letters that occur in most texts and, with swapped bytes, are hardly ever used.
_COMMON: Final = frozenset(map(ord, "\n\r abcdefghijklmnopqrstuvwxyz。，、的"))
_LEAST_COMMON: Final = 8
_LOOKED_AT: Final = 1 << 14
_CHUNK: Final = 1 << 20


def _common(data: bytes, order: Literal["little", "big"]) -> int:
    """The number of common letters, if decoded as two-byte text in that byte order."""
    pairs = (int.from_bytes(data[at : at + 2], order) for at in range(0, min(len(data), _LOOKED_AT) - 1, 2))
    return sum(pair in _COMMON for pair in pairs)


class TextDecoder:
    """Decodes the pieces of one text, one after another."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""
        self._at = 0  # where the next piece begins, in bytes
        self._other = codecs.getincrementaldecoder("utf-8")("strict") if encoding in _BY_CHANCE else None
        self._beyond_ascii = 0

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """Decode the next bytes; ``final`` says that no more follow. Raises MemberError for another encoding."""
        if self._decoder is None:
            self._head += data
            if len(self._head) < _LONGEST_MARK and not final:
                return ""
            data = self._begun(self._head)
            self._refuse_unlikely(data)
        text = self._decoded(data, final)
        self._refuse_utf8(data, final)
        self._at += len(data)
        return text

    def _begun(self, head: bytes) -> bytes:
        """The first bytes without their byte order mark, if any."""
        mark, marked = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", None))
        encoding = self._encoding
        if encoding == "utf-16":
            if marked is None and head:
                finding = "found none; utf-16-le and utf-16-be are without it"
                raise MemberError(f"expected utf-16 text, which begins with a byte order mark, {finding}")
            encoding = marked if marked in ("utf-16-le", "utf-16-be") else "utf-16-le"
        if marked is not None and marked != encoding:
            name = marked if self._encoding == "utf-16" else marked.removesuffix("-le").removesuffix("-be")
            said = f'; say encoding = "{name}" in [media] if it is that' if name != "utf-32" else ""
            raise MemberError(f"expected {self._encoding} text, found the byte order mark of {marked}{said}")
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._at = len(mark)
        return head[len(mark) :]

    def _decoded(self, data: bytes, final: bool) -> str:
        decoder = self._decoder or codecs.getincrementaldecoder(self._encoding)("strict")
        pending = len(decoder.getstate()[0])
        try:
            return decoder.decode(data, final)
        except UnicodeDecodeError as error:
            place = self._at - pending + error.start
            found = f"found byte {error.object[error.start]:#04x} at {place:,}"
            raise MemberError(f"expected {self._encoding} text, {found}{self._hint()}") from error

    def _hint(self) -> str:
        return "" if self._encoding != "utf-8" else " (encoding in [media] says which other one it is)"

    def _refuse_unlikely(self, data: bytes) -> None:
        """Raises MemberError for a beginning that can be decoded but is not plausible text."""
        if not self._encoding.startswith("utf-16"):
            if data.count(0) > _MOST_ZEROS * len(data):
                finding = "found many zeros: it is in another encoding, such as utf-16, or no text"
                raise MemberError(f"expected {self._encoding} text, {finding}")
            return
        if self._at:
            return  # its mark states it
        if len(data) >= _LEAST_ASCII and _ASCII.issuperset(data):
            raise MemberError(f"expected {self._encoding} text, found one of one byte a letter")
        little, big = (_common(data, order) for order in ("little", "big"))
        found = "utf-16-le" if little > big else "utf-16-be"
        if abs(little - big) >= _LEAST_COMMON and found != self._encoding:
            raise MemberError(f"expected {self._encoding} text, found {found}")

    def _refuse_utf8(self, data: bytes, final: bool) -> None:
        if self._other is None:
            return
        try:
            text = self._other.decode(data, final)
        except UnicodeDecodeError:
            self._other = None
            return
        self._beyond_ascii += sum(letter > "\x7f" for letter in text) if not text.isascii() else 0
        if final and self._beyond_ascii >= _BY_CHANCE[self._encoding]:
            raise MemberError(f"expected {self._encoding} text, found one that is utf-8 from beginning to end")


def decoded_text(data: bytes, encoding: str) -> str:
    r"""Decode a whole text. Raises MemberError if it is not in that encoding.

    >>> decoded_text(b"\xff\xfeh\x00i\x00", "utf-16"), decoded_text(b"\xc4\xe3\xba\xc3", "gb18030")
    ('hi', '你好')
    """
    return TextDecoder(encoding).decode(data, final=True)


def text_lines(file: Readable, encoding: str, longest: int) -> Iterator[str]:
    """The lines of a stream without line ends, holding one at a time.

    Raises MemberError for text of another encoding, and for a line of more than ``longest`` characters.
    """
    decoder, rest, more = TextDecoder(encoding), "", True
    while more:
        chunk = file.read(_CHUNK)
        more = bool(chunk)
        lines = (rest + decoder.decode(chunk, final=not more)).split("\n")
        rest = lines.pop()
        if len(rest) > longest:
            raise MemberError(f"expected lines of at most {longest:,} characters, found a longer one")
        for line in lines:
            yield line.removesuffix("\r")
    if rest:
        yield rest.removesuffix("\r")
