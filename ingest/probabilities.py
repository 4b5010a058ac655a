"""Rows of a matrix held to what probabilities are: finite, from 0 to 1, summing to 1.

A row that is so within the rounding of its type is taken as it stands. One that is so within a stated tolerance is
clipped to [0, 1], divided by its sum in double precision and rounded to its type again. Any other is refused, by name:
file, row, what was expected and what was found.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.row_scores import ROUNDING
from ingest.errors import DataError

#: How far the probabilities of a row may be from summing to 1, by the bytes of a number. Half precision is coarse.
SUM_TOLERANCE: Final = {2: 1e-2, 4: 1e-4, 8: 1e-4}


def settle(path: Path, first: int, block: NDArray[Any], doubtful: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Look closely at the doubtful rows of a block, mend in place what may be mended; the rows looked at.

    ``first`` is the index of the block's first row. Raises DataError naming the first row that holds no probabilities.
    """
    rows = np.flatnonzero(doubtful)
    values = block[rows].astype(np.float64)
    _require(path, first, rows, values, SUM_TOLERANCE[block.itemsize])
    outside = (np.signbit(values) | (values > 1)).any(axis=1)
    # Adding 0 makes a zero of what was -0, which has more bits than 1 has.
    np.clip(values, 0.0, 1.0, out=values)
    values += 0.0
    sums = values.sum(axis=1)
    mended = outside | (np.abs(sums - 1) > ROUNDING[block.itemsize])
    block[rows[mended]] = values[mended] / sums[mended, None]
    return rows


def softmax(path: Path, first: int, block: NDArray[Any]) -> NDArray[np.float64]:
    """A block of logits as probabilities. Raises DataError where one is not finite."""
    values = block.astype(np.float64)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise _not_finite(path, first, values, int(np.flatnonzero(~finite)[0]), int(np.flatnonzero(~finite)[0]))
    values -= values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values


def looks_like_probabilities(head: NDArray[Any]) -> bool:
    """Whether all of some rows hold probabilities, to the tolerance."""
    tolerance = SUM_TOLERANCE[head.itemsize]
    values = head.astype(np.float64)
    return bool((values >= -tolerance).all() and (np.abs(values.sum(axis=1) - 1) <= tolerance).all())


def _require(path: Path, first: int, rows: NDArray[np.intp], values: NDArray[np.float64], tolerance: float) -> None:
    finite = np.asarray(np.isfinite(values).all(axis=1))
    # What is not finite, or far off, is told of by itself; adding it up would warn and tell nothing.
    safe = np.clip(np.where(np.isfinite(values), values, 0.0), -2.0, 2.0)
    outside = np.asarray(((safe < -tolerance) | (safe > 1 + tolerance)).any(axis=1))
    sums = safe.sum(axis=1)
    far = np.abs(sums - 1) > tolerance
    wrong = np.flatnonzero(~finite | outside | far)
    if not len(wrong):
        return
    place = int(wrong[0])
    if not finite[place]:
        raise _not_finite(path, first, values, place, int(rows[place]))
    finding = f"expected probabilities that sum to 1 within {tolerance:g}, found a sum of {sums[place]:.6g}"
    if outside[place]:
        column = _farthest(values[place], tolerance)
        finding = f"expected probabilities from 0 to 1, found {values[place, column]:.6g} for class {column}"
    finding += '; if these are logits, the manifest must say "logits = true" (the command flag: --logits)'
    raise DataError(path, finding, record=f"row {first + int(rows[place])}")


def _farthest(row: NDArray[np.float64], tolerance: float) -> int:
    """The column that gives a row away: that of its negative number, else of the one above 1."""
    return int(row.argmin() if row.min() < -tolerance else row.argmax())


def _not_finite(path: Path, first: int, values: NDArray[np.float64], place: int, row: int) -> DataError:
    bad = values[place][~np.isfinite(values[place])][0]
    return DataError(path, f"expected finite numbers, found {bad}", record=f"row {first + row}")
