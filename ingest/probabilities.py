"""Rows of a matrix held to what probabilities are: finite, from 0 to 1, summing to 1.

A row that is so within the rounding of its type is taken as it stands. One that is so within a stated tolerance is
clipped to [0, 1], divided by its sum in double precision and rounded to its type again. Any other is refused, by name:
file, row, what was expected and what was found.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.row_scores import ROUNDING
from ingest.errors import DataError

#: How far the probabilities of a row may be from summing to 1, by the bytes of a number. Half precision is coarse.
SUM_TOLERANCE: Final = {2: 1e-2, 4: 1e-4, 8: 1e-4}

#: A row that is no farther from summing to 1 was perhaps written with few digits.
_ROUNDED: Final = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block of rows stands: in which file, from which row of the matrix on, and behind how many of others.

    ``itemsize`` is the bytes of a number in that file, 0 where they are those of the block: parts may differ.
    """

    path: Path
    first: int
    before: int = 0
    itemsize: int = 0

    def error(self, row: int, finding: str) -> DataError:
        """What is wrong with a row of the block, named as it stands in its file."""
        index = self.first + row
        of_all = f" (row {index} of all parts)" if self.before else ""
        return DataError(self.path, finding, record=f"row {index - self.before}{of_all}")


def settle(place: Place, block: NDArray[Any], rows: NDArray[np.intp]) -> None:
    """Look closely at some rows of a block and mend in place what may be mended.

    Raises DataError naming the first row that holds no probabilities.
    """
    values = block[rows].astype(np.float64)
    _require(place, rows, values, SUM_TOLERANCE[place.itemsize or block.itemsize])
    outside = (np.signbit(values) | (values > 1)).any(axis=1)
    # Adding 0 makes a zero of what was -0, which has more bits than 1 has.
    np.clip(values, 0.0, 1.0, out=values)
    values += 0.0
    sums = values.sum(axis=1)
    mended = outside | (np.abs(sums - 1) > ROUNDING[block.itemsize])
    block[rows[mended]] = values[mended] / sums[mended, None]


def softmax(place: Place, block: NDArray[Any]) -> NDArray[np.float64]:
    """A block of logits as probabilities. Raises DataError where one is not finite."""
    values = block.astype(np.float64)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise place.error(row, _not_finite(values[row]))
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def looks_like_probabilities(head: NDArray[Any]) -> bool:
    """Whether all of some rows hold probabilities, to the tolerance."""
    tolerance = SUM_TOLERANCE[head.itemsize]
    values = head.astype(np.float64)
    return bool((values >= -tolerance).all() and (np.abs(values.sum(axis=1) - 1) <= tolerance).all())


def _require(place: Place, rows: NDArray[np.intp], values: NDArray[np.float64], tolerance: float) -> None:
    finite = np.asarray(np.isfinite(values).all(axis=1))
    # What is not finite, or far off, is told of by itself; adding it up would warn and tell nothing.
    safe = np.clip(np.where(np.isfinite(values), values, 0.0), -2.0, 2.0)
    outside = np.asarray(((safe < -tolerance) | (safe > 1 + tolerance)).any(axis=1))
    sums = safe.sum(axis=1)
    far = np.abs(sums - 1) > tolerance
    wrong = np.flatnonzero(~finite | outside | far)
    if not len(wrong):
        return
    worst = int(wrong[0])
    finding = f"expected probabilities that sum to 1 within {tolerance:g}, found a sum of {sums[worst]:.6g}"
    if not finite[worst]:
        finding = _not_finite(values[worst])
    elif outside[worst]:
        column = _farthest(values[worst], tolerance)
        finding = f"expected probabilities from 0 to 1, found {values[worst, column]:.6g} for class {column}"
        finding += '; if these are logits, say so: --logits of the command flag, "logits = true" in a manifest'
    elif abs(sums[worst] - 1) < _ROUNDED:
        finding += "; if they were rounded, write more digits, and half precision as it is, in 16 bits"
    raise place.error(int(rows[worst]), finding)


def _farthest(row: NDArray[np.float64], tolerance: float) -> int:
    """The column that gives a row away: that of its negative number, else of the one above 1."""
    return int(row.argmin() if row.min() < -tolerance else row.argmax())


def _not_finite(row: NDArray[np.float64]) -> str:
    return f"expected finite numbers, found {row[~np.isfinite(row)][0]}"
