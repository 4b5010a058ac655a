"""Read a whole table of an unknown meaning: its columns of plain values, and what its file says of the others.

Rows are those that the layouts of media read, in their order: blank lines are none. Files within a table are not read.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from app.evaluation.tables.csv_table import CsvTable, TableError, open_text, read_table
from app.evaluation.tables.json_rows import LINES, json_lines, table_of
from ingest.datasets.survey.file_kinds import content_of
from ingest.errors import DataError, shown
from ingest.git_pointers import refuse_pointers
from ingest.media import MediaError
from ingest.media.layouts.parquet_files import parquet_parts
from ingest.media.layouts.row_numbers import RowNumbers, numbers_rows, require_order

_INFOS: Final = "dataset_infos.json"
SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table; ``files`` are those that hold pictures or sounds, with the kind of these."""

    path: Path
    names: Sequence[str]
    cells: Mapping[str, Sequence[Any]]  # of the columns with plain values
    n_rows: int
    files: Mapping[str, str]
    classes: Mapping[str, Sequence[str]]  # the names of classes, where the file says them
    encoding: str = "utf-8"  # of a text file: as a manifest calls it

    @cached_property
    def texts(self) -> frozenset[str]:
        """The columns in which a value is a text."""
        return frozenset(name for name, cells in self.cells.items() if any(isinstance(cell, str) for cell in cells))

    @cached_property
    def is_renumbered(self) -> bool:
        """Whether a column numbers the rows in another order than theirs."""
        columns = []
        for name in filter(numbers_rows, self.cells):
            columns.append(RowNumbers(name))
            columns[-1].add(self.cells[name])
        try:
            require_order(columns, self.path)
        except MediaError:
            return True
        return False


def read_columns_of(path: Path) -> TableColumns:
    """All of a table in a CSV, JSON Lines or Parquet file. Raises DataError naming the file and the row."""
    if path.suffix.lower() == ".parquet":
        return _parquet(path)
    refuse_pointers([path])
    try:
        with open_text(path) as stream:
            table = table_of(json_lines(stream), "line") if path.suffix.lower() in LINES else read_table(stream)
            if not isinstance(table, CsvTable):
                raise TableError("expected an object on each line, found other values")
            return replace(_text(path, table), encoding=_encoding(stream))
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error


def _text(path: Path, table: CsvTable) -> TableColumns:
    names = [name.strip() for name in table.columns or ()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(path, f"expected columns of different names, found {shown(twice)} more than once")
    columns = list[list[Any]]([] for _ in names)
    for _, cells in table.rows:
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
    plain = {name: column for name, column in zip(names, columns, strict=True) if _is_plain(column)}
    return TableColumns(path, names, plain, len(columns[0]) if columns else 0, {}, {})


def _encoding(stream: TextIO) -> str:
    """How a file is encoded that ``open_text`` opened; its mark says so."""
    return "utf-16" if "16" in stream.encoding else "utf-8"


def _is_plain(cells: Sequence[Any]) -> bool:
    return not any(isinstance(cell, list | dict) for cell in cells)


def _parquet(path: Path) -> TableColumns:
    parts = parquet_parts(path)
    refuse_pointers(parts)
    try:
        with pq.ParquetFile(parts[0]) as file:
            schema = file.schema_arrow
        plain = [field.name for field in schema if not _holds_files(field.type) and not pa.types.is_nested(field.type)]
        cells: dict[str, list[Any]] = {name: [] for name in plain}
        n_rows = 0
        for part in parts:
            table = pq.read_table(part, columns=plain, use_threads=False, partitioning=None)
            n_rows += pq.read_metadata(part).num_rows
            for name in plain:
                cells[name] += table.column(name).to_pylist()
        files = {field.name: _kind(parts[0], field.name) for field in schema if _holds_files(field.type)}
    except (pa.ArrowException, OSError, KeyError) as error:
        raise DataError(path, f"expected a Parquet table, found another or a damaged one: {error}") from error
    named = _class_names(schema) or _class_names_beside(path)
    classes = {name: found for name, found in named.items() if name in cells}
    return TableColumns(path, schema.names, cells, n_rows, files, classes)


def _holds_files(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return "bytes" in [kind.field(place).name for place in range(kind.num_fields)]
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _kind(path: Path, column: str) -> str:
    """What the first file in a column is."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=8, columns=[column], use_threads=False):
            for value in batch.column(0).to_pylist():
                data = value.get("bytes") if isinstance(value, dict) else value
                if data:
                    return content_of(data[:512]).kind
    return "other"


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """The names that Hugging Face stores with columns of class numbers."""
    try:
        return _of_features(json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _class_names_beside(path: Path) -> dict[str, list[str]]:
    """The same from ``dataset_infos.json``, which older datasets of Hugging Face have in their folder or above it.

    Of several configurations all that name classes must name the same ones.
    """
    file = next((one for above in path.parents[:2] if (one := above / _INFOS).is_file()), None)
    if file is None:
        return {}
    try:
        infos = json.loads(file.read_text(encoding="utf-8"))
        told = [_of_features(info["features"]) for info in infos.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    named = [names for names in told if names]
    return named[0] if named and all(names == named[0] for names in named) else {}


def _of_features(features: Mapping[str, Any]) -> dict[str, list[str]]:
    found = {name: told["names"] for name, told in features.items() if told.get("_type") == "ClassLabel"}
    return {name: names for name, names in found.items() if names and all(isinstance(one, str) for one in names)}
