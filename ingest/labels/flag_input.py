"""Labels, one an example, from whatever file they stand in, as class ids.

Files: .npy (numbers, texts, or true and false), .json (a list, of labels or of objects), .jsonl (one a line), .parquet
and .csv (the column "label", or the one that goes by another word for it, or the only one), and otherwise a text file
with one label a line. Whole floating-point numbers are numbers too. What is stored as a number is the number of a
class, from 0; whether texts are names or numbers is told by all of them: ``class_spelling``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import (
    AmbiguousClassError,
    ClassesAre,
    ClassSpelling,
    UnknownClassError,
    whole_number,
)
from ingest.errors import HOW_CLASSES_ARE, DataError, MissingFileError, shown
from ingest.labels.label_columns import read_csv_column, read_json_column, read_lines, require_names
from ingest.labels.record_location import JSON, SEPARATED, no_class, outside, record_location
from ingest.matrices.npy import open_array

_COLUMN: Final = "label"
#: What may be written above the names of classes in a table of nothing else.
_HEADERS: Final = frozenset({"name", "names", "class", "classes", "class_name", "label", "labels"})

_SETS: Final = '; sets of labels need --multiple, in a manifest labels = "multiple"'

#: Labels looked at a time.
_ROWS: Final = 1 << 20


def read_class_names(path: Path) -> list[str]:
    """The names of the classes in the order of their ids: a JSON list, a column "name" of CSV, or one a line."""
    is_json = path.suffix.lower() in JSON
    names = read_json_column(path, "name", "a list of class names") if is_json else _names_of_text(path)
    if not names:
        raise DataError(path, f"expected a list of class names, found {shown(names)}")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not name.strip():
            raise DataError(path, f"expected a name, found {shown(name)}", record=f"class {place}")
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if seen.setdefault(name, place) != place:
            raise DataError(path, f"expected each name once, found {shown(name)} twice", record=f"class {place}")
    return names


def _names_of_text(path: Path) -> list[str]:
    """One a line, also in what is called a CSV file and has no column "name"."""
    lines = read_lines(path)
    if path.suffix.lower() not in SEPARATED or not lines:
        require_names(path, lines)
        return lines
    plain = lines[0].strip().casefold() not in _HEADERS and not any(mark in lines[0] for mark in ",;\t")
    if plain:
        require_names(path, lines)
    return lines if plain else read_csv_column(path, "name")


def read_given_labels(
    path: Path,
    m: int,
    names: Sequence[str] | None,
    classes_are: ClassesAre | None = None,
    *,
    column: str | None = None,
    n: int | None = None,
) -> NDArray[Any]:
    """(n,) class ids from 0 to m - 1, in the smallest unsigned type that holds them.

    ``column`` is the one that holds the labels of a table, where it is not called so; ``n`` is how many examples there
    are, where that is known, and decides what a first line is that could be a label or the name of a column.
    Raises MissingFileError or DataError naming the file and the example.
    """
    if not path.is_file():
        raise MissingFileError(path, "expected a file of labels, found none")
    spelling = ClassSpelling(m, tuple(names or ()), classes_are)
    values = _values(path, spelling, column, n)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values.reshape(-1)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        hint = f"; a 1 in each row? .argmax(axis=1) gives numbers{_SETS}"
        hint = hint if values.ndim == 2 and values.shape[1] == m else ""
        raise DataError(path, f"expected one label an example, found shape {values.shape}{hint}")
    if not len(values):
        raise DataError(path, "expected one label an example, found none")
    if not isinstance(values, np.ndarray):
        values = _plain(path, values)
    if isinstance(values, list):
        return _ids_of_texts(path, values, spelling)
    labels = np.empty(len(values), np.min_scalar_type(max(m - 1, 0)))
    for start in range(0, len(values), _ROWS):
        some = values[start : start + _ROWS]
        wrong = np.flatnonzero((some < 0) | (some >= m))
        if len(wrong):
            finding = outside(int(some[wrong[0]]), m, some)
            raise DataError(path, finding, record=record_location(path, start + int(wrong[0])))
        labels[start : start + len(some)] = some
    return labels


def _ids_of_texts(path: Path, texts: list[str], spelling: ClassSpelling) -> NDArray[Any]:
    try:
        ids = spelling.ids(texts)
    except AmbiguousClassError as error:
        raise DataError(path, f"{error}: {HOW_CLASSES_ARE}") from error
    except UnknownClassError as error:
        raise DataError(path, no_class(error.text, texts, spelling), record=_place(path, texts, error.text)) from error
    return np.fromiter(map(ids.__getitem__, texts), np.min_scalar_type(max(spelling.n_classes - 1, 0)), len(texts))


def _place(path: Path, texts: Sequence[str], text: str) -> str:
    return record_location(path, texts.index(text))


def _plain(path: Path, values: Sequence[Any]) -> list[str] | NDArray[np.int64]:
    """Values of a list: texts, true and false as texts, or else whole numbers; those among texts are texts as well."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return list(values)
    if kinds <= {bool}:
        return [str(value) for value in values]
    for place, value in enumerate(values):
        whole = isinstance(value, int) and not isinstance(value, bool) and -1 << 62 < value < 1 << 62
        whole = whole or (isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53)
        if not whole and not isinstance(value, str):
            hint = _SETS if isinstance(value, list) else ""
            raise DataError(path, f"expected a label, found {shown(value)}{hint}", record=record_location(path, place))
    if str in kinds:
        return [value if isinstance(value, str) else str(int(value)) for value in values]
    return np.array([int(value) for value in values], np.int64)


def _values(path: Path, spelling: ClassSpelling, column: str | None, n: int | None) -> Any:
    """An array of whole numbers or a list."""
    suffix = path.suffix.lower()
    name, or_only = column or _COLUMN, column is None
    if suffix == ".npy":
        return _of_array(path, open_array(path))
    if suffix in JSON:
        return read_json_column(path, name, "a list of labels", or_only=or_only)
    if suffix in (".parquet", ".pq"):
        from ingest.labels.parquet_columns import read_column

        return read_column(path, name, or_only=or_only)
    if suffix in SEPARATED:
        return read_csv_column(path, name, or_only=or_only, is_value=lambda text: _is_label(text, spelling), n=n)
    if suffix in (".npz", ".zarr", ".pkl", ".pickle", ".xlsx"):
        raise DataError(path, "expected labels in a .npy, .json, .jsonl, .csv or .parquet file, or one a line")
    return read_lines(path)


def _is_label(text: str, spelling: ClassSpelling) -> bool:
    """Whether a text can be a label; numbers are none but ones of classes, if perhaps of classes that there are not."""
    return spelling.known(text) or whole_number(text) is not None


def _of_array(path: Path, array: NDArray[Any]) -> Any:
    kind = array.dtype.kind
    if kind in "iu":
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        array = array.reshape(-1)
    if array.ndim != 1:
        return array
    if kind == "f":
        return _whole_numbers(path, array)
    if kind == "S":
        return _decoded(path, array)
    if kind in "Ub":
        return array.tolist()
    raise DataError(path, f"expected whole numbers or texts, found {array.dtype}")


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
        raise DataError(path, finding, record=record_location(path, int(wrong[0])))
    return found
