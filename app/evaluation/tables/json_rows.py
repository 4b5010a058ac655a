"""Read rows from JSON: a list, or one row on each line (.jsonl); objects become a table of their fields.

Lines are read one at a time, so memory use depends only on what is kept. Raises TableError.
"""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, TextIO

from app.evaluation.tables.csv_table import CsvTable, TableError

#: How files of one value a line are called.
LINES: Final = frozenset({".jsonl", ".ndjson"})
#: The longest line, in characters.
_MOST_LINE: Final = 10_000_000


class DuplicateKeyError(ValueError):
    """An object that says one key twice, which readers of JSON otherwise forget."""

    def __init__(self, key: str) -> None:
        super().__init__(f"expected each key once in an object, found {_short(key)} twice")


def strict_json(text: str) -> Any:
    """What JSON says. Raises DuplicateKeyError, or another ValueError or RecursionError for what is no plain JSON.

    >>> strict_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    app.evaluation.tables.json_rows.DuplicateKeyError: expected each key once in an object, found 'a' twice
    """
    values = json.loads(text, object_pairs_hook=_unique)
    if "\\ud" in text.casefold():
        json.dumps(values, ensure_ascii=False).encode()  # half a character, which no text has
    return values


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise DuplicateKeyError(key)
        values[key] = value
    return values


def json_lines(stream: TextIO) -> Iterator[tuple[int, Any]]:
    """The values of lines that are not blank, with their lines, counted from 1."""
    for number, line in enumerate(_lines(stream), start=1):
        if not line.strip():
            continue
        try:
            value = strict_json(line)
        except json.JSONDecodeError as error:
            finding = f"expected one value of JSON a line, found that it breaks at column {error.colno}: {error.msg}"
            raise TableError(finding, f"line {number}") from error
        except DuplicateKeyError as error:
            raise TableError(str(error), f"line {number}") from error
        except (RecursionError, ValueError) as error:
            finding = "expected plain JSON, found it too deep, a number too long or half a character"
            raise TableError(finding, f"line {number}") from error
        yield number, value


def _lines(stream: TextIO) -> Iterator[str]:
    try:
        while line := stream.readline(_MOST_LINE):
            if len(line) == _MOST_LINE:
                raise TableError(f"expected lines of less than {_MOST_LINE:,} characters, found a longer one")
            yield line
    except UnicodeError as error:
        raise TableError(f"expected JSON in UTF-8, found other text ({error})") from error


def table_of(rows: Iterator[tuple[int, Any]], unit: str) -> CsvTable | Iterator[tuple[int, Any]]:
    """The table of rows that are objects, all of the same fields; the rows as they are where the first is none.

    ``unit`` is what rows are counted by, "line" or "entry".

    >>> table = table_of(iter(enumerate([{"file": "a.png", "label": "cat"}])), "entry")
    >>> table.columns, list(table.rows)
    (('file', 'label'), [(0, ['a.png', 'cat'])])
    """
    first = next(rows, None)
    if first is None:
        return rows
    rows = chain([first], rows)
    if not isinstance(first[1], dict):
        return rows
    columns = tuple(first[1])
    return CsvTable(columns, len(columns), "", _cells(rows, columns, unit, first[0]), first[0])


def _cells(
    rows: Iterator[tuple[int, Any]], columns: tuple[str, ...], unit: str, setting: int
) -> Iterator[tuple[int, list[Any]]]:
    fields = set(columns)
    for place, value in rows:
        if not isinstance(value, dict):
            raise TableError(f"expected an object as in {unit} {setting}, found {_short(value)}", f"{unit} {place}")
        if value.keys() != fields:
            lacking = next((name for name in columns if name not in value), None)
            if lacking is not None:
                finding = f"expected a field {_short(lacking)} as in {unit} {setting}, found none"
            else:
                more = next(name for name in value if name not in fields)
                finding = f"expected the fields of {unit} {setting}, found {_short(more)} beside them"
            raise TableError(finding, f"{unit} {place}")
        yield place, [value[name] for name in columns]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
