"""Arrays in memory as parts of a matrix; blocks are copies, so the caller's array is never modified.

Rows are normalized in place in these copies. At most one block is copied at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.committee import committee_probabilities
from ingest.errors import DataError, shown

_TWO_CLASSES: Final = "; of two classes both are needed: np.column_stack([1 - p, p])"


@dataclass(frozen=True)
class ArrayPart:
    """(n, m) numbers in memory. ``path`` is their name in errors."""

    path: Path
    array: NDArray[Any] = field(repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def cuts(self) -> tuple[int, ...]:
        """Rows at which reading should begin: none, because any row is as good."""
        return ()

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Copies of the rows from ``start`` to ``stop``, at most ``height`` at a time; each valid until the next."""
        buffer = np.empty((min(height, stop - start), self.shape[1]), self.dtype)
        for first in range(start, stop, height):
            rows = self.array[first : min(first + height, stop)]
            block = buffer[: len(rows)]
            block[...] = rows
            yield first, block


def open_values(path: Path, values: object) -> ArrayPart:
    """An array from values in memory: a numpy array, or one that numpy can make without misreading them.

    Raises DataError for missing values, values of uncertain order, or values that are not floating-point numbers.

    >>> open_values(Path("pred_probs"), [[0.25, 0.75], [0.5, 0.5]]).shape
    (2, 2)
    """
    kind = f"{type(values).__module__}.{type(values).__name__}"
    if hasattr(values, "to_pandas"):
        raise DataError(path, f"found {kind}, whose names of columns are kept by .to_pandas(): pass that")
    array = array_of(path, values, "an (n, m) array, a DataFrame, or paths")
    if array.ndim != 2:
        hint = _TWO_CLASSES if array.ndim == 1 and array.dtype.kind == "f" else ""
        raise DataError(path, f"expected shape (n, m), one column a class, found {array.shape}{hint}")
    if array.dtype.kind in "iub":
        finding = f"expected floating-point numbers of 16, 32 or 64 bits, found {array.dtype}"
        raise DataError(path, f"{finding}; where they are probabilities all the same, .astype(float) says so")
    return ArrayPart(path, array)


def open_votes(path: Path, options: NDArray[np.int32], n_classes: int) -> ArrayPart:
    """The votes of several models as predicted probabilities: (n, k) options that they chose, -1 for no answer."""
    return ArrayPart(path, committee_probabilities(options, n_classes))


def array_of(path: Path | str, values: object, expected: str) -> NDArray[Any]:
    """Values as an array, without a copy if they are one. Raises DataError if some are masked."""
    listed = isinstance(values, Sequence) and not isinstance(values, str | bytes | bytearray)
    if isinstance(values, Mapping) or not (listed or hasattr(values, "__array__")):
        raise DataError(path, f"expected {expected}, found {shown(values)} of type {type(values).__name__}")
    _require_unmasked(path, values)
    try:
        return np.asarray(values)
    except Exception as error:  # many causes: an array on a graphics card, rows of different lengths
        raise DataError(path, f"expected {expected}, found what numpy makes none of: {error}") from error


def _require_unmasked(path: Path | str, values: Any) -> None:
    """Refuse masked values: numpy would continue with the values below the mask."""
    if isinstance(values, np.ma.MaskedArray):
        rows = np.argwhere(np.ma.getmaskarray(values))[:1, :1].ravel().tolist()
    elif isinstance(values, list | tuple):
        rows = [
            row for row, value in enumerate(values) if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value)
        ]
    else:
        return
    if rows:
        raise DataError(path, "expected no value to be masked, found one", record=f"row {rows[0]}")
