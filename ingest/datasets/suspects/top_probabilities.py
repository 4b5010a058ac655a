"""The most probable classes of a dataset's issues, read from the matrix in one pass, in order.

Probabilities keep the matrix's own type, so what is stored is what the matrix says, to the last bit.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.flagging.executors import suited
from ingest.matrices.matrix import Matrix

#: Classes told of each issue.
TOP: Final = 5

#: Bytes of the matrix read by one task, and of the rows of issues that are ranked at a time.
_SPAN_BYTES: Final = 16_000_000
_RANKED_BYTES: Final = 500_000

_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {2: np.dtype(np.uint16), 4: np.dtype(np.uint32), 8: np.dtype(np.uint64)}

#: (k, t) classes, most probable first, and (k, t) their probabilities.
Top = tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.floating[Any]]]


def top_of_rows(
    matrix: Matrix, indices: NDArray[np.integer[Any]], places: NDArray[np.integer[Any]] | None = None
) -> Top:
    """The most probable classes of the rows at ascending ``indices``, at most five, the lowest id first among equals.

    They are in the order of ``indices``, or each at its place among ``places``. Raises DataError if these rows are not
    probabilities.
    """
    t = min(TOP, matrix.shape[1])
    classes = np.empty((len(indices), t), np.min_scalar_type(max(matrix.shape[1] - 1, 0)))
    probabilities = np.empty((len(indices), t), matrix.dtype)
    with suited(matrix.nbytes) as executor:
        done = 0
        for part in executor.map(_top_of_span, _tasks(matrix, indices)):
            here = slice(done, done + len(part[0]))
            at = here if places is None else places[here]
            classes[at], probabilities[at] = part
            done = here.stop
    return classes, probabilities


def top(block: NDArray[np.floating[Any]]) -> Top:
    """The most probable classes of each row of a block of probabilities; see ``top_of_rows``.

    >>> [found.tolist() for found in top(np.array([[0.25, 0.5, 0.25]]))]
    [[[1, 0, 2]], [[0.5, 0.25, 0.25]]]
    """
    k, m = block.shape
    # As whole numbers, probabilities have the same order, and numpy compares half precision several times faster. One
    # more, so that 0 is below all of them.
    keys: NDArray[Any] = np.ascontiguousarray(block).view(_UNSIGNED[block.itemsize]) + 1
    classes = np.empty((k, min(TOP, m)), np.min_scalar_type(max(m - 1, 0)))
    rows = np.arange(k)
    for place in range(classes.shape[1]):
        found = keys.argmax(axis=1)
        classes[:, place] = found
        keys[rows, found] = 0
    return classes, np.take_along_axis(block, classes.astype(np.intp), axis=1)


def _tasks(matrix: Matrix, indices: NDArray[np.integer[Any]]) -> Iterator[tuple[Matrix, NDArray[np.integer[Any]]]]:
    width = max(1, matrix.shape[1] * matrix.dtype.itemsize)
    for start, stop in matrix.spans(max(1, _SPAN_BYTES // width)):
        here = indices[slice(*np.searchsorted(indices, [start, stop]))]
        if len(here):
            yield matrix, here


def _top_of_span(task: tuple[Matrix, NDArray[np.integer[Any]]]) -> Top:
    matrix, indices = task
    rows = matrix.rows(indices)
    height = max(1, _RANKED_BYTES // max(1, rows.shape[1] * rows.itemsize))
    parts = [top(rows[start : start + height]) for start in range(0, len(rows), height)]
    return np.concatenate([classes for classes, _ in parts]), np.concatenate([found for _, found in parts])
