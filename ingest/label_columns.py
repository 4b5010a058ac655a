"""Columns of labels in files that are texts: one a line, or in a table of separated values.

Blank lines are passed over, as everywhere. Raises DataError naming the file and the line.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.measuring.csv_table import TableError, open_text, read_table
from ingest.errors import DataError, MissingFileError, shown


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank, without their ends."""
    try:
        with open_text(path) as stream:
            return [line.rstrip("\r\n") for line in stream if line.strip()]
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a text file, found none") from error
    except UnicodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error


def read_csv_columns(path: Path, names: Sequence[str]) -> tuple[tuple[str, ...], list[list[str]]]:
    """The columns of a table, without row names that have no name, and its rows.

    ``names`` may be given to say which columns are wanted: all columns come back where none is called so.
    """
    try:
        with open_text(path) as stream:
            table = read_table(stream)
            columns = table.columns or ()
            kept = [place for place, name in enumerate(columns) if name]
            wanted = next((name for name in names if name in columns), None)
            if wanted is not None:
                if columns.count(wanted) > 1:
                    raise DataError(path, f"expected one column {shown(wanted)}, found {columns.count(wanted)}")
                kept = [columns.index(wanted)]
            return tuple(columns[place] for place in kept), [[row[place] for place in kept] for _, row in table.rows]
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a CSV file, found none") from error
    except TableError as error:
        record = None if error.line is None else f"line {error.line}"
        raise DataError(path, error.finding, record=record) from error


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
