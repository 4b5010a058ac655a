"""Columns of labels in files that are texts: one a line, or in a table of separated values.

Blank lines are passed over, as everywhere. Raises DataError naming the file and the line.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from app.measuring.csv_table import CsvTable, Row, TableError, open_text, read_table
from app.measuring.row_names import id_column
from ingest.errors import DataError, MissingFileError, shown
from ingest.row_order import in_order

_QUOTED: Final = re.compile(r'\s*"(?:[^"]|"")*"\s*')


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank, without their ends."""
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
    """Lines without the quotes around them, where they stand around all of them, as R and spreadsheets write.

    >>> _unquoted(['"a"', '"b, c"']), _unquoted(['"c"', 'd'])
    (['a', 'b, c'], ['"c"', 'd'])
    """
    if all(_QUOTED.fullmatch(line) for line in lines):
        return [line.strip()[1:-1].replace('""', '"') for line in lines]
    return lines


def read_csv_columns(path: Path, names: Sequence[str]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The columns of a table, without those that name its rows, and its rows in the order of the examples.

    ``names`` may be given to say which columns are wanted: all columns come back where none is called so, in upper or
    lower case.
    """
    try:
        with open_text(path) as stream:
            table = read_table(stream)
            columns = called(table.columns or (), names)
            row_names = id_column(columns, names)
            kept = [place for place, name in enumerate(columns) if name and name != row_names]
            wanted = next((name for name in names if name in columns), None)
            if wanted is not None:
                if columns.count(wanted) > 1:
                    raise DataError(path, f"expected one column {shown(wanted)}, found {columns.count(wanted)}")
                kept = [columns.index(wanted)]
            rows = [row for _, row in rows_in_order(path, table, row_names)]
            return tuple(columns[place] for place in kept), [[row[place] for place in kept] for row in rows]
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a CSV file, found none") from error
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error


def called(columns: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Columns, one of them under the first of the names that it has but for case; all as they are where one has it.

    >>> called(["id", "Label"], ["labels", "label"]), called(["Label", "label"], ["label"])
    (('id', 'label'), ('Label', 'label'))
    """
    folded = {column.strip().casefold() for column in columns}
    if set(names).isdisjoint(columns) and (name := next((name for name in names if name in folded), None)):
        return tuple(name if column.strip().casefold() == name else column for column in columns)
    return tuple(columns)


def rows_in_order(path: Path, table: CsvTable, row_names: str | None) -> list[Row]:
    """The rows of a table in the order of the examples, which a column may tell. Raises DataError where it does not."""
    rows = list(table.rows)
    if row_names is None:
        return rows
    at = [name.strip() for name in table.columns or ()].index(row_names.strip())
    order = in_order(path, row_names, [row[at] for _, row in rows])
    return rows if order is None else [rows[place] for place in order]


def read_csv_column(
    path: Path, name: str, *, or_only: bool = True, is_value: Callable[[str], bool] = lambda _: False
) -> list[str]:
    """The column of this name, or, where that will do, the only one there is.

    ``is_value`` tells what cannot be the name of a column: a first line that is a row like the others.
    """
    columns, rows = read_csv_columns(path, (name,))
    if columns != (name,) and len(columns) == 1 and is_value(columns[0]):
        finding = f"expected the name of the column, found {shown(columns[0])}, which is a class: put {name} above it"
        raise DataError(path, finding, record="line 1")
    if columns != (name,) and not (or_only and len(columns) == 1):
        found = ", ".join(columns[:10]) or "none"
        raise DataError(path, f"expected a column {shown(name)}, found {found}")
    return [row[0] for row in rows]
