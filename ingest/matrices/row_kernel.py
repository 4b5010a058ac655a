"""Compute the row scores of a block, with compiled code if it was built on installation, else with numpy.

Scores are the same to the last bit: ``app.domain.confident_learning.row_scores`` defines them. Only the sums of rows
differ in their rounding, and they only select the rows to be checked closely.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.label_quality import Labels, Probabilities
from app.domain.confident_learning.row_scores import SURE, RowScores, doubtful_rows, row_sums, score_rows

try:
    from ingest.matrices import _row_kernel
except ImportError:  # there was no compiler
    _row_kernel = None  # type: ignore[assignment]

#: Which implementation is used, as a word for people.
LOOKER: Final = "numpy" if _row_kernel is None else "compiled code"


def look(labels: Labels, block: Probabilities, found: RowScores) -> NDArray[np.intp]:
    """Put the scores of a block of rows into ``found``, and return the indices of the doubtful ones, ascending.

    ``labels`` is (n,) and ``block`` (n, m), as in ``score_rows``; the block also serves as work space. ``found`` has
    room for n.

    >>> from app.domain.confident_learning.row_scores import empty_scores
    >>> scores = empty_scores(2, 3, np.dtype(np.float64))
    >>> look(np.array([0, 1]), np.array([[0.25, 0.5, 0.25], [0.25, 0.5, 0.75]]), scores).tolist()
    [1]
    >>> scores.own.tolist(), scores.other.tolist(), scores.rival.tolist()
    ([0.25, 0.5], [0.5, 0.75], [1, 2])
    """
    if _row_kernel is None or not block.flags.carray:
        found[:] = scores = score_rows(labels, block)
        return doubtful_rows(scores, row_sums(block))
    doubtful = np.empty(len(block), np.bool_)
    sizes = (*block.shape, block.itemsize, found.rival.itemsize)
    given = np.ascontiguousarray(labels, np.int64)
    arrays = (found.own, found.other, found.rival, doubtful)
    if _row_kernel.look(sizes, SURE[block.itemsize], given, block, *arrays):
        return np.flatnonzero(doubtful)
    return np.zeros(0, np.intp)
