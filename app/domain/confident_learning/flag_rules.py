"""The flag rules: counting rules and the variants of Northcutt, Jiang and Chuang (2021).

With n Q rounded to whole examples (see ``expected_counts``), i a given and j a latent class:

* ``prune_by_class``: of each class i, as many examples of lowest self-confidence as its row of n Q counts off the
  diagonal.
* ``prune_by_noise_rate``: of each cell i, j off the diagonal, as many examples labelled i as it counts, those in which
  p_j exceeds p_i most.
* ``both``: what these two agree on.
* ``confident_joint``: the examples that C counts off its diagonal.
* ``argmax``: the examples whose most probable class is another than the given one.

None of these flags an example whose given label is as probable as any other class: nothing could be proposed instead.
Among equals the example of lower index comes first, and exactly as many are taken as were asked for.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.joint import ConfidentJoint
from app.domain.confident_learning.joint_cells import JointCells
from app.domain.confident_learning.label_quality import Labels
from app.domain.confident_learning.row_scores import RowScores


def expected_counts(counts: ConfidentJoint, label_counts: NDArray[np.integer[Any]]) -> ConfidentJoint:
    """The calibrated joint in whole examples: n Q (Eq. 2), each row summing to its label count.

    Computed in whole numbers: every cell is rounded down, and what a row then lacks goes to the cells with the largest
    remainders, the lower class among equals.

    >>> expected_counts(JointCells.of(np.array([[2, 1], [0, 0]])), np.array([5, 2])).dense()
    array([[3, 2],
           [0, 2]])
    """
    given, totals = counts.given, counts.by_given.astype(np.int64)
    whole, left = np.divmod(counts.value * label_counts[given], totals[given])
    lacking = label_counts - np.bincount(given, weights=whole, minlength=counts.m).astype(np.int64)
    # An empty cell has no remainder, and fewer examples are lacking than there are remainders.
    order = np.lexsort((-left, given))
    place = np.arange(len(counts)) - np.searchsorted(given, given)
    whole[order] += place < lacking[given]
    filled = JointCells(counts.m, counts.cell, whole)[whole > 0]
    uncounted = np.flatnonzero((totals == 0) & (label_counts > 0))
    return filled.with_diagonal(uncounted, label_counts[uncounted].astype(np.int64))


def beaten_by_rival(scores: RowScores) -> NDArray[np.bool_]:
    """(n,) whether another class is more probable than the given one.

    >>> beaten_by_rival(RowScores(np.array([0.5, 0.2]), np.array([0.5, 0.8]), np.array([1, 0], np.uint8))).tolist()
    [False, True]
    """
    beaten: NDArray[np.bool_] = scores.other_bits > scores.own_bits
    return beaten


def pruned_by_class(labels: Labels, scores: RowScores, expected: ConfidentJoint) -> NDArray[np.bool_]:
    """(n,) what ``prune_by_class`` flags."""
    wanted = expected.off_diagonal.by_given.astype(np.int64)
    flagged = np.zeros(len(labels), dtype=np.bool_)
    by_class = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=len(wanted)))
    for k, stop, size in zip(wanted, ends, np.diff(ends, prepend=0), strict=True):
        if k == 0:
            continue
        members = by_class[stop - size : stop]
        flagged[members[np.argsort(scores.own[members].astype(np.float64), kind="stable")[:k]]] = True
    flagged &= beaten_by_rival(scores)
    return flagged
