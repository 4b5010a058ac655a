"""The given labels that the command ``flag`` is told of, from whatever file they stand in, as class ids.

Files: .npy (whole numbers, or texts), .json (a list), .parquet and .csv (the column "label", or the only one), and
otherwise a text file with one label a line. Texts are names of classes where a list of classes is given, else numbers.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, MissingFileError, shown
from ingest.npy import open_array
from ingest.readers import read_json
from ingest.whereabouts import outside, whereabouts

_COLUMN: Final = "label"

#: Labels looked at a time.
_ROWS: Final = 1 << 20


def read_class_names(path: Path) -> list[str]:
    """The names of the classes in the order of their ids: a JSON list, or a text file with one a line."""
    names = read_json(path) if path.suffix == ".json" else _lines(path)
    if not isinstance(names, list) or not names:
        raise DataError(path, f"expected a list of class names, found {shown(names)}")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name:
            raise DataError(path, f"expected a name, found {shown(name)}", record=f"class {place}")
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if seen.setdefault(name, place) != place:
            raise DataError(path, f"expected each name once, found {shown(name)} twice", record=f"class {place}")
    return names


def read_given_labels(path: Path, m: int, names: Sequence[str] | None) -> NDArray[Any]:
    """(n,) class ids from 0 to m - 1, in the smallest unsigned type that holds them.

    Raises MissingFileError or DataError naming the file and the example.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a file of labels, found none")
    values = _values(path)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values.reshape(-1)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        hint = "; a 1 in each row? .argmax(axis=1) gives numbers; sets of labels need --multiple"
        hint = hint if values.ndim == 2 and values.shape[1] == m else ""
        raise DataError(path, f"expected one label an example, found shape {values.shape}{hint}")
    if not len(values):
        raise DataError(path, "expected one label an example, found none")
    ids = {name: place for place, name in enumerate(names or ())}
    labels = np.empty(len(values), np.min_scalar_type(max(m - 1, 0)))
    for start in range(0, len(values), _ROWS):
        some = values[start : start + _ROWS]
        labels[start : start + len(some)] = _class_ids(path, start, some, m, ids)
    return labels


def _class_ids(path: Path, start: int, values: Any, m: int, ids: dict[str, int]) -> NDArray[Any]:
    if isinstance(values, np.ndarray) and np.issubdtype(values.dtype, np.integer):
        found = values
    else:
        found = np.array([_class_id(path, start + place, value, ids) for place, value in enumerate(values)], np.int64)
    wrong = np.flatnonzero((found < 0) | (found >= m))
    if len(wrong):
        finding = outside(int(found[wrong[0]]), m, found)
        raise DataError(path, finding, record=whereabouts(path, start + int(wrong[0])))
    return found


def _class_id(path: Path, place: int, value: Any, ids: dict[str, int]) -> int:
    if isinstance(value, str):
        if value in ids:
            return ids[value]
        if value.strip().isdecimal() and len(value) < 19:
            return int(value)
        expected = "the name of a class or its number" if ids else "the number of a class (names need --classes)"
        raise DataError(path, f"expected {expected}, found {shown(value)}", record=whereabouts(path, place))
    if isinstance(value, int) and not isinstance(value, bool) and -1 << 62 < value < 1 << 62:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    hint = "; sets of labels need --multiple" if isinstance(value, list) else ""
    raise DataError(path, f"expected a label, found {shown(value)}{hint}", record=whereabouts(path, place))


def _values(path: Path) -> Any:
    """An array of whole numbers or a list."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        array = open_array(path)
        if array.dtype.kind in "iu":
            return array
        if array.dtype.kind == "U":
            return array.tolist()
        if array.dtype.kind == "S":
            return _decoded(path, array)
        if array.dtype.kind == "f" and array.ndim == 1:
            return _whole_numbers(path, array)
        raise DataError(path, f"expected whole numbers or texts, found {array.dtype}")
    if suffix == ".json":
        values = read_json(path)
        if not isinstance(values, list):
            raise DataError(path, f"expected a list of labels, found {shown(values)}")
        return values
    if suffix in (".parquet", ".pq"):
        from ingest.parquet import read_column

        return read_column(path, _COLUMN)
    if suffix == ".csv":
        return _csv_column(path)
    if suffix in (".npz", ".zarr", ".pkl", ".pickle", ".xlsx"):
        raise DataError(path, "expected labels in a .npy, .json, .csv or .parquet file, or one a line")
    return _lines(path)


def _decoded(path: Path, array: NDArray[Any]) -> Any:
    try:
        return np.char.decode(array, "utf-8").tolist()
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error


def _whole_numbers(path: Path, array: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers that a library made floating-point ones, for instance because some were missing once."""
    with np.errstate(invalid="ignore"):
        found = array.astype(np.int64)
    wrong = np.flatnonzero(found != array)
    if len(wrong):
        finding = f"expected the number of a class, found {array[wrong[0]]}"
        raise DataError(path, finding, record=whereabouts(path, int(wrong[0])))
    return found


def _lines(path: Path) -> list[str]:
    try:
        # Some programs begin a file with a mark that is no part of its first line.
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise MissingFileError(path, "expected a text file, found none") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"expected UTF-8 text: {error}") from error


def _csv_column(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.reader(stream)
            head = next(rows, [])
            if _COLUMN not in head and len(head) != 1:
                raise DataError(path, f"expected a column {_COLUMN!r}, found {', '.join(head) or 'none'}")
            column = head.index(_COLUMN) if _COLUMN in head else 0
            found = []
            for place, row in enumerate(rows):
                if len(row) <= column:
                    finding = f"expected {len(head)} cells, found {len(row)}"
                    raise DataError(path, finding, record=whereabouts(path, place))
                found.append(row[column])
            return found
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(path, f"expected a CSV file in UTF-8: {error}") from error
