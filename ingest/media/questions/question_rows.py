"""Rows of question files: CSV with any separator, JSON, JSON Lines or Parquet, one file or all that a pattern names.

A file that is not UTF-8 is read in the one other encoding that the manifest names, and refused without one: nearly any
bytes are text in a wrong encoding.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.csv_table import CsvTable, TableError, read_table
from app.evaluation.tables.json_rows import LINES, json_lines, strict_json, table_of
from ingest.errors import DataError, MissingFileError, shown
from ingest.git_pointers import refuse_pointers
from ingest.media.layouts.parquet_files import batches, parquet_parts

ENDINGS: Final = frozenset({".csv", ".tsv", ".json", ".parquet"}) | LINES
_MOST_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a question file: its cells by column, and where it stands."""

    file: Path
    record: str  # "line 3"
    cells: Mapping[str, Any]

    def error(self, finding: str) -> DataError:
        return DataError(self.file, finding, record=self.record)

    def text(self, column: str) -> str:
        """The text in a column, "" where there is none."""
        value = self.cells.get(column)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class FileRead:
    """How a file was read, for the report."""

    file: Path
    n_rows: int
    separator: str | None  # in a word; None for a file without
    encoding: str


def question_files(folder: Path, pattern: str) -> list[Path]:
    """The files that a path or pattern names, by name. Raises MissingFileError for none."""
    found = sorted(path for path in folder.glob(pattern) if path.is_file() and path.name[0] != ".")
    if not found:
        raise MissingFileError(folder / pattern, "expected a file of questions, found none")
    unfit = next((path for path in found if path.suffix.lower() not in ENDINGS), None)
    if unfit is not None:
        raise DataError(unfit, "expected a .csv, .tsv, .json, .jsonl or .parquet file of questions, found another")
    return found


def file_rows(path: Path, other_encoding: str | None) -> tuple[list[FileRow], FileRead]:
    """All rows of a file, in order. Raises DataError naming file and line."""
    refuse_pointers([path])
    if path.suffix.lower() == ".parquet":
        rows = list(_of_parquet(path))
        return rows, FileRead(path, len(rows), None, "parquet")
    text, encoding = _decoded(path, other_encoding)
    try:
        if path.suffix.lower() in (".csv", ".tsv"):
            table: Any = read_table(io.StringIO(text, newline=""))
            unit = "line"
        elif path.suffix.lower() in LINES:
            table, unit = table_of(json_lines(io.StringIO(text, newline="")), "line"), "line"
        else:
            table, unit = table_of(_entries(path, text), "entry"), "entry"
        if not isinstance(table, CsvTable):
            raise TableError("expected rows that name their columns, found other values")
        columns = table.columns or ()
        twice = next((name for name in columns if name and columns.count(name) > 1), None)
        if twice is not None:
            raise TableError(f"expected columns of different names, found {shown(twice)} more than once")
        rows = [FileRow(path, f"{unit} {line}", dict(zip(columns, cells, strict=True))) for line, cells in table.rows]
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
    return rows, FileRead(path, len(rows), table.separated_by if table.separator else None, encoding)


def _entries(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    try:
        values = strict_json(text)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"expected JSON, found that it breaks: {error}") from error
    if not isinstance(values, list):
        raise DataError(path, f"expected a list of questions, found {shown(values)}")
    return iter(enumerate(values))


def _decoded(path: Path, other: str | None) -> tuple[str, str]:
    if path.stat().st_size > _MOST_BYTES:
        raise DataError(path, f"expected at most {_MOST_BYTES:,} bytes, found {path.stat().st_size:,}")
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        n_before = data.count(b"\n", 0, error.start)
        line = f"line {n_before + 1}"
        odd = f"byte 0x{data[error.start]:02X}"
        if other is None:
            finding = f"expected UTF-8, found {odd}; other_encoding in [media] says in what such a file is written"
            raise DataError(path, finding, record=line) from error
        try:
            return data.decode(other), other
        except UnicodeDecodeError as second:
            raise DataError(path, f"expected UTF-8 or {other}, found {odd}", record=line) from second


def _of_parquet(path: Path) -> Iterator[FileRow]:
    import pyarrow.parquet as parquet

    place = 0
    for part in parquet_parts(path) if path.name.endswith(".parquet") else [path]:
        try:
            names = parquet.read_schema(part).names
        except (OSError, ValueError) as error:
            raise DataError(part, f"expected a Parquet file ({error})") from error
        for batch in batches([part], names, 4_096):
            for cells in batch.to_pylist():
                yield FileRow(part, f"row {place}", cells)
                place += 1
