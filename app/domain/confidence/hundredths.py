"""A least confidence as visitors write it: hundredths from 0 to 1, so that every number of a page can be asked for."""

import re
from typing import Final

#: What is expected, for messages.
EXPECTED: Final = "a number from 0 to 1 with at most two digits behind the point, like 0.9"
_WRITTEN: Final = re.compile(r"(?:0(?:\.\d{1,2})?|1(?:\.0{1,2})?)", re.ASCII)


def read_hundredths(text: str) -> float | None:
    """The number in a text; None for anything else.

    >>> read_hundredths("0.9"), read_hundredths("0.90"), read_hundredths("1"), read_hundredths("0.05")
    (0.9, 0.9, 1.0, 0.05)
    >>> [read_hundredths(text) for text in ("1.5", "nan", "0.9x", "-0", "1e-1", ".9", "0.999", "")]
    [None, None, None, None, None, None, None, None]
    """
    return float(text) if _WRITTEN.fullmatch(text) else None


def spell_hundredths(value: float) -> str:
    """The number in its one spelling.

    >>> spell_hundredths(0.9), spell_hundredths(1.0), spell_hundredths(0.05)
    ('0.9', '1', '0.05')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def whole_hundredths(value: float) -> int:
    """How many hundredths a probability, rounded to six digits, reaches: at least n / 100 is the same as at least n.

    >>> whole_hundredths(0.29), whole_hundredths(0.899999), whole_hundredths(1.0)
    (29, 89, 100)
    """
    return round(value * 1_000_000) // 10_000


def rounded_down(value: float, digits: int) -> float:
    """A probability, rounded to six digits, cut to fewer: what is shown of it is never more than it has.

    A filter by the shown number then finds it.

    >>> rounded_down(0.85995, 2), rounded_down(0.85995, 4), rounded_down(0.29, 2), rounded_down(1.0, 4)
    (0.85, 0.8599, 0.29, 1.0)
    """
    scale: int = 10**digits
    return round(value * 1_000_000) * scale // 1_000_000 / scale
