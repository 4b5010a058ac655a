"""Where in a file of labels an example stands, and what is wrong with a label, in words that one can look for.

Examples are counted from 0, as everywhere here, and the lines of a file from 1, as in every editor.
"""

import csv
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROWS: Final = frozenset({".npy", ".npz", ".parquet", ".pq"})


def whereabouts(path: Path, place: int) -> str:
    """The record of an example, for a DataError; a CSV file is read again, for its cells may have several lines.

    >>> whereabouts(Path("labels.txt"), 4), whereabouts(Path("labels.npy"), 4)
    ('example 4 (line 5)', 'example 4 (row 4, counted from 0)')
    >>> whereabouts(Path("labels.json"), 4)
    'example 4 (entry 4, counted from 0)'
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return f"example {place} (entry {place}, counted from 0)"
    if suffix in _ROWS:
        return f"example {place} (row {place}, counted from 0)"
    return f"example {place} (line {_line_of(path, place) if suffix == '.csv' else place + 1})"


def _line_of(path: Path, place: int) -> int:
    """The line on which a row begins, behind the one that names the columns."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        for _ in islice(rows, place + 1):
            pass
        return rows.line_num + 1


def outside(label: int, n_classes: int, labels: NDArray[np.integer]) -> str:
    """That a label is no class; ``labels`` are others of its file, which tell whether they are counted from 1.

    >>> outside(7, 3, np.array([0, 7])), outside(3, 3, np.array([1, 2, 3]))[:46]
    ('expected a class from 0 to 2, found 7', 'expected a class from 0 to 2, found 3; classes')
    """
    finding = f"expected a class from 0 to {n_classes - 1}, found {label}"
    from_one = n_classes > 1 and labels.min() == 1 and labels.max() == n_classes
    return f"{finding}; classes are counted from 0, and these labels look counted from 1" if from_one else finding
