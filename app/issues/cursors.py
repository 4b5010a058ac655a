"""Cursors: places in an order as opaque words in addresses.

A cursor holds the position of an item in its order, by which a page is read, and where it is known, how many items
stand before the page that begins or ends there, which a page only tells its readers.
"""

import base64
import binascii
from typing import Final, NamedTuple

from app.errors import FilterError

_POSITION: Final = 8  # bytes
_BEFORE: Final = 4


class Cursor(NamedTuple):
    """A position in an order, and how many items stand before it; None if that is not known."""

    position: int
    n_before: int | None = None


def cursor(position: int, n_before: int | None = None) -> str:
    """A cursor as a word.

    >>> place_of(cursor(7)), read_cursor("after", cursor(7, 48))
    (7, Cursor(position=7, n_before=48))
    """
    raw = position.to_bytes(_POSITION) + (b"" if n_before is None else n_before.to_bytes(_BEFORE))
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def place_of(word: str) -> int:
    """The position in the cursor ``after``. Raises FilterError for a string that ``cursor`` did not make."""
    return read_cursor("after", word).position


def read_cursor(name: str, word: str) -> Cursor:
    """The cursor in a parameter. Raises FilterError for a string that ``cursor`` did not make."""
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) in (_POSITION, _POSITION + _BEFORE) and raw[0] < 128:
        before = raw[_POSITION:]
        return Cursor(int.from_bytes(raw[:_POSITION]), int.from_bytes(before) if before else None)
    raise FilterError(name, word, [], f"{name} is not a cursor that this site gave out; follow a link instead.")
