"""Read columns of labels from text files: one label per line, tables of separated values, or JSON.

Blank lines are skipped, as everywhere. Raises DataError naming the file and the line.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from app.evaluation.tables.class_spelling import whole_number
from app.evaluation.tables.column_meanings import is_label, names_rows
from app.evaluation.tables.csv_table import CsvTable, TableError, open_text, read_table
from app.evaluation.tables.row_names import id_column, places_of
from ingest.errors import DataError, MissingFileError, shown
from ingest.labels.files import json_rows
from ingest.matrices.row_order import in_order

#: Column names, and the cells of each row.
Columns = tuple[tuple[str, ...], list[list[Any]]]

_WHICH: Final = "several of them may be it: say which by --label-column, in a manifest label_column under [files]"
#: A line that begins with a number followed by a separator.
_NUMBERED: Final = re.compile(r" *(\d{1,9}) *([,;:|\t]| ) *(?=\S)", re.ASCII)
_QUOTED: Final = re.compile(r'\s*"(?:[^"]|"")*"\s*')


def read_lines(path: Path) -> list[str]:
    """The non-blank lines of a text file, without line ends."""
    try:
        with open_text(path) as stream:
            return _unquoted([line.rstrip("\r\n") for line in stream if line.strip()])
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a text file, found none") from error
    except UnicodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error


def _unquoted(lines: list[str]) -> list[str]:
    """Lines without their quotes, if all of them are quoted, as R and spreadsheets write them.

    >>> _unquoted(['"a"', '"b, c"']), _unquoted(['"c"', 'd'])
    (['a', 'b, c'], ['"c"', 'd'])
    """
    if all(_QUOTED.fullmatch(line) for line in lines):
        return [line.strip()[1:-1].replace('""', '"') for line in lines]
    return lines


def read_csv_columns(
    path: Path, names: Sequence[str], is_value: Callable[[str], bool] = lambda _: False, n: int | None = None
) -> Columns:
    """The columns of a table, without those that name its rows, and its rows in the order of the examples.

    ``names`` selects columns, ignoring case; all columns are returned if none matches. ``is_value`` tells what cannot
    be the name of a single column: then the first line is a row like the others. ``n`` is the required number of rows,
    if known.
    """
    try:
        with open_text(path) as stream:
            table = read_table(stream)
            found = columns_of(path, table, names)
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a CSV file, found none") from error
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error
    only = found[0][0] if found[0] and len(table.columns or ()) == 1 else ""
    # pandas calls a column without a name 0.
    if is_value(only) and only not in names and not (only == "0" and n == len(found[1])):
        or_name = ", or is what pandas calls a column without a name" if only == "0" else ""
        finding = f"expected the name of the column, found {shown(only)}, which looks like a label{or_name}"
        place = " or in its place" if only == "0" else ""
        raise DataError(path, f"{finding}: put {names[0]} above it{place}", record=f"line {table.first}")
    return found


def columns_of(path: Path, table: CsvTable, names: Sequence[str]) -> Columns:
    """``read_csv_columns`` for an open table. Other columns are not kept. Raises TableError or DataError."""
    columns = called(table.columns or (), names)
    row_names = id_column(columns, names)
    kept = [place for place, name in enumerate(columns) if name and name != row_names]
    wanted = next((name for name in names if name in columns), None)
    if wanted is not None:
        if columns.count(wanted) > 1:
            raise DataError(path, f"expected one column {shown(wanted)}, found {columns.count(wanted)}")
        kept = [columns.index(wanted)]
    if row_names is None:
        at = next((place for place, name in enumerate(columns) if place not in kept and names_rows(name)), None)
    else:
        at = columns.index(row_names)
    rows, ids = [], []
    for _, cells in table.rows:
        rows.append([cells[place] for place in kept])
        if at is not None:
            ids.append(cells[at])
    if row_names is None and at is not None:
        _require_no_order(path, columns[at], ids)
    order = None if row_names is None else in_order(path, row_names, ids)
    named = tuple(columns[place] for place in kept)
    return named, rows if order is None else [rows[place] for place in order]


def _require_no_order(path: Path, column: str, ids: Sequence[Any]) -> None:
    """Refuse a column, not called index, that numbers all rows in another order than theirs."""
    places = places_of(ids, counted=True)
    if places is not None and (places[1:] < places[:-1]).any():
        raise DataError(
            path,
            f"found all numbers of rows in the column {shown(column)}, in another order: call it index, from 0, where "
            "it tells the order, or leave it out where the rows stand in order already",
        )


def called(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Rename the column that matches the first of the names ignoring case; no change if one matches exactly.

    A column of labels may have a synonymous name if no other column does.

    >>> called(["id", "Label"], ["labels", "label"]), called(["Label", "label"], ["label"])
    (('id', 'label'), ('Label', 'label'))
    """
    folded = {column.strip().casefold() for column in columns}
    if set(names).isdisjoint(columns) and (name := next((name for name in names if name in folded), None)):
        return tuple(name if column.strip().casefold() == name else column for column in columns)
    if "label" in names and set(names).isdisjoint(columns):
        likely = [place for place, column in enumerate(columns) if is_label(column)]
        return tuple("label" if likely == [place] else column for place, column in enumerate(columns))
    return tuple(columns)


def places_in_order(path: Path, table: CsvTable) -> list[int]:
    """The lines, or entries, of a table's rows in the order of the examples, which an index column may give."""
    columns = [name.strip() for name in table.columns or ()]
    row_names = id_column(columns)
    if row_names is None:
        return [line for line, _ in table.rows]
    at = columns.index(row_names)
    found = [(line, cells[at]) for line, cells in table.rows]
    order = in_order(path, row_names, [name for _, name in found])
    lines = [line for line, _ in found]
    return lines if order is None else [lines[place] for place in order]


def read_csv_column(
    path: Path,
    name: str,
    *,
    or_only: bool = True,
    is_value: Callable[[str], bool] = lambda _: False,
    n: int | None = None,
) -> list[str]:
    """The column of this name, or, if allowed, the only one there is; see ``read_csv_columns``."""
    return _column(path, read_csv_columns(path, (name,), is_value, n), name, or_only)


def read_json_column(path: Path, name: str, expected: str, *, or_only: bool = True) -> list[Any]:
    """``read_csv_column`` for a list of objects, or objects one per line; otherwise the plain values of the list or
    lines.
    """
    with json_rows(path, expected) as rows:
        if not isinstance(rows, CsvTable):
            return [value for _, value in rows]
        return _column(path, columns_of(path, rows, (name,)), name, or_only)


def _column(path: Path, found: Columns, name: str, or_only: bool) -> list[Any]:
    columns, rows = found
    if columns != (name,) and not (or_only and len(columns) == 1):
        listed = ", ".join(columns[:10]) or "none"
        if columns and all(whole_number(column) is not None for column in columns):
            finding = f"expected a first line that names the columns, one of them {shown(name)}, found {listed}"
            raise DataError(path, finding)
        several = " and ".join(shown(column) for column in columns if name == "label" and is_label(column))
        raise DataError(path, f"expected a column {shown(name)}, found {listed}" + (f"; {_WHICH}" if several else ""))
    return [row[0] for row in rows]


def require_names(path: Path, lines: Sequence[str]) -> None:
    """Refuse lines that are rows of a table instead of one name per line. Raises DataError."""
    where = "write them in a .csv file whose first line names the columns, id,name, or a JSON list of names as they are"
    for rows in (lines, lines[1:]):
        found = [match for line in rows if (match := _NUMBERED.match(line))]
        numbers = [int(match[1]) for match in found]
        blank = all(match[2] == " " for match in found)
        counted = numbers == list(range(len(rows))) or (not blank and numbers == list(range(1, len(rows) + 1)))
        if len(rows) > 1 and counted:
            raise DataError(path, f"expected one name a line, found numbered ones, {shown(rows[0])}: {where}")
    for mark, word in (("\t", "tabs"), ("|", "bars"), (";", "semicolons")):
        if len(lines) > 1 and all(mark in line for line in lines):
            finding = f"expected one name a line, found cells separated by {word}, {shown(lines[0])}: {where}"
            raise DataError(path, finding)
