"""Convert labels to class ids, from any values that represent them in a file or in memory.

Numbers are class numbers, from 0; whole floating-point numbers count as numbers. Whether texts are names or numbers is
decided from all of them together: see ``class_spelling``. A value that is not a label raises an error that gives its
position.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import AmbiguousClassError, ClassSpelling, UnknownClassError
from ingest.errors import HOW_CLASSES_ARE, DataError, shown
from ingest.labels.record_location import no_class, outside

#: Describes the location of an example, by its position from 0.
Where = Callable[[int], str]

_SETS: Final = '; sets of labels need --multiple of the command flag, in a manifest labels = "multiple"'

#: How many labels are checked at a time.
_ROWS: Final = 1 << 20


def class_ids(source: Path | str, values: Any, spelling: ClassSpelling, where: Where) -> NDArray[Any]:
    """(n,) class ids from 0 to m - 1, in the smallest unsigned type that holds them.

    ``values`` is an (n,) or (n, 1) array of numbers, texts, or true and false, or a list of plain Python values. Raises
    DataError naming the source and the example.

    >>> class_ids("labels", ["cat", "ant", "cat"], ClassSpelling(2, ("ant", "cat")), str)
    array([1, 0, 1], dtype=uint8)
    """
    m = spelling.n_classes
    if isinstance(values, np.ndarray):
        values = _of_array(source, _column(source, values, m), where)
    if not len(values):
        raise DataError(source, "expected one label an example, found none")
    if not isinstance(values, np.ndarray):
        values = _plain(source, values, where)
    if isinstance(values, list):
        return _ids_of_texts(source, values, spelling, where)
    labels = np.empty(len(values), np.min_scalar_type(max(m - 1, 0)))
    for start in range(0, len(values), _ROWS):
        some = values[start : start + _ROWS]
        wrong = np.flatnonzero((some < 0) | (some >= m))
        if len(wrong):
            finding = outside(int(some[wrong[0]]), m, some)
            raise DataError(source, finding, record=where(start + int(wrong[0])))
        labels[start : start + len(some)] = some
    return labels


def _column(source: Path | str, array: NDArray[Any], m: int) -> NDArray[Any]:
    """An array of one dimension; a single column is flattened."""
    if array.ndim == 2 and array.shape[1] == 1:
        return array.reshape(-1)
    if array.ndim != 1:
        hint = f"; a 1 in each row? .argmax(axis=1) gives numbers{_SETS}"
        hint = hint if array.ndim == 2 and array.shape[1] == m else ""
        raise DataError(source, f"expected one label an example, found shape {array.shape}{hint}")
    return array


def _of_array(source: Path | str, array: NDArray[Any], where: Where) -> Any:
    """An array of whole numbers, or a list."""
    kind = array.dtype.kind
    if kind in "iu":
        return array
    if kind == "f":
        return _whole_numbers(source, array, where)
    if kind == "S":
        return _decoded(source, array)
    if kind in "Ub":
        return array.tolist()
    raise DataError(source, f"expected whole numbers or texts, found {array.dtype}")


def _decoded(source: Path | str, array: NDArray[Any]) -> Any:
    try:
        return np.char.decode(array, "utf-8").tolist()
    except UnicodeDecodeError as error:
        raise DataError(source, f"expected UTF-8 text: {error}") from error


def _whole_numbers(source: Path | str, array: NDArray[Any], where: Where) -> NDArray[np.int64]:
    """Whole numbers stored as floating-point ones, for instance because some were missing once."""
    with np.errstate(invalid="ignore"):
        found = array.astype(np.int64)
    wrong = np.flatnonzero(found != array)
    if len(wrong):
        finding = f"expected the number of a class, found {array[wrong[0]]}"
        raise DataError(source, finding, record=where(int(wrong[0])))
    return found


def _plain(source: Path | str, values: Sequence[Any], where: Where) -> list[str] | NDArray[np.int64]:
    """Values of a list as texts (true and false too) or whole numbers; if there are texts, numbers become texts."""
    kinds = set(map(type, values))
    if kinds <= {str}:
        return list(values)
    if kinds <= {bool}:
        return [str(value) for value in values]
    for place, value in enumerate(values):
        whole = isinstance(value, int) and not isinstance(value, bool) and -1 << 62 < value < 1 << 62
        whole = whole or (isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53)
        if not whole and not isinstance(value, str):
            hint = _SETS if isinstance(value, list | tuple | set | frozenset | np.ndarray) else ""
            raise DataError(source, f"expected a label, found {shown(value)}{hint}", record=where(place))
    if str in kinds:
        return [value if isinstance(value, str) else str(int(value)) for value in values]
    return np.array([int(value) for value in values], np.int64)


def _ids_of_texts(source: Path | str, texts: list[str], spelling: ClassSpelling, where: Where) -> NDArray[Any]:
    try:
        ids = spelling.ids(texts)
    except AmbiguousClassError as error:
        raise DataError(source, f"{error}: {HOW_CLASSES_ARE}") from error
    except UnknownClassError as error:
        finding = no_class(error.text, texts, spelling)
        raise DataError(source, finding, record=where(texts.index(error.text))) from error
    return np.fromiter(map(ids.__getitem__, texts), np.min_scalar_type(max(spelling.n_classes - 1, 0)), len(texts))
