"""Pandas tables in memory as parts of a matrix: one column per class, blocks copied, tables never modified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassesAre, whole_number
from app.evaluation.tables.row_names import id_column
from ingest.errors import DataError, shown
from ingest.matrices.class_columns import named_order, written

_PLAIN: Final = "pred_probs.to_numpy() takes them as they stand"


@dataclass(frozen=True)
class FramePart:
    """(n, m) numbers in columns of a table, by class. ``path`` is its name in errors."""

    path: Path
    columns: tuple[str, ...]  # their names
    #: Views of the table's data, or its columns if it holds no plain array.
    values: "tuple[NDArray[Any] | pd.Series[Any], ...]" = field(repr=False, compare=False)
    dtype: np.dtype[Any]
    #: A class is a column here, with a name, and not a place in a list.
    lists: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.values[0]) if self.values else 0), len(self.values)

    @property
    def cuts(self) -> tuple[int, ...]:
        """Rows at which reading should begin: none, because any row is as good."""
        return ()

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Copies of the rows from ``start`` to ``stop``, at most ``height`` at a time."""
        for first in range(start, stop, height):
            last = min(first + height, stop)
            block = np.empty((last - first, len(self.values)), self.dtype)
            for place, column in enumerate(self.values):
                if isinstance(column, np.ndarray):
                    block[:, place] = column[first:last]
                else:  # a missing value is refused with what is not finite
                    block[:, place] = column.iloc[first:last].to_numpy(dtype=self.dtype, na_value=np.nan)
            yield first, block


def open_frame(
    path: Path, frame: pd.DataFrame, names: Sequence[str] | None, classes_are: ClassesAre | None
) -> FramePart:
    """A table that has a column of floating-point numbers for each class.

    Columns named by the ``names`` or numbers of the classes are used in class order. Others are used in table order if
    there are no names, and refused if there are. Raises DataError naming the column.
    """
    if frame.columns.nlevels > 1:
        raise DataError(path, f"expected one name a column, found {frame.columns.nlevels} levels; {_PLAIN}")
    columns = [str(label) if (text := written(label)) is None else text for label in frame.columns]
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DataError(path, f"expected columns of different names, found {shown(twice)} more than once; {_PLAIN}")
    row_names = id_column(columns, names or ())
    if row_names is not None:
        raise DataError(path, f"expected a column for each class, found {shown(row_names)}, which names rows: drop it")
    ordered = named_order(path, columns, names, classes_are)
    if ordered is None and names is not None:
        finding = f"expected columns called by the classes, {', '.join(map(shown, names[:3]))}, ..., found"
        raise DataError(path, f"{finding} {', '.join(map(shown, columns[:3])) or 'none'}, ...; {_PLAIN}")
    ordered = ordered or tuple(columns)
    _require_no_other_numbers(path, ordered, names)
    chosen = [frame.iloc[:, columns.index(name)] for name in ordered]
    kinds = [_kind(path, name, column.dtype) for name, column in zip(ordered, chosen, strict=True)]
    plain = tuple(column.to_numpy() if isinstance(column.dtype, np.dtype) else column for column in chosen)
    return FramePart(path, tuple(ordered), plain, np.result_type(*kinds) if kinds else np.dtype(np.float64))


def _require_no_other_numbers(path: Path, columns: Sequence[str], names: Sequence[str] | None) -> None:
    """Refuse column numbers that are not class numbers, such as 1, 2, ...: labels count classes from 0."""
    numbers = [whole_number(name) for name in columns]
    if names is None and numbers and None not in numbers and set(numbers) != set(range(len(columns))):
        raise DataError(
            path,
            f"expected columns called by the classes' numbers, 0 to {len(columns) - 1}, found {shown(columns[0])} to "
            f"{shown(columns[-1])}: name the classes, classes=list(pred_probs.columns), or {_PLAIN}",
        )


def _kind(path: Path, name: str, kind: Any) -> np.dtype[Any]:
    """The numpy floating-point type of a column."""
    if not pd.api.types.is_float_dtype(kind):
        finding = f"expected floating-point numbers in every column, found {kind} in {shown(name)}"
        raise DataError(path, f"{finding}; leave out what is no probability, and .astype(float) what is one")
    found = kind if isinstance(kind, np.dtype) else getattr(kind, "numpy_dtype", np.dtype(np.float64))
    return np.dtype(found)
