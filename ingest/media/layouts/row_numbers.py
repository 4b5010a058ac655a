"""Detect columns of row numbers that show that a table is not in the order of the labels.

Rows without keys are paired with labels by position. A table that was shuffled before it was written often shows this
in a column called index, or in the row names that pandas and R write by default; each text would then be beside another
example's label. Whether the labels were shuffled with it cannot be known, so such a table is refused.
"""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from ingest.errors import shown
from ingest.media.items import MediaError

#: Names of row-number columns, in lower case; the first three are pandas' names for an unnamed index.
_NAMES: Final = frozenset({"", "unnamed: 0", "__index_level_0__", "index", "idx", "id", "row"})


def numbers_rows(name: str) -> bool:
    """Whether a column of this name may number the rows.

    >>> numbers_rows("Index"), numbers_rows(""), numbers_rows("price")
    (True, True, False)
    """
    return name.strip().casefold() in _NAMES


class RowNumbers:
    """One column, added row by row.

    >>> column = RowNumbers("index")
    >>> column.add([1, "0", 2])
    >>> column.require_order(Path("t.csv"))
    Traceback (most recent call last):
    ingest.media.items.MediaError: t.csv: expected rows in the order of the labels, found that column 'index' numbers \
them in another: row 0 is 1; sort the table by that column, name the rows with key_column in [media], or leave the \
column out where the labels are in the order of the rows
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._whole = True  # all values are whole numbers
        self._count = self._sum = self._squares = 0
        self._least = self._most = 0
        self._first: tuple[int, int] | None = None  # the first row that does not follow the one before, and its number
        self._begin = 0

    def add(self, values: Iterable[object]) -> None:
        """Add the next rows."""
        for value in values:
            number = _whole(value) if self._whole else None
            if number is None:
                self._whole = False
                return
            if self._count == 0:
                self._begin = self._least = self._most = number
            if self._first is None and number != self._begin + self._count:
                self._first = self._count, number
            self._least, self._most = min(self._least, number), max(self._most, number)
            self._count += 1
            self._sum += number
            self._squares += number * number

    def require_order(self, path: Path) -> None:
        """Raises MediaError if the numbers of the rows are distinct, without gaps, and not ascending."""
        if self._first is None or not self._is_permutation():
            return
        row, number = (0, self._begin) if self._begin != self._least else self._first
        raise MediaError(
            path,
            f"expected rows in the order of the labels, found that column {shown(self._name)} numbers them in another: "
            f"row {row:,} is {number:,}; sort the table by that column, name the rows with key_column in [media], or "
            "leave the column out where the labels are in the order of the rows",
        )

    def _is_permutation(self) -> bool:
        """Decided by sums, so that only a few numbers are held for a table of any length."""
        n, least = self._count, self._least
        squares = n * least * least + least * n * (n - 1) + (n - 1) * n * (2 * n - 1) // 6
        sums = self._sum == n * least + n * (n - 1) // 2 and self._squares == squares
        return self._whole and self._most - least + 1 == n and sums


def require_order(columns: Collection[RowNumbers], path: Path) -> None:
    """Raises MediaError where one of the columns numbers the rows in another order."""
    for column in columns:
        column.require_order(path)


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else None
