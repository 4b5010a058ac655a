"""The order of the rows of a Parquet file, from a column ``index`` or from the index pandas stores.

Labels are read in that order. A matrix is read in blocks, so its rows must be in order already.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.evaluation.tables.row_names import id_column, places_of, stored_index
from ingest.errors import DataError
from ingest.matrices.row_order import in_order


def columns_of_names(file: Any, kept: Sequence[str]) -> list[str]:
    """The columns of a file that only name its rows; never one of ``kept``."""
    stored = stored_index(file.schema_arrow.metadata)
    column = id_column(file.schema_arrow.names, kept)
    named = [name for name in stored.columns if name in file.schema_arrow.names and name not in kept]
    return list(dict.fromkeys([*([] if column is None else [column]), *named]))


def order_of(path: Path, file: Any, kept: Sequence[str]) -> NDArray[np.int64] | None:
    """(n,) the row of each example; None if rows are in order. Raises DataError if their names are not an order."""
    columns = columns_of_names(file, kept)
    if columns:
        return in_order(path, columns[0], file.read(columns[:1], use_threads=False).column(0).to_pylist())
    steps = stored_index(file.schema_arrow.metadata).steps
    if steps is None or steps == range(file.metadata.num_rows):
        return None
    return in_order(path, "", steps)


def row_of(path: Path, example: int) -> int:
    """The row of an example, in a file that can be read."""
    with pq.ParquetFile(path) as file:
        order = order_of(path, file, ())
    return example if order is None else int(order[example])


def require_same_order(first: Sequence[Path], others: Sequence[Path], columns: Sequence[str]) -> None:
    """Refuse rows of another model that have the same names as the first's in another order. Raises DataError.

    ``columns``, which both have, name rows where all their values differ.
    """
    for column in columns:
        known, found = (_names(paths, column) for paths in (first, others))
        if known.equals(found) or pc.count_distinct(known).as_py() < len(known):
            continue
        if not pc.all(pc.is_in(found, value_set=known)).as_py() or pc.count_distinct(found).as_py() < len(found):
            continue
        row = pc.index(pc.equal(known, found), False).as_py()
        finding = f"expected {known[row].as_py()!r} in the column {column}, as in {first[0]}, found"
        hint = "rows of all models must be in one order; where they are, take the column out"
        raise DataError(others[0], f"{finding} {found[row].as_py()!r}: {hint}", record=f"row {row}")


def _names(paths: Sequence[Path], column: str) -> Any:
    """The values of a column as texts, of files from top to bottom."""
    found = [pq.read_table(path, columns=[column]).column(0).cast(pa.large_string()) for path in paths]
    return pa.concat_arrays([chunk for one in found for chunk in one.chunks])


def require_order(path: Path, file: Any, kept: Sequence[str], before: int) -> list[str]:
    """Require that row names count the rows from 0 or on from the rows ``before``, and return their columns; else
    DataError.
    """
    n = file.metadata.num_rows
    columns = columns_of_names(file, kept)
    if columns:
        names: Any = file.read(columns[:1], use_threads=False).column(0).to_numpy()
    else:
        names = stored_index(file.schema_arrow.metadata).steps or range(n)
    called = columns[0] if columns else ""
    is_column = called.strip().casefold() == "index" and called not in stored_index(file.schema_arrow.metadata).columns
    starts = {0, before} if is_column else {0, before, 1}
    if n == 0 or (names[0] in starts and np.array_equal(names, np.arange(names[0], names[0] + n))):
        return columns
    frame = f"pd.read_parquet({path.name!r})"
    if places_of(names, counted=not is_column) is None:
        mended = f"drop(columns={called!r})" if is_column else "reset_index(drop=True)"
        hint = f"where the rows stand in order, {frame}.{mended}.to_parquet({path.name!r}) takes it out"
    else:
        mended = f"sort_values({called!r})" if is_column else "sort_index()"
        hint = f"{frame}.{mended}.reset_index(drop=True).to_parquet({path.name!r}) sorts them"
    row = next((row for row, name in enumerate(names) if name != row), 0)
    by = f"the column {called}" if is_column else "the index of pandas"
    name = names[row].item() if isinstance(names[row], np.generic) else names[row]
    finding = f"expected rows in the order of the examples, found {name!r} in {by}: {hint}"
    raise DataError(path, finding, record=f"row {row}")
