"""Read JSON files, and the names of examples in them.

``label_columns`` and ``label_sets`` read labels.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from app.evaluation.tables.csv_table import CsvTable, TableError, open_text
from app.evaluation.tables.json_rows import LINES, DuplicateKeyError, json_lines, strict_json, table_of
from ingest.errors import DataError, MissingFileError, shown

if TYPE_CHECKING:
    from ingest.manifest.model import KeyKind  # imports pydantic, which ``flag`` does not need

LabelSet = tuple[int, ...]


def read_json(path: Path) -> Any:
    """The content of a JSON file. Refuses an object with a repeated key, which JSON readers otherwise accept."""
    try:
        return strict_json(path.read_text(encoding="utf-8-sig"))
    except DuplicateKeyError as error:
        raise DataError(path, str(error)) from error
    except UnicodeEncodeError as error:
        raise DataError(path, f"expected text, found half a character, which no text has: {error}") from error
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a JSON file, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(path, f"expected JSON, found that it breaks there: {error.msg}", record=where) from error
    except (RecursionError, ValueError) as error:
        raise DataError(path, f"expected plain JSON, found it too deep or a number too long: {error}") from error


@contextmanager
def json_rows(path: Path, expected: str) -> Iterator[CsvTable | Iterator[tuple[int, Any]]]:
    """The rows of a JSON list, or of a file of one value per line: a table if they are objects, else values by
    position.

    ``expected`` says what is in the file. Raises MissingFileError or DataError, also while the rows are read.
    """
    try:
        if path.suffix.lower() in LINES:
            with open_text(path) as stream:
                yield table_of(json_lines(stream), "line")
        else:
            values = read_json(path)
            if not isinstance(values, list):
                raise DataError(path, f"expected {expected}, found {shown(values)}")
            yield table_of(iter(enumerate(values)), "entry")
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a JSON file, found none") from error
    except TableError as error:
        raise DataError(path, error.finding, record=error.record) from error


def read_index(path: Path) -> list[str]:
    """The names of all examples, in order, from a JSON list of texts, or of whole numbers for 0.png and so on."""
    entries = read_json(path)
    if not isinstance(entries, list):
        raise DataError(path, f"expected a list of names, found {shown(entries)}")
    entries = [str(entry) if type(entry) is int else entry for entry in entries]
    for place, entry in enumerate(entries):
        if not isinstance(entry, str) or not entry or "\n" in entry:
            raise DataError(
                path, f"expected a name, as text or a whole number, found {shown(entry)}", record=f"entry {place}"
            )
    return entries


def key_of(entry: str, kind: "KeyKind") -> str:
    """The example's key, reduced from an entry of an index file.

    >>> key_of("val/n01440764/ILSVRC2012_val_00000293.JPEG", "stem")
    'ILSVRC2012_val_00000293'
    >>> key_of("neg/9641_4.txt", "path"), key_of("http://youtu.be/lL-7q3g0k3k?start=140", "youtube")
    ('neg/9641_4', 'lL-7q3g0k3k')
    """
    if kind == "entry":
        return entry
    if kind == "youtube":
        address = urlsplit(entry)
        return parse_qs(address.query).get("v", [address.path.rpartition("/")[2]])[0]
    path = PurePosixPath(entry)
    return path.stem if kind == "stem" else str(path.with_suffix(""))


def keys_of(entries: Sequence[str], kind: "KeyKind", file: Path) -> list[str]:
    """The key of each example. Entries may repeat, but two different entries must not give the same key.

    Raises DataError naming the file.
    """
    keys = [key_of(entry, kind) for entry in entries]
    if kind in ("path", "stem"):
        first: dict[str, int] = {}
        for place, key in enumerate(keys):
            before = first.setdefault(key, place)
            if entries[before] != entries[place]:
                both = f"{shown(entries[before])} (entry {before}) and {shown(entries[place])}"
                finding = f"expected a name of its own for each example, found that {both} both become {shown(key)}"
                raise DataError(file, f'{finding} by examples.key = "{kind}"', record=f"entry {place}")
    return keys
