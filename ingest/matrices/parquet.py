"""Parquet files as parts of a matrix: a column for each class, or one column of lists of equal length.

Rows are read in batches; reading can only begin at a row group. Missing values are refused, naming the row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassesAre
from ingest.errors import DataError, MissingFileError
from ingest.matrices.class_columns import in_class_order
from ingest.matrices.parquet_order import require_order


@dataclass(frozen=True)
class ParquetPart:
    """(n, m) numbers in a parquet file. ``cuts`` are the first rows of its row groups, and n."""

    path: Path
    columns: tuple[str, ...]
    lists: bool
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    cuts: tuple[int, ...]
    others: tuple[str, ...] = ()  # columns of texts and whole numbers, which may name the rows

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """The rows from ``start`` to ``stop``, at most ``height`` at a time."""
        groups = [
            group for group in range(len(self.cuts) - 1) if self.cuts[group] < stop and self.cuts[group + 1] > start
        ]
        first = self.cuts[groups[0]] if groups else start
        try:
            with pq.ParquetFile(self.path, buffer_size=1 << 16, pre_buffer=False) as file:
                for batch in file.iter_batches(height, groups, list(self.columns), use_threads=False):
                    kept = batch.slice(max(0, start - first), max(0, stop - max(first, start)))
                    if kept.num_rows:
                        yield max(first, start), self._rows(kept, max(first, start))
                    first += batch.num_rows
                    if first >= stop:
                        return
        except (pa.ArrowException, OSError) as error:
            raise DataError(self.path, f"expected a sound parquet file: {error}") from error
        raise DataError(self.path, f"expected {stop} rows, found {first}: it changed while it was read")

    def _rows(self, batch: Any, first: int) -> NDArray[Any]:
        block = np.empty((batch.num_rows, self.shape[1]), self.dtype)
        if self.lists:
            array = batch.column(0)
            self._require_values(array, first)
            values = array.flatten()
            if len(values) != block.size or not pa.types.is_fixed_size_list(array.type):
                self._require_lengths(array, first)
            if values.null_count:
                self._require_values(values, first, self.shape[1])
            block[:] = values.to_numpy(zero_copy_only=False).reshape(block.shape)
        else:
            for column in range(self.shape[1]):
                self._require_values(batch.column(column), first)
                block[:, column] = batch.column(column).to_numpy(zero_copy_only=False)
        return block

    def _require_values(self, array: Any, first: int, width: int = 1) -> None:
        if array.null_count:
            place = array.is_null().to_numpy(zero_copy_only=False).argmax()
            raise DataError(self.path, "expected a probability, found none", record=f"row {first + place // width}")

    def _require_lengths(self, array: Any, first: int) -> None:
        lengths = array.value_lengths().to_numpy(zero_copy_only=False)
        wrong = np.flatnonzero(lengths != self.shape[1])
        if len(wrong):
            finding = f"expected a list of {self.shape[1]} probabilities, found {lengths[wrong[0]]}"
            raise DataError(self.path, finding, record=f"row {first + wrong[0]}")


def open_parquet(
    path: Path, names: Sequence[str] | None = None, classes_are: ClassesAre | None = None, before: int = 0
) -> ParquetPart:
    """The matrix in a parquet file: its one column of lists of numbers, or else all its floating-point columns.

    Columns named by the ``names`` or numbers of the classes are used in class order, others in file order. Raises
    DataError for any other file, if only some columns are named by classes, and if an index puts the rows in another
    order; it may continue from the ``before`` rows of other parts.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a .parquet file, found none")
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
            cuts = np.cumsum([0] + [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)])
            row_names = require_order(path, file, names or (), before)
            lists = [field for field in schema if _is_list(field.type) and pa.types.is_floating(field.type.value_type)]
            if len(lists) == 1:
                columns: tuple[str, ...] = (lists[0].name,)
                kinds = {lists[0].type.value_type}
                width = _list_width(file, columns[0])
            else:
                floats = [field for field in schema if pa.types.is_floating(field.type) and field.name not in row_names]
                columns = in_class_order(path, [field.name for field in floats], names, classes_are)
                kinds = {field.type for field in floats if field.name in columns}
                width = len(columns)
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"expected a parquet file, found another or a damaged one: {error}") from error
    if not columns or len(set(columns)) < len(columns):
        found = ", ".join(schema.names[:10]) or "none"
        raise DataError(path, f"expected a floating-point column a class, or one of lists, found columns {found}")
    dtype = np.result_type(*(kind.to_pandas_dtype() for kind in kinds))
    shape = (int(cuts[-1]), width)
    others = tuple(field.name for field in schema if _may_name(field.type))
    return ParquetPart(path, columns, len(lists) == 1, shape, dtype, tuple(int(cut) for cut in cuts), others)


def _may_name(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind))


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _list_width(file: Any, column: str) -> int:
    for batch in file.iter_batches(1, columns=[column], use_threads=False):
        first = batch.column(0)[0].as_py()
        return 0 if first is None else len(first)
    return 0
