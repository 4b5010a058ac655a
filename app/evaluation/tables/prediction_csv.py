"""Read predictions from CSV: recognise the form of the table, and convert cells of scores to numbers.

Numbers use a decimal point, or all of them a decimal comma if cells are not separated by commas. Thousands separators
are refused, because they cannot be told from decimal marks. Raises UploadError.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Ranked
from app.evaluation.prediction_rows import PredictionRows, Target, UploadError, short
from app.evaluation.tables.class_spelling import whole_number
from app.evaluation.tables.csv_table import CsvTable, Row, TableError, open_text, read_table
from app.evaluation.tables.prediction_columns import Layout, layout

_THOUSANDS: Final = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_CELLS: Final = 2_000_000  # in a block


def read_csv(path: Path, target: Target) -> Ranked:
    """(n, k) predictions of a CSV file, most probable class first, in the order of the test set."""
    try:
        with open_text(path) as stream:
            table = read_table(stream, lambda names: _is_header(names, target))
            if table.width > target.n_classes + 22:
                raise UploadError(f"expected at most {target.n_classes + 1} columns, found {table.width:,}")
            return _gathered(table, target)
    except TableError as error:
        raise UploadError(f"the table cannot be read: {error}") from error


def _gathered(table: CsvTable, target: Target) -> Ranked:
    if table.columns is None:
        first = next(table.rows)
        shape = _headless(first[1], target)
        blocks = _blocks(table, [first])
    else:
        shape = _named(table, target)
        blocks = _blocks(table, [])
    scores = _Scores(table, shape.values) if shape.scores else None
    gathered = PredictionRows(target, shape.by)
    for rows in blocks:
        values = _texts(rows, shape.values) if scores is None else scores.read(rows)
        ids = None if shape.id_column is None else [cells[shape.id_column] for _, cells in rows]
        gathered.add(values, ids, shape.scores)
    if not gathered.n_rows:
        raise UploadError(f"expected {target.n:,} rows behind the header, found none")
    if table.columns is not None and shape.by is None and gathered.n_rows == target.n - 1:
        columns = short(", ".join(table.columns))
        raise UploadError(
            f"expected {target.n:,} rows below the first line, which names the columns; found {gathered.n_rows:,} "
            f"below {columns}"
        )
    return gathered.aligned()


def _blocks(table: CsvTable, first: list[Row]) -> Iterator[list[Row]]:
    height = max(1, _CELLS // table.width)
    while rows := first + list(islice(table.rows, height)):
        yield rows
        first = []


def _texts(rows: Sequence[Row], columns: Sequence[int]) -> NDArray[Any]:
    found = np.empty((len(rows), len(columns)), object)
    for place, column in enumerate(columns):
        found[:, place] = [cells[column] for _, cells in rows]
    return found


def _named(table: CsvTable, target: Target) -> Layout:
    columns = table.columns or ()
    try:
        return layout(columns, target)
    except UploadError as error:
        # A decimal comma makes two cells of one where commas separate.
        by = f"; the table was read as separated by {table.separated_by}"
        raise UploadError(f"{error}{by if len(columns) > 1 else ''}") from error


def _is_header(names: Sequence[str], target: Target) -> bool:
    """Whether the first row names columns: where it is not all numbers, or these are all the classes."""
    if not all(map(_is_number, names)):
        return True
    numbers = [str(class_id) for class_id in range(target.n_classes)]
    return target.n_classes > 1 and sorted(names) in (sorted(numbers), sorted(target.class_names))


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _headless(first: Sequence[str], target: Target) -> Layout:
    """Columns without names: scores where they are fractions, one a class, else ranked classes."""
    width = len(first)
    if width == target.n_classes > 1:
        if all(whole_number(cell) is not None for cell in first):
            raise UploadError(
                f"expected names of columns in the first line, for {width} whole numbers a row can be ranked classes "
                f"or scores of {width} classes; found {short(', '.join(first))}{_from_one(first)}"
            )
        return Layout(None, None, tuple(range(width)), scores=True)
    return layout([f"top {place + 1}" for place in range(width)], target)


def _from_one(first: Sequence[str]) -> str:
    counted = [cell.strip() for cell in first] == [str(number) for number in range(1, len(first) + 1)]
    return "; the columns look counted from 1, and classes are counted from 0" if counted else ""


def _may_be_thousands(cells: Sequence[str]) -> bool:
    """Whether all marks in a row stand as those of thousands do, beside whole numbers above 1 that have none.

    >>> _may_be_thousands(["1.000", "999"]), _may_be_thousands(["1.000", "0"]), _may_be_thousands(["1.5", "2.000", "3"])
    (True, False, False)
    """
    marked = [cell.strip() for cell in cells if "." in cell]
    whole = [whole_number(cell) for cell in cells if "." not in cell]
    return (
        bool(marked)
        and all(map(_THOUSANDS.fullmatch, marked))
        and any(number is not None and abs(number) > 1 for number in whole)
    )


class _Scores:
    """Cells as numbers, with one decimal mark in the whole table."""

    def __init__(self, table: CsvTable, columns: Sequence[int]) -> None:
        self._table = table
        self._columns = columns
        self._marks: set[str] = set()

    def read(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """(r, m) the scores of some rows, by class."""
        texts = [self._with_points(line, cells) for line, cells in rows]
        try:
            return np.array(texts, np.float64)
        except ValueError:
            line, cells = next((line, cells) for line, cells in rows if not self._all_numbers(cells))
            raise self._no_number(line, cells) from None

    def _with_points(self, line: int, cells: list[str]) -> list[str]:
        """The scores of a row, with points as decimal marks."""
        scores = [cells[column] for column in self._columns]
        joined = " ".join(scores)
        if "_" in joined:  # which Python takes for a part of a number
            raise self._no_number(line, cells)
        if self._table.separator == ",":
            return scores
        self._marks.update(mark for mark in ".," if mark in joined)
        if len(self._marks) > 1:
            raise UploadError(
                f"line {line}: expected one decimal mark in all numbers, found points and commas; thousands are "
                "written without a mark"
            )
        points = [cell.replace(",", ".") for cell in scores] if "," in joined else scores
        if _may_be_thousands(points):
            raise UploadError(
                f"line {line}: found {short(', '.join(scores))}, where a mark before three digits may be one of "
                "thousands; write thousands without a mark, and decimals with more or fewer digits"
            )
        return points

    def _all_numbers(self, cells: Sequence[str]) -> bool:
        return all(self._fits(cells[column]) for column in self._columns)

    def _fits(self, cell: str) -> bool:
        return _is_number(cell) and "_" not in cell and not ("," in cell and self._table.separator == ",")

    def _no_number(self, line: int, cells: Sequence[str]) -> UploadError:
        column, cell = next((column, cells[column]) for column in self._columns if not self._fits(cells[column]))
        name = "" if self._table.columns is None else f" in column {short(self._table.columns[column])}"
        finding = f"line {line}: expected a number{name}, found {short(cell)}"
        if "," in cell:
            finding += "; decimals are written with a point where commas separate, thousands without a mark"
        return UploadError(finding)
