"""Match the rows of a table with examples by a column ``index`` or by R's and pandas' row names.

One rule for tables of labels, sets, class names, matrices and predictions: if the names are all indices from 0, each
once, rows are put in that order, and likewise for R's from 1. Any other names are refused by the caller, because it is
unknown which example a row belongs to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import whole_number

#: What pandas calls the index of a table that has no name, in CSV, once read again, and in Parquet.
NAMELESS: Final = ("", "Unnamed: 0", "__index_level_0__")


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """The index that pandas keeps with a Parquet file: names of columns, or a range that stands in its metadata."""

    columns: tuple[str, ...] = ()
    steps: range | None = None


def stored_index(metadata: dict[bytes, bytes] | None) -> StoredIndex:
    """The index in the metadata of a schema; none where pandas did not write it, or only counted the rows.

    >>> stored_index({b"pandas": b'{"index_columns": [{"kind": "range", "start": 2, "stop": -1, "step": -1}]}'}).steps
    range(2, -1, -1)
    """
    try:
        found = json.loads((metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
        first = found[0] if found else None
        if isinstance(first, dict):
            return StoredIndex(steps=range(int(first["start"]), int(first["stop"]), int(first["step"])))
        return StoredIndex(tuple(name for name in found if isinstance(name, str)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return StoredIndex()  # written by whoever: what cannot be read says nothing


def id_column(columns: Sequence[str], kept: Sequence[str] = ()) -> str | None:
    """The column that names the rows: one called index, else one without a name; never one of ``kept``.

    >>> id_column(["", "Index", "label"]), id_column(["", "label"]), id_column(["index"], kept=["index"])
    ('Index', '', None)
    """
    named = [name for name in columns if name.strip().casefold() == "index" and name not in kept]
    return next(iter(named or [name for name in columns if name.strip() in NAMELESS and name not in kept]), None)


def places_of(names: Sequence[Any] | NDArray[Any], *, counted: bool) -> NDArray[np.int64] | None:
    """(n,) the example of each row by its name; None where these are not all the indices once each.

    ``counted`` says that numbers from 1 to n will do as well, as R writes them.

    >>> places_of(["2", "3", "1"], counted=True), places_of(["2", "3", "1"], counted=False)
    (array([1, 2, 0]), None)
    """
    values = names.tolist() if isinstance(names, np.ndarray) else names
    numbers = [_number(value) for value in values]
    if not all(-1 < number <= len(numbers) for number in numbers):
        return None
    places = np.array(numbers, np.int64)
    if counted and len(places) and places.min() == 1:
        places -= 1
    return places if np.array_equal(np.sort(places), np.arange(len(places))) else None


def _number(value: Any) -> int:
    if isinstance(value, str):
        found = whole_number(value)
        return -1 if found is None else found
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value in (1e400, -1e400):
        return -1
    return int(value) if value == int(value) else -1
