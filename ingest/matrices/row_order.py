"""Sort rows of labels into the order of the examples, if their table names them.

Names are recognised by ``app.evaluation.tables.row_names``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.row_names import NAMELESS, places_of
from ingest.errors import DataError, shown


def in_order(path: Path, column: str, names: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64] | None:
    """(n,) the row of each example, None if rows are in order. Raises DataError if the names are not indices.

    ``column`` holds the names: ``index``, or the row names of R and pandas.
    """
    n = len(names)
    nameless = column.strip() in NAMELESS
    places = places_of(names, counted=nameless)
    if places is None:
        what = "row names" if nameless else f"a column {column.strip()}"
        counted = "" if places_of(names, counted=True) is None else "; these look counted from 1"
        values = [shown(name) for name in list(names[:3])]
        raise DataError(
            path,
            f"expected {what} that are all the numbers from 0 to {n - 1}, which tell whose each row is; found "
            f"{', '.join(values)}{', ...' if n > 3 else ''}{counted}; take them out where the rows stand in order"
            + ("" if not nameless else ": reset_index(drop=True) in pandas, row.names = FALSE in R"),
        )
    if (places[1:] > places[:-1]).all():
        return None
    return np.argsort(places)
