"""Read sets of labels, one set per example, from a file of any supported format.

Files: .json (a list of lists, or of objects), .jsonl (one per line), .npy (an object array of arrays or lists),
.parquet (a column of lists), .csv (a column of cells with labels joined by | or ;, or a JSON list; an empty cell is an
empty set). The column is "labels", "label", or the only one. Alternatively a 0 or 1 for each class: an (n, m) .npy
file, or one column per class, named after it.

Labels stored as numbers are class numbers, from 0; whether texts are names or numbers is decided from all of them
together, see ``class_spelling``. Pickles are only read by ``safe_pickle``.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import AmbiguousClassError, ClassesAre, ClassSpelling, UnknownClassError
from app.evaluation.tables.csv_table import CsvTable
from ingest.errors import HOW_CLASSES_ARE, DataError, MissingFileError, shown
from ingest.labels.files import LabelSet, json_rows
from ingest.labels.label_columns import Columns, columns_of, read_csv_columns
from ingest.labels.record_location import JSON, SEPARATED, no_class, outside, record_location
from ingest.labels.safe_pickle import load_arrays
from ingest.matrices.npy import open_array, read_header

_COLUMNS: Final = ("labels", "label")


def read_label_sets(
    path: Path,
    n_classes: int,
    names: Sequence[str] = (),
    classes_are: ClassesAre | None = None,
    *,
    column: str | None = None,
    n: int | None = None,
) -> list[LabelSet]:
    """The label set of each example, ascending, without repetition. Raises MissingFileError or DataError."""
    spelling = ClassSpelling(n_classes, tuple(names), classes_are)
    suffix = path.suffix.lower()
    wanted = _COLUMNS if column is None else (column,)
    if suffix != ".json" and not path.is_file():
        raise MissingFileError(path, "expected a file of label sets, found none")
    if suffix in JSON:
        listed = _of_json(path, spelling, wanted)
    elif suffix in (".parquet", ".pq"):
        listed = _of_parquet(path, spelling, wanted)
    elif suffix in SEPARATED:
        columns = read_csv_columns(path, wanted, lambda text: _is_set(text, spelling), n)
        listed = _of_columns(path, columns, spelling, wanted)
    elif suffix == ".npy":
        listed = _of_npy(path, n_classes)
    else:
        raise DataError(path, "expected sets of labels in a .json, .jsonl, .npy, .parquet or .csv file")
    sets = [_members(path, place, labels) for place, labels in enumerate(listed)]
    ids = _ids(path, sets, spelling)
    return [_label_set(path, place, labels, ids, n_classes) for place, labels in enumerate(sets)]


def _ids(path: Path, sets: Sequence[list[int | str]], spelling: ClassSpelling) -> dict[str, int]:
    """The classes of all texts in the file."""
    texts = list(dict.fromkeys(label for labels in sets for label in labels if isinstance(label, str)))
    try:
        return spelling.ids(texts)
    except AmbiguousClassError as error:
        raise DataError(path, f"{error}: {HOW_CLASSES_ARE}") from error
    except UnknownClassError as error:
        place = next(place for place, labels in enumerate(sets) if error.text in labels)
        raise DataError(
            path, no_class(error.text, texts, spelling, sets=True), record=record_location(path, place)
        ) from error


def _label_set(path: Path, place: int, labels: Sequence[int | str], ids: dict[str, int], n_classes: int) -> LabelSet:
    label_set = tuple(sorted({ids[label] if isinstance(label, str) else label for label in labels}))
    for label in label_set:
        if not 0 <= label < n_classes:
            raise DataError(path, outside(label, n_classes, np.array(label_set)), record=record_location(path, place))
    return label_set


def _members(path: Path, place: int, labels: object) -> list[int | str]:
    """The labels of a set as whole numbers and texts."""
    found = labels.tolist() if isinstance(labels, np.ndarray) and labels.ndim == 1 else labels
    members: list[int | str] = []
    for label in found if isinstance(found, list | tuple) else [None]:
        if isinstance(label, str) or (isinstance(label, int) and not isinstance(label, bool)):
            members.append(label)
        elif isinstance(label, float) and label.is_integer() and abs(label) < 1 << 53:
            members.append(int(label))
        else:
            finding = f"expected class numbers, as an array or a list, found {shown(labels)}"
            raise DataError(path, finding, record=record_location(path, place))
    return members


def _of_npy(path: Path, n_classes: int) -> Sequence[object]:
    with path.open("rb") as stream:
        header = read_header(path, stream)
    if not header.dtype.hasobject:
        indicators = open_array(path)
        if indicators.ndim != 2 or indicators.shape[1] != n_classes:
            finding = f"expected a set of class numbers an example, or shape (n, {n_classes}) of 0 and 1"
            raise DataError(path, f"{finding}, found shape {indicators.shape} of {indicators.dtype}")
        return _of_indicators(path, indicators)
    with path.open("rb") as stream:
        loaded = load_arrays(stream, str(path))
    if isinstance(loaded, np.ndarray) and loaded.ndim == 2:
        loaded = np.fromiter(loaded.tolist(), dtype=object)  # the result of numpy for lists of equal length
    if not isinstance(loaded, np.ndarray) or loaded.ndim != 1 or len(loaded) == 0:
        raise DataError(path, f"expected an (n,) array of label sets, found {shown(loaded)}")
    return list(loaded)


def _of_indicators(path: Path, indicators: NDArray[Any]) -> list[list[int]]:
    wrong = np.argwhere((indicators != 0) & (indicators != 1))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            path, f"expected 0 or 1, found {indicators[row, column]}", record=record_location(path, int(row))
        )
    return [np.flatnonzero(row).tolist() for row in indicators]


def _of_json(path: Path, spelling: ClassSpelling, wanted: Sequence[str]) -> Sequence[object]:
    expected = "a list of lists of class numbers"
    with json_rows(path, expected) as rows:
        if isinstance(rows, CsvTable):
            return _of_columns(path, columns_of(path, rows, wanted), spelling, wanted)
        listed = [labels for _, labels in rows]
    if not listed:
        raise DataError(path, f"expected {expected}, found none")
    return listed


def _is_set(text: str, spelling: ClassSpelling) -> bool:
    """Whether a text can be a label set rather than a column name."""
    return text.startswith("[") or all(spelling.known(part) for part in re.split(r"[|;]", text))


def _of_parquet(path: Path, spelling: ClassSpelling, wanted: Sequence[str]) -> Sequence[object]:
    from ingest.labels.parquet_columns import read_columns

    columns = read_columns(path, wanted)
    if len(columns) == 1:
        ((_, values),) = columns.items()
        return _split(path, values) if all(isinstance(value, str) for value in values) else values
    order = _in_class_order(path, list(columns), spelling, wanted)
    indicators = np.array([columns[name] for name in order], dtype=object).T
    return _of_indicators(path, indicators)


def _of_columns(path: Path, found: Columns, spelling: ClassSpelling, wanted: Sequence[str]) -> Sequence[object]:
    columns, rows = found
    if len(columns) == 1:
        sets = [row[0] for row in rows]
        return _split(path, sets) if all(isinstance(labels, str) for labels in sets) else sets
    order = [columns.index(name) for name in _in_class_order(path, columns, spelling, wanted)]
    cells = {"0": 0, "1": 1, "false": 0, "true": 1, "0.0": 0, "1.0": 1}
    indicators = np.array(
        [[cells.get(str(row[at]).strip().casefold(), row[at]) for at in order] for row in rows], object
    )
    return _of_indicators(path, indicators.reshape(len(rows), len(order)))


def _in_class_order(path: Path, columns: Sequence[str], spelling: ClassSpelling, wanted: Sequence[str]) -> list[str]:
    """The names of the columns of all classes, in class order."""
    called = [name for name in columns if spelling.known(name)]
    try:
        ids = spelling.ids(called)
    except AmbiguousClassError as error:
        raise DataError(path, f"the names of the columns: {error}: {HOW_CLASSES_ARE}") from error
    by_class = {class_id: name for name, class_id in ids.items()}
    if len(called) != spelling.n_classes or len(by_class) != spelling.n_classes:
        found = ", ".join(columns[:10]) or "none"
        raise DataError(path, f"expected a column {wanted[0]!r}, or one for each class, found {found}")
    return [by_class[class_id] for class_id in range(spelling.n_classes)]


def _split(path: Path, cells: Sequence[str]) -> list[list[Any]]:
    """Split cells of joined labels. One separator applies to all: the bar if there is any, because names may contain
    semicolons.
    """
    mark = "|" if any("|" in cell for cell in cells) else ";"
    found: list[list[Any]] = []
    for place, cell in enumerate(cells):
        text = cell.strip()
        if text.startswith("[") and text.endswith("]"):
            try:
                listed = json.loads(text)
            except ValueError as error:
                finding = f"expected labels joined by | or ;, or a JSON list, found {shown(cell)}"
                raise DataError(path, finding, record=record_location(path, place)) from error
            found.append(listed)
        else:
            found.append([label.strip() for label in text.split(mark)] if text else [])
    return found
