"""One-vs-rest report per class of a multi-label dataset: missing labels and wrong labels.

The rule is ``one_vs_rest_joints`` of ``app.domain.confident_learning.multi_label``, which treats each class separately.
Classes are therefore processed a few at a time, whatever the number of rows, and the matrix is read once for each such
group.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.multi_label import one_vs_rest_joints
from ingest.commands.table_writer import Columns, write_table
from ingest.flagging.multi_label import checked
from ingest.labels.files import LabelSet
from ingest.matrices.matrix import Matrix

#: How many numbers are held at a time.
_ENTRIES: Final = 4_000_000
_PRINTED: Final = 10


def joints_by_class(
    labels: Sequence[LabelSet], matrix: Matrix, advance: Callable[[int], None], entries: int = _ENTRIES
) -> NDArray[np.int64]:
    """(m, 2, 2) the confident joint of each class: rows not given, given; columns latently so.

    ``advance`` is called with numbers of classes. Raises DataError naming the row if an entry is not a probability.
    """
    n, m = matrix.shape
    sizes = np.fromiter((len(label_set) for label_set in labels), np.int64, n)
    rows = np.repeat(np.arange(n, dtype=np.uint32), sizes)
    columns = np.fromiter((label for label_set in labels for label in label_set), np.uint32, len(rows))
    joints = np.zeros((m, 2, 2), np.int64)
    width = max(1, entries // max(n, 1))
    for first in range(0, m, width):
        stop = min(m, first + width)
        given = np.zeros((n, stop - first), np.bool_)
        here = (columns >= first) & (columns < stop)
        given[rows[here], columns[here] - first] = True
        probs = np.empty((n, stop - first))
        for place, raw in matrix.raw(0, n):
            probs[place.first : place.first + len(raw)] = checked(place, raw)[:, first:stop]
        joints[first:stop] = one_vs_rest_joints(given, probs)
        advance(stop - first)
    return joints


def write_classes(path: Path, joints: NDArray[np.int64], names: Sequence[str] | None) -> None:
    """Write one row per class.

    Columns: class, with ``names`` class_name, lacking (examples without the label that very likely belong to the
    class), wrongly (examples with the label that very likely do not), and flagged, their sum.
    """

    def columns(rows: slice) -> Columns:
        some = joints[rows]
        found: Columns = {"class": np.arange(len(joints))[rows]}
        if names is not None:
            found["class_name"] = list(names[rows])
        lacking, wrongly = some[:, 0, 1], some[:, 1, 0]
        return found | {"lacking": lacking, "wrongly": wrongly, "flagged": lacking + wrongly}

    write_table(path, len(joints), columns, lambda _: None)


def summary_of_classes(joints: NDArray[np.int64], names: Sequence[str] | None) -> str:
    """The classes for which the one-vs-rest rule flags most examples.

    >>> print(summary_of_classes(np.array([[[5, 1], [2, 3]], [[9, 0], [0, 1]]]), ["ant", "bee"]))
    each class against the rest would flag 3 labels in 1 of 2 classes, most of them in
      ant: 3 (1 lacking, 2 given wrongly)
    """
    lacking, wrongly = joints[:, 0, 1], joints[:, 1, 0]
    flagged = lacking + wrongly
    most: Any = np.argsort(-flagged, kind="stable")[:_PRINTED]
    lines = [
        f"each class against the rest would flag {flagged.sum():,} labels in {(flagged > 0).sum():,} of "
        f"{len(joints):,} classes{', most of them in' if flagged.any() else ''}"
    ]
    for place in most[flagged[most] > 0].tolist():
        name = f"class {place}" if names is None else names[place]
        told = f"{lacking[place]:,} lacking, {wrongly[place]:,} given wrongly"
        lines.append(f"  {name}: {flagged[place]:,} ({told})")
    return "\n".join(lines)
