"""Read a column of numbers from the cells of a table, with decimal points or decimal commas.

Missing values are empty cells, or one of the usual words for them.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Words for a missing number, in lower case.
MISSING: Final = frozenset({"", "?", "na", "n/a", "nan", "none", "null", "<na>"})
_COMMA: Final = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}[,.]\d{3}", re.ASCII)
_HUNDREDS: Final = re.compile(r"[+-]?[1-9]\d\d", re.ASCII)


class NumberError(ValueError):
    """A cell that is no number: its ``place`` in the column, and what was expected and found."""

    def __init__(self, place: int, finding: str) -> None:
        super().__init__(finding)
        self.place = place


def numbers(cells: Sequence[Any]) -> NDArray[np.float64]:
    """(n,) the numbers in cells, with NaN for missing ones; true and false are 1 and 0.

    Raises NumberError for the first cell that is neither, for an infinite number, and where commas, or points beside
    whole numbers of three digits, may be marks of thousands as well as decimal marks.

    >>> numbers(["1.5", "", 2, True]), numbers(["1,5", "NA", "12"])
    (array([1.5, nan, 2. , 1. ]), array([ 1.5,  nan, 12. ]))
    """
    commas = any(isinstance(cell, str) and "," in cell for cell in cells)
    found = np.empty(len(cells))
    for place, cell in enumerate(cells):
        found[place] = value = _number(cell, place, commas)
        if math.isinf(value):
            raise NumberError(place, f"expected a finite number, found {_short(cell)}")
    if (first := _perhaps_of_thousands(cells, "," if commas else ".")) is not None:
        mark = "comma" if commas else "point"
        finding = f"found {_short(cells[first])}, where the {mark} may be a mark of thousands or of decimals"
        raise NumberError(first, finding)
    return found


def _perhaps_of_thousands(cells: Sequence[Any], mark: str) -> int | None:
    """The place of the first cell with a mark, if all of these may be marks of thousands as well as of decimals.

    Three decimals are often written with points. But then hardly a number is whole, without any, and has three digits.
    """
    texts = {place: cell.strip() for place, cell in enumerate(cells) if isinstance(cell, str)}
    marked = [place for place, text in texts.items() if mark in text]
    if not marked or not all(_THOUSANDS.fullmatch(texts[place]) for place in marked):
        return None
    hundreds = any(_HUNDREDS.fullmatch(text) for text in texts.values())
    return marked[0] if mark == "," or hundreds else None


def _number(cell: Any, place: int, commas: bool) -> float:
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        text = cell.strip()
        if text.casefold() in MISSING:
            return math.nan
        if commas and "." in text:
            raise NumberError(place, f"expected one decimal mark in all numbers of the column, found {_short(cell)}")
        if _COMMA.fullmatch(text):
            text = text.replace(",", ".")
        try:
            return float(text.replace("_", " "))  # which Python allows within a number
        except ValueError:
            pass
    elif isinstance(cell, int | float | np.number):
        return float(cell)
    raise NumberError(place, f"expected a number, found {_short(cell)}")


def _short(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else text[:57] + "..."
