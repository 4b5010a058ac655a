"""Describe the position of an example in a label file, and what is wrong with a label.

Examples are counted from 0, as everywhere here, and the lines of a file from 1, as in every editor.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassSpelling, whole_number
from app.evaluation.tables.csv_table import CsvTable, open_text, read_table, separated_hint
from app.evaluation.tables.json_rows import LINES
from ingest.errors import shown
from ingest.labels.files import json_rows
from ingest.labels.label_columns import places_in_order

_ROWS: Final = frozenset({".npy", ".npz"})
JSON: Final = frozenset({".json"}) | LINES
SEPARATED: Final = frozenset({".csv", ".tsv"})


def record_location(path: Path, place: int) -> str:
    """The position of an example, for a DataError; text files are read again, because lines may be blank and cells
    multi-line.

    >>> record_location(Path("labels.npy"), 4), record_location(Path("labels.json"), 4)
    ('example 4 (row 4, counted from 0)', 'example 4 (entry 4, counted from 0)')
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return f"example {place} (entry {_of_json(path, place)}, counted from 0)"
    if suffix in LINES:
        return f"example {place} (line {_of_json(path, place)})"
    if suffix in (".parquet", ".pq"):
        from ingest.matrices.parquet_order import row_of  # slow to import

        return f"example {place} (row {row_of(path, place)}, counted from 0)"
    if suffix in _ROWS:
        return f"example {place} (row {place}, counted from 0)"
    return f"example {place} (line {_line_of(path, place)})"


def _line_of(path: Path, place: int) -> int:
    """The line of a row below the header, or of a non-blank line."""
    with open_text(path) as stream:
        if path.suffix.lower() in SEPARATED:
            lines = iter(places_in_order(path, read_table(stream)))
        else:
            lines = (line for line, text in enumerate(stream, start=1) if text.strip())
        return next(islice(lines, place, None), place + 1)


def _of_json(path: Path, place: int) -> int:
    """The list entry, or the line, of an example."""
    if not path.is_file():
        return place
    with json_rows(path, "a list") as rows:
        places = places_in_order(path, rows) if isinstance(rows, CsvTable) else [number for number, _ in rows]
    return places[place]


def outside(label: int, n_classes: int, labels: NDArray[np.integer]) -> str:
    """The message for a label out of range; ``labels`` are others of its file, which show whether they are counted from
    1.

    >>> outside(7, 3, np.array([0, 7])), outside(3, 3, np.array([1, 2, 3]))[:46]
    ('expected a class from 0 to 2, found 7', 'expected a class from 0 to 2, found 3; classes')
    """
    finding = f"expected a class from 0 to {n_classes - 1}, found {label}"
    from_one = n_classes > 1 and labels.min() == 1 and labels.max() == n_classes
    return f"{finding}; classes are counted from 0, and these labels look counted from 1" if from_one else finding


def _some(names: Sequence[str]) -> str:
    """The first and the last of the class names.

    >>> _some(["1", "2", "3"]), _some(["1"])
    ("'1' to '3'", "'1'")
    """
    return shown(names[0]) if len(names) == 1 else f"{shown(names[0])} to {shown(names[-1])}"


def no_class(text: str, texts: Sequence[str], spelling: ClassSpelling, *, sets: bool = False) -> str:
    """The message for a text that is not a class; ``texts`` are others of its file."""
    number = whole_number(text)
    if number is not None and spelling.said is None and any(whole_number(name) is not None for name in spelling.names):
        return (
            f"expected the name of a class, {_some(spelling.names)}, or its number from 0 to {spelling.n_classes - 1}, "
            f"found {shown(text)}"
        )
    if number is not None and spelling.said != "names":
        numbers = [found for other in dict.fromkeys(texts) if (found := whole_number(other)) is not None]
        return outside(number, spelling.n_classes, np.array(numbers))
    needed = "the number of a class (names need --classes; in Python, classes)"
    expected = "the name of a class or its number" if spelling.names else needed
    if spelling.said is not None:
        expected = f"the {'name' if spelling.said == 'names' else 'number'} of a class"
    hint = separated_hint(text, spelling.known)
    if hint and sets:
        hint = "; labels of a set are joined by | or ; in a cell, in JSON they are a list"
    if not hint and text.strip().casefold() in ("label", "labels", "class"):
        hint = "; columns are named in the first line of .csv and .tsv files alone"
    return f"expected {expected}, found {shown(text)}{hint}"
