"""Rows of a table of numbers and categories, in CSV, JSON Lines or Parquet files.

An example is a row by number. The whole table is held in memory, since what is unusual in a row is only known from the
others. Blank lines are not rows.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.csv_table import CsvTable, TableError, open_text, read_table
from app.evaluation.tables.json_rows import LINES, json_lines, table_of
from app.evaluation.tables.number_column import NumberError, numbers
from ingest.errors import shown
from ingest.git_pointers import refuse_pointers
from ingest.manifest.layouts import Options
from ingest.media.items import MediaCountError, MediaError, MediaItem, MediaProblem, MediaSource, Wanted
from ingest.media.layouts.locate import find_table, others, read_options, taken
from ingest.media.layouts.parquet_files import batches, parquet_parts, require_row_order
from ingest.media.layouts.row_numbers import RowNumbers, numbers_rows, require_order

if TYPE_CHECKING:
    import pandas as pd

# pandas is imported where a table is read: other ingests save its 44 MB.

_PATTERNS: Final = tuple(f"*.{kind}" for kind in ("csv", "tsv", "jsonl", "ndjson", "parquet"))
_ROWS: Final = 65_536

#: A column's name, its value in a row (a number, a text or None), and what is unusual about it, or None.
Cell = tuple[str, float | int | str | None, str | None]


def open_row_table(folder: Path, options: Mapping[str, object]) -> "RowTable | None":
    """A CSV, TSV, JSON Lines or Parquet file. Options: path, order, columns, categories, count."""
    told = read_options("row-table", options)
    patterns = told.patterns(_PATTERNS)
    path = find_table(folder, told.path, patterns)
    return None if path is None else RowTable(path, told, others(folder, patterns, path))


def read_rows(
    path: Path, columns: Sequence[str], categories: Sequence[str] = (), *, in_order: bool = False
) -> "pd.DataFrame":
    """The columns of a table, in its order of rows: float64 with NaN, and categories as texts with None.

    Raises MediaError naming the file and the row: for a missing column, for a cell that is no number, and where a
    column of row numbers says that the rows are in another order, unless ``in_order`` says that they are in order.
    """
    import pandas as pd

    is_parquet = path.suffix.lower() == ".parquet"
    cells, lines = (_parquet if is_parquet else _text)(path, columns, in_order)
    frame: dict[str, pd.Series[Any] | NDArray[np.float64]] = {}
    for name in columns:
        if name in categories:
            frame[name] = pd.Series([_category(cell) for cell in cells[name]], dtype=object)
            continue
        try:
            frame[name] = numbers(cells[name])
        except NumberError as error:
            hint = "a column of words belongs to categories in [media]"
            where = f"{lines[error.place]}, column {shown(name)}"
            raise MediaError(path, f"{error}; {hint}", record=where) from error
    return pd.DataFrame(frame, columns=list(columns))


@dataclass(frozen=True)
class RowTable(MediaSource):
    """The rows of a table as media: each a list of its cells, in JSON."""

    path: Path
    told: Options
    beside: Sequence[str] = ()  # other files that could be meant

    @property
    def sources(self) -> Sequence[Path]:
        return parquet_parts(self.path) if self.path.suffix.lower() == ".parquet" else [self.path]

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """All rows; see ``read_rows``."""
        frame = read_rows(self.path, self.told.columns, self.told.categories, in_order=self.told.order is not None)
        if self.told.count is not None and len(frame) != self.told.count:
            raise MediaCountError(self.path, f"expected {self.told.count:,} rows, found {len(frame):,}")
        return frame

    def items(self, wanted: Wanted, workers: int = 1) -> Iterator[MediaItem | MediaProblem]:  # noqa: ARG002 - no work
        for index in sorted(wanted):
            if index < len(self.frame):
                yield row_item(index, self.cells(index))
            else:
                finding = f"expected a row of this index, found {len(self.frame):,} rows"
                yield MediaProblem(index, str(self.path), finding, absent=True)

    def cells(self, index: int) -> list[Cell]:
        """The cells of a row, with nothing marked."""
        return [(name, plain(self.frame[name].iloc[index]), None) for name in self.told.columns]

    def labels(self, keyed: bool = False) -> None:
        """None: label columns are read by ``ingest.labels``."""

    def names(self) -> None:
        """None: one file holds all examples."""

    def notes(self) -> Sequence[str]:
        parts = {part.name for part in self.sources}
        return taken(self.path, [name for name in self.beside if name not in parts])


def row_item(index: int, cells: Sequence[Cell]) -> MediaItem:
    """A row to store, its cells in a line, and the texts among its values to search.

    >>> item = row_item(3, [("age", 91, "above 65"), ("colour", "red", None), ("size", None, None)])
    >>> item.data, item.text, item.words
    (b'[["age",91,"above 65"],["colour","red",null],["size",null,null]]', 'age: 91; colour: red; size: none', 'red')
    """
    data = json.dumps(cells, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    line = "; ".join(f"{name}: {'none' if value is None else value}" for name, value, _ in cells)
    words = " ".join(value for _, value, _ in cells if isinstance(value, str))
    return MediaItem(index, "row", "application/json", None, None, None, data, " ".join(line.split()), words)


def plain(value: Any) -> float | int | str | None:
    """A value of a frame as JSON writes it: whole numbers without a point, None where it is missing."""
    if value is None or isinstance(value, str):
        return value
    number = float(value)
    if number != number:
        return None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _category(cell: Any) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # a column of whole numbers of which some are missing
    text = "" if cell is None or cell != cell else str(cell).strip()
    return text or None


def _text(path: Path, columns: Sequence[str], in_order: bool) -> tuple[dict[str, list[Any]], Sequence[str]]:
    """The cells of each column of a text file, and where each row stands."""
    is_json = path.suffix.lower() in LINES
    refuse_pointers([path], MediaError)
    try:
        with open_text(path) as stream:
            table = table_of(json_lines(stream), "line") if is_json else read_table(stream)
            if not isinstance(table, CsvTable):
                raise TableError("expected an object on each line, found other values")
            return _columns(path, table, columns, in_order)
    except TableError as error:
        raise MediaError(path, error.finding, record=error.record) from error
    except OSError as error:
        raise MediaError(path, f"expected a file that can be read ({error.strerror})") from error


def _columns(
    path: Path, table: CsvTable, columns: Sequence[str], in_order: bool
) -> tuple[dict[str, list[Any]], Sequence[str]]:
    head = table.columns or ()
    for name in columns:
        if head.count(name) != 1:
            found = f"found {head.count(name)} of {shown(list(head), 200)}"
            raise MediaError(path, f"expected one column {shown(name)}, {found}")
    wanted = [(head.index(name), list[Any]()) for name in columns]
    ordering = [(at, RowNumbers(name)) for at, name in enumerate(head) if numbers_rows(name) and name not in columns]
    lines = []
    for line, cells in table.rows:
        lines.append(f"line {line}")
        for at, column in wanted:
            column.append(cells[at])
        for at, numbered in ordering:
            numbered.add([cells[at]])
    if not in_order:
        require_order([numbered for _, numbered in ordering], path)
    return dict(zip(columns, (column for _, column in wanted), strict=True)), lines


def _parquet(path: Path, columns: Sequence[str], in_order: bool) -> tuple[dict[str, list[Any]], Sequence[str]]:
    parts = parquet_parts(path)
    if not in_order:
        require_row_order(parts, "")
    cells: dict[str, list[Any]] = {name: [] for name in columns}
    for batch in batches(parts, list(columns), _ROWS):
        for name in columns:
            cells[name] += batch.column(name).to_pylist()
    return cells, [f"row {row}" for row in range(len(cells[columns[0]]))]
