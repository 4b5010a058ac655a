"""What visitors write, brought into a form that can be kept, printed and shown: nothing in it steers a screen.

Refuses what is too short or too long, and sources that are no http or https addresses.
"""

import unicodedata
from typing import Final

from pydantic import HttpUrl, TypeAdapter, ValidationError

#: Characters of a reason.
SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 1_000
LONGEST_SOURCE: Final = 500
_ADDRESS: Final[TypeAdapter[HttpUrl]] = TypeAdapter(HttpUrl)
#: Invisible characters that spell words in some scripts and join emojis: those that join or do not join letters.
_JOINERS: Final = "\u200c\u200d"
#: Marks over or under one letter that are kept; more of them cover the lines around.
_MOST_MARKS: Final = 4


class WordsError(ValueError):
    """Words that cannot be taken: ``field`` and, in a sentence, what is expected."""

    def __init__(self, field: str, says: str) -> None:
        super().__init__(says)
        self.field = field


def plain(text: str) -> str:
    """A text in one paragraph, without control characters and those that turn the direction of what follows.

    >>> plain(" a\\x1b[31m\\u202eb\\r\\n c ")
    'a[31mb c'
    """
    kept: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if letter.isspace():
            kept.append(" ")
        elif marks <= _MOST_MARKS and (kind[0] != "C" or letter in _JOINERS):
            kept.append(letter)
    return " ".join("".join(kept).split())


def reason_of(text: str) -> str:
    """A reason as it is kept. Raises WordsError for one that says too little or too much."""
    reason = plain(text)
    if len(reason) < SHORTEST_REASON:
        raise WordsError("reason", f"Say why, in at least {SHORTEST_REASON} characters.")
    if len(reason) > LONGEST_REASON:
        raise WordsError("reason", f"The reason has {len(reason):,} characters; at most {LONGEST_REASON:,} fit.")
    return reason


def source_of(text: str) -> str | None:
    """A source as it is kept, in ASCII; None if there is none. Raises WordsError for what is no web address.

    >>> source_of("https://example.org/größe"), source_of(" ")
    ('https://example.org/gr%C3%B6%C3%9Fe', None)
    """
    written = text.strip()
    if not written:
        return None
    refusal = WordsError(
        "source", f"The source must be a web address, https://..., of at most {LONGEST_SOURCE} characters."
    )
    if len(written) > LONGEST_SOURCE or plain(written) != unicodedata.normalize("NFC", written) or " " in written:
        raise refusal
    try:
        address = _ADDRESS.validate_python(written)
    except ValidationError as error:
        raise refusal from error
    found = str(address)
    if address.username or address.password or len(found) > LONGEST_SOURCE or not found.isascii():
        raise refusal
    return found
