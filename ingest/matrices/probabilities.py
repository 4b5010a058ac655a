"""Check that the rows of a matrix are probabilities: finite, from 0 to 1, summing to 1.

A row that satisfies this within the rounding of its type is used unchanged. One that does so within a stated tolerance
is clipped to [0, 1], divided by its sum in double precision and rounded to its type again. Any other row is refused,
naming file, row, what was expected and what was found.

If the user states another tolerance, every row is divided by its sum in double precision and stays in double precision:
the result is that of a matrix normalized by hand.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.row_scores import ROUNDING
from ingest.errors import DataError

#: The tolerance for the sum of a row, by the bytes of a number. Half precision is coarse.
SUM_TOLERANCE: Final = {2: 1e-2, 4: 1e-4, 8: 1e-4}

#: The largest tolerance that may be stated. Rows farther from 1 are not probabilities.
MOST_TOLERANCE: Final = 0.5

_ROUND_TOLERANCES: Final = (2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, MOST_TOLERANCE)

#: A row this close to summing to 1 was perhaps written with few digits.
_ROUNDED: Final = 0.05


@dataclass(frozen=True, slots=True)
class BlockLocation:
    """The location of a block of rows: its file, its first row in the matrix, and the number of rows in other files
    before.

    ``itemsize`` is the bytes of a number in that file, 0 if they are those of the block: parts may differ. ``n_beyond``
    are the rows of the block that only a stated tolerance admitted. Rows that are ``settled`` were checked before, and
    are used as they are.
    """

    path: Path
    first: int
    before: int = 0
    itemsize: int = 0
    n_beyond: int = 0
    settled: bool = False

    def error(self, row: int, finding: str) -> DataError:
        """The error about a row of the block, with the row's number in its file."""
        index = self.first + row
        of_all = f" (row {index} of all parts)" if self.before else ""
        return DataError(self.path, finding, record=f"row {index - self.before}{of_all}")


def settle(place: BlockLocation, block: NDArray[Any], rows: NDArray[np.intp]) -> None:
    """Check some rows of a block closely and normalize in place those within tolerance.

    Raises DataError naming the first row that is not a probability distribution.
    """
    values = block[rows].astype(np.float64)
    _require(place, rows, values, SUM_TOLERANCE[place.itemsize or block.itemsize])
    outside = (np.signbit(values) | (values > 1)).any(axis=1)
    # Adding 0 turns -0 into 0; as an integer, -0 would be larger than 1.
    np.clip(values, 0.0, 1.0, out=values)
    values += 0.0
    sums = values.sum(axis=1)
    mended = outside | (np.abs(sums - 1) > ROUNDING[block.itemsize])
    block[rows[mended]] = values[mended] / sums[mended, None]


def divided(place: BlockLocation, block: NDArray[Any], tolerance: float) -> tuple[NDArray[np.float64], int]:
    """A block whose rows sum to 1 within a stated tolerance, each divided by its sum; and how many exceed the usual
    one.

    Numbers made negative by rounding count as 0. Raises DataError naming the first row that is not a distribution.

    >>> divided(BlockLocation(Path("p.npy"), 0), np.array([[0.25, 0.25], [0.5, 0.5]]), 0.5)
    (array([[0.5, 0.5],
           [0.5, 0.5]]), 1)
    """
    values = block.astype(np.float64, order="C")
    usual = SUM_TOLERANCE[block.itemsize]
    _require(place, np.arange(len(values)), values, tolerance, least=-usual)
    np.maximum(values, 0.0, out=values)
    values += 0.0  # adding 0 turns -0 into 0
    sums = values.sum(axis=1, keepdims=True)
    values /= sums
    return values, int((np.abs(sums - 1) > usual).sum())


def softmax(place: BlockLocation, block: NDArray[Any]) -> NDArray[np.float64]:
    """A block of logits as probabilities. Raises DataError if one is not finite."""
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
    """Whether all of these rows are probabilities within the tolerance."""
    tolerance = SUM_TOLERANCE[head.itemsize]
    values = head.astype(np.float64)
    return bool((values >= -tolerance).all() and (np.abs(values.sum(axis=1) - 1) <= tolerance).all())


def _require(
    place: BlockLocation,
    rows: NDArray[np.intp],
    values: NDArray[np.float64],
    tolerance: float,
    least: float | None = None,
) -> None:
    """Refuse rows whose sum differs from 1 by more than a tolerance, or with a number below ``least`` (default: minus
    that).
    """
    least = -tolerance if least is None else least
    finite = np.asarray(np.isfinite(values).all(axis=1))
    # Values that are not finite, or far off, are reported themselves; summing them would only cause warnings.
    safe = np.clip(np.where(np.isfinite(values), values, 0.0), -2.0, 2.0)
    outside = np.asarray(((safe < least) | (safe > 1 + tolerance)).any(axis=1))
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
        column = _farthest(values[worst], least)
        finding = f"expected probabilities from 0 to 1, found {values[worst, column]:.6g} for class {column}"
        finding += '; if these are logits, say so: --logits of the command flag, "logits = true" in a manifest, '
        finding += "logits=True in Python"
    else:
        if abs(sums[worst] - 1) < _ROUNDED:
            finding += "; if they were rounded, write more digits, and half precision as it is, in 16 bits"
        finding += _offer(np.abs(sums - 1)[far & finite & ~outside].max())
    raise place.error(int(rows[worst]), finding)


def _offer(far: float) -> str:
    """Advice on accepting rows this far from 1, if possible: a round tolerance that is large enough for them.

    >>> _offer(0.0106)
    '; to take such rows, each divided by its sum, say --tolerance 0.02, or "tolerance = 0.02" in a manifest or Python'
    """
    enough = next((x for x in _ROUND_TOLERANCES if x >= far), None)
    if enough is None:
        return ""
    words = f'--tolerance {enough:g}, or "tolerance = {enough:g}" in a manifest or Python'
    return f"; to take such rows, each divided by its sum, say {words}"


def _farthest(row: NDArray[np.float64], least: float) -> int:
    """The column to report for a row: that of its negative number, else of the one above 1."""
    return int(row.argmin() if row.min() < least else row.argmax())


def _not_finite(row: NDArray[np.float64]) -> str:
    return f"expected finite numbers, found {row[~np.isfinite(row)][0]}"
