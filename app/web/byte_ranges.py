"""Parse Range headers (RFC 9110, section 14).

A single range of bytes is served. Several ranges, or another unit, are answered with the whole file, as the standard
allows.
"""

from dataclasses import dataclass
from typing import Final

_LONGEST_NUMBER: Final = 18


class UnsatisfiableError(ValueError):
    """The range begins after the end."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes first, ..., last of ``size`` bytes."""

    first: int
    last: int
    size: int

    @property
    def n_bytes(self) -> int:
        return self.last - self.first + 1

    @property
    def header(self) -> str:
        """The value of Content-Range."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def parse_range(header: str, size: int) -> ByteRange | None:
    """Parse a Range header; None for the whole. Raises UnsatisfiableError.

    >>> parse_range("bytes=2-", 10), parse_range("bytes=-3", 10).header, parse_range("lines=1-2", 10)
    (ByteRange(first=2, last=9, size=10), 'bytes 7-9/10', None)
    >>> parse_range("bytes=0-99999999999999999999999", 10)
    ByteRange(first=0, last=9, size=10)
    """
    wanted = header.strip()
    if not wanted.startswith("bytes=") or "," in wanted:
        return None
    first, dash, last = wanted.removeprefix("bytes=").strip().partition("-")
    numbers = [number for number in (first, last) if number]
    if not dash or not numbers or not all(n.isascii() and n.isdecimal() for n in numbers):
        return None
    if first and last and _number(last) < _number(first):
        return None
    start = _number(first) if first else max(0, size - _number(last))
    if start >= size:
        raise UnsatisfiableError(f"bytes */{size}")
    return ByteRange(start, min(_number(last), size - 1) if first and last else size - 1, size)


def _number(digits: str) -> int:
    """The number; for one with too many digits, a number beyond the end of any file."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER
