"""Read columns of labels from Parquet files, in the order of the examples given by an optional index."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import DataError, shown
from ingest.labels.label_columns import called
from ingest.labels.record_location import record_location
from ingest.matrices.parquet_order import columns_of_names, order_of


def read_column(path: Path, name: str, *, or_only: bool = True) -> Any:
    """The column of that name, or, if allowed, the only one: whole numbers (an array), or values (a list)."""
    ((_, values),) = read_columns(path, (name,), one=True, or_only=or_only).items()
    return values


def read_columns(path: Path, wanted: Sequence[str], *, one: bool = False, or_only: bool = True) -> dict[str, Any]:
    """The first of the wanted columns that exists, or all columns if none does: whole numbers, or lists of values.

    They are in the order of the examples, which an index may give. Raises DataError if a value is missing, if the index
    is not an order, and if ``one`` is required but there are several columns.
    """
    try:
        with pq.ParquetFile(path) as file:
            stored = file.schema_arrow.names
            twice = next((name for name in stored if stored.count(name) > 1), None)
            if twice is not None:
                raise DataError(path, f"expected columns of different names, found {shown(twice)} more than once")
            row_names = columns_of_names(file, wanted)
            order = order_of(path, file, wanted)
            names = [name for name in stored if name not in row_names]
            spelled = called(names, wanted)
            chosen = next(([names[spelled.index(name)]] for name in wanted if name in spelled), names)
            if one and (len(chosen) != 1 or (not or_only and wanted[0] not in spelled)):
                raise DataError(path, f"expected a column {wanted[0]!r}, found {', '.join(names[:10]) or 'none'}")
            table = file.read(chosen, use_threads=False)
            found = {name: table.column(place).combine_chunks() for place, name in enumerate(chosen)}
    except (pa.ArrowException, OSError) as error:
        raise DataError(path, f"expected a parquet file, found another or a damaged one: {error}") from error
    if order is not None:
        found = {name: column.take(pa.array(order)) for name, column in found.items()}
    for column in found.values():
        if column.null_count:
            place = int(column.is_null().to_numpy(zero_copy_only=False).argmax())
            raise DataError(path, "expected a label, found none", record=record_location(path, place))
    return {
        name: column.to_numpy(zero_copy_only=False) if pa.types.is_integer(column.type) else column.to_pylist()
        for name, column in found.items()
    }
