"""Which examples each flag rule flags: the counting rules, and the variants of Northcutt, Jiang and Chuang (2021).

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

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning import ConfidentJoint
from app.domain.label_quality import Labels, Probabilities
from app.domain.row_scores import RowScores

_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {
    2: np.dtype(np.uint16),
    4: np.dtype(np.uint32),
    8: np.dtype(np.uint64),
}


def expected_counts(counts: ConfidentJoint, label_counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """(m, m) the calibrated joint in whole examples: n Q (Eq. 2), each row summing to its label count.

    Computed in whole numbers: every cell is rounded down, and what a row then lacks goes to the cells with the largest
    remainders, the lower class among equals.

    >>> expected_counts(np.array([[2, 1], [0, 0]]), np.array([5, 2]))
    array([[3, 2],
           [0, 2]])
    """
    filled = counts.astype(np.int64)
    uncounted = filled.sum(axis=1) == 0
    filled[uncounted, uncounted] = 1
    whole, left = np.divmod(filled * label_counts[:, None], filled.sum(axis=1, keepdims=True))
    missing = label_counts - whole.sum(axis=1)
    place = np.argsort(np.argsort(-left, axis=1, kind="stable"), axis=1, kind="stable")
    expected: NDArray[np.int64] = whole + (place < missing[:, None])
    return expected


def outdone(scores: RowScores) -> NDArray[np.bool_]:
    """(n,) whether another class is more probable than the given one.

    >>> outdone(RowScores(np.array([0.5, 0.2]), np.array([0.5, 0.8]), np.array([1, 0], np.uint8))).tolist()
    [False, True]
    """
    beaten: NDArray[np.bool_] = scores.other_bits > scores.own_bits
    return beaten


def pruned_by_class(labels: Labels, scores: RowScores, expected: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) what ``prune_by_class`` flags."""
    wanted = expected.sum(axis=1) - np.diagonal(expected)
    flagged = np.zeros(len(labels), dtype=np.bool_)
    by_class = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels, minlength=len(wanted)))
    for k, stop, size in zip(wanted, ends, np.diff(ends, prepend=0), strict=True):
        members = by_class[stop - size : stop]
        flagged[members[np.argsort(scores.own[members].astype(np.float64), kind="stable")[:k]]] = True
    flagged &= outdone(scores)
    return flagged


@dataclass(frozen=True, slots=True)
class Pairs:
    """Examples and cells of the joint they may stand in; all (k,).

    ``cell`` is given * m + latent, ``margin`` the probability of the latent class less that of the given one.
    """

    cell: NDArray[np.int64]
    margin: NDArray[np.float64]
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.cell)

    def best(self, wanted: NDArray[np.int64]) -> "Pairs":
        """Of each cell the ``wanted[cell]`` pairs of largest margin; lower index among equals. ``wanted`` is (m * m,).

        Taking the best of parts first changes nothing.
        """
        order = np.lexsort((self.index, -self.margin, self.cell))
        cell = self.cell[order]
        new = np.flatnonzero(np.diff(cell, prepend=-1))
        starts = np.repeat(new, np.diff(new, append=len(cell)))
        kept = order[np.arange(len(cell)) - starts < wanted[cell]]
        return Pairs(self.cell[kept], self.margin[kept], self.index[kept])


def joined(parts: list[Pairs]) -> Pairs:
    """All pairs of several parts."""
    return Pairs(
        np.concatenate([np.zeros(0, np.int64), *(part.cell for part in parts)]),
        np.concatenate([np.zeros(0, np.float64), *(part.margin for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.index for part in parts)]),
    )


def pairs_of(
    labels: Labels, rows: Probabilities, indices: NDArray[np.integer[Any]], wanted: NDArray[np.int64]
) -> Pairs:
    """Every pair of a row and a class more probable than its given one, in cells where any is wanted.

    ``rows`` is (k, m), values between +0 and 1; ``labels`` and ``indices`` are theirs, (k,); ``wanted`` is (m * m,).
    """
    m = rows.shape[1]
    bits = np.ascontiguousarray(rows).view(_UNSIGNED[rows.itemsize])
    own = np.take_along_axis(bits, labels[:, None].astype(np.intp), axis=1)
    row, latent = np.nonzero(bits > own)
    cell = labels[row].astype(np.int64) * m + latent
    kept = wanted[cell] > 0
    row, latent, cell = row[kept], latent[kept], cell[kept]
    margin = rows[row, latent].astype(np.float64) - rows[row, labels[row]]
    return Pairs(cell, margin, indices[row].astype(np.int64))
