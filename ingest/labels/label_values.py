"""Labels and class names given in memory: arrays, lists and pandas columns.

``class_ids`` says what a value means, as for values in files. Lists are read value by value, because numpy would
convert True to 1 in [0, True], and 1 to a text in ["a", 1].
"""

from collections.abc import Sequence, Set
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassSpelling
from ingest.errors import DataError, shown
from ingest.labels.class_ids import class_ids
from ingest.labels.flag_input import require_class_names
from ingest.matrices.array import array_of
from ingest.matrices.class_columns import written

#: Their names in errors: those of the arguments.
LABELS: Final = "labels"
CLASSES: Final = "classes"

_PANDAS: Final = (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
_EXPECTED: Final = "an array, a list or a Series of one label an example, or a path"


def ids_of_values(labels: object, spelling: ClassSpelling, *, by_value: bool) -> NDArray[Any]:
    """(n,) class ids of labels in memory; see ``class_ids``. Raises DataError naming the row.

    ``by_value`` says that class names are numbers, so that a number may be a class name or a class id.

    >>> ids_of_values([3, 1, 3], ClassSpelling(3, ("1", "2", "3")), by_value=True)
    array([2, 0, 2], dtype=uint8)
    """
    values = _values(column_of(labels))
    if by_value:
        values = _texts_of_numbers(values)
    return class_ids(LABELS, values, spelling, _row)


def column_of(labels: object) -> object:
    """The only column of a table of labels; anything else unchanged. Raises DataError for several columns."""
    if not isinstance(labels, pd.DataFrame):
        return labels
    if labels.shape[1] != 1:
        listed = ", ".join(map(str, labels.columns[:10])) or "none"
        raise DataError(
            LABELS, f"expected one label an example, found a table of the columns {listed}: pass one of them"
        )
    return labels.iloc[:, 0]


def names_of_values(classes: object) -> tuple[list[str], bool]:
    """Class names given in memory, and whether these were numbers, or true and false.

    Raises DataError naming the class.

    >>> names_of_values(["ant", "bee"]), names_of_values(np.array([1, 2]))
    ((['ant', 'bee'], False), (['1', '2'], True))
    """
    if isinstance(classes, pd.Series) and not classes.index.equals(pd.RangeIndex(len(classes))):
        raise DataError(CLASSES, "expected names in the order of the classes, found a Series with an index of its own")
    array = isinstance(classes, np.ndarray) and classes.ndim == 1
    if not array and not isinstance(classes, list | tuple | pd.Series | pd.Index):
        finding = f"expected a list of names in the order of the classes, or a path, found {shown(classes)}"
        raise DataError(CLASSES, finding)
    values = [_plain(value) for value in cast("list[Any]", classes)]
    by_value = bool(values) and not any(isinstance(value, str) for value in values)
    texts = [written(value) if by_value else None for value in values]
    names = [value if text is None else text for value, text in zip(values, texts, strict=True)]
    require_class_names(CLASSES, names)
    return names, by_value


def _row(place: int) -> str:
    return f"row {place}"


def _values(labels: object) -> Any:
    """A plain array, or a list of plain values."""
    if isinstance(labels, Set | bytes | bytearray):
        raise DataError(LABELS, f"expected {_EXPECTED}, found {shown(labels)}")
    if isinstance(labels, _PANDAS):
        array: NDArray[Any] = cast("Any", labels).to_numpy()
    elif isinstance(labels, Sequence) and not hasattr(labels, "__array__"):
        return [_plain(value) for value in labels]
    else:
        array = array_of(LABELS, labels, _EXPECTED)
    if array.dtype.kind not in "OT" or array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1) or not array.ndim:
        return array
    return [_plain(value) for value in array.reshape(-1)]


def _plain(value: Any) -> Any:
    """A value as plain Python represents it."""
    if isinstance(value, str):
        return written(value)
    if value is np.ma.masked:
        return value  # which would be 0
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # of an IntEnum
    if isinstance(value, np.generic) or (hasattr(value, "__array__") and np.ndim(value) == 0):
        return np.asarray(value).item()
    return value


def _texts_of_numbers(values: Any) -> Any:
    """Distinct whole numbers as texts; other values unchanged, to be checked as usual."""
    plain = isinstance(values, np.ndarray) or {*map(type, values)} <= {int, float}
    array = np.asarray(values) if plain else np.zeros(0, np.object_)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.array_equal(array, np.trunc(array)):
        return values
    distinct, places = np.unique(array, return_inverse=True)
    texts = [written(value) for value in distinct]
    return [texts[place] for place in places.tolist()]
