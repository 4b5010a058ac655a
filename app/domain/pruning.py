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

#: Margins are sorted as whole numbers of so many bits, behind the number of their cell.
_BITS: Final = np.uint64(32)
_LARGEST: Final = float((1 << 32) - 1)
_NEVER: Final = np.iinfo(np.uint64).max

#: Pairs that gather before all but the best are dropped, beyond what is wanted and half as many again.
_HELD: Final = 1 << 20

#: Numbers whose pairs are made at a time.
_NUMBERS: Final = 1 << 18


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

    def __getitem__(self, places: Any) -> "Pairs":
        return Pairs(self.cell[places], self.margin[places], self.index[places])

    def best(self, wanted: NDArray[np.int64]) -> "Pairs":
        """Of each cell the ``wanted[cell]`` pairs of largest margin; lower index among equals. ``wanted`` is (m * m,).

        Taking the best of parts first changes nothing.
        """
        # Sorting whole numbers is many times faster than ordering pairs; only what they leave equal is ordered.
        keys = (self.cell.astype(np.uint64) << _BITS) + (self.margin * _LARGEST).astype(np.uint64)
        ends = np.cumsum(np.bincount(self.cell, minlength=len(wanted)))
        full = np.diff(ends, prepend=0) > wanted
        last = np.arange(len(wanted), dtype=np.uint64) << _BITS
        last[full] = np.sort(keys)[np.minimum(ends - wanted, len(keys) - 1)[full]]
        last[wanted == 0] = _NEVER
        bound = last[self.cell]
        kept = keys > bound
        equal = np.flatnonzero(keys == bound)
        left = wanted - np.bincount(self.cell[kept], minlength=len(wanted))
        kept[equal[self[equal]._first(left)]] = True
        return self[kept]

    def _first(self, wanted: NDArray[np.int64]) -> NDArray[np.intp]:
        """Places of the best, by ordering them all."""
        order = np.lexsort((self.index, -self.margin, self.cell))
        cell = self.cell[order]
        new = np.flatnonzero(np.diff(cell, prepend=-1))
        starts = np.repeat(new, np.diff(new, append=len(cell)))
        return order[np.arange(len(cell)) - starts < wanted[cell]]


class BestPairs:
    """The best of pairs that come in parts, of which few more than wanted are held.

    ``floors`` is (m * m,): only pairs whose margin is at least that of their cell can be among the best.
    """

    def __init__(self, wanted: NDArray[np.int64], floors: NDArray[np.float64] | None = None) -> None:
        self._wanted = wanted
        self._limit = int(wanted.sum()) * 3 // 2 + _HELD
        self._held: list[Pairs] = []
        self.floors = np.where(wanted > 0, 0.0, np.inf) if floors is None else floors

    def add(self, part: Pairs) -> None:
        """Consider a part's pairs as well."""
        self._held.append(part)
        if sum(map(len, self._held)) > self._limit:
            self._held = [self.best()]

    def best(self) -> Pairs:
        """The best of all so far."""
        best = joined(self._held).best(self._wanted)
        full = np.bincount(best.cell, minlength=len(self._wanted)) == self._wanted
        least = np.full(len(self._wanted), np.inf)
        np.minimum.at(least, best.cell, best.margin)
        self.floors = np.where(full, np.maximum(least, self.floors), self.floors)
        return best


def joined(parts: list[Pairs]) -> Pairs:
    """All pairs of several parts."""
    return Pairs(
        np.concatenate([np.zeros(0, np.int64), *(part.cell for part in parts)]),
        np.concatenate([np.zeros(0, np.float64), *(part.margin for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.index for part in parts)]),
    )


def pairs_of(
    labels: Labels, rows: Probabilities, indices: NDArray[np.integer[Any]], floors: NDArray[np.float64]
) -> Pairs:
    """Every pair of a row and a class more probable than its given one, by at least the floor of their cell.

    ``rows`` is (k, m), values between +0 and 1; ``labels`` and ``indices`` are theirs, (k,); ``floors`` is (m * m,).
    """
    m = rows.shape[1]
    bits = np.ascontiguousarray(rows).view(_UNSIGNED[rows.itemsize])
    own = np.take_along_axis(bits, labels[:, None].astype(np.intp), axis=1)
    place = np.flatnonzero(bits > own)
    row = place // m
    cell = place + (labels.astype(np.int64) - np.arange(len(rows)))[row] * m
    margin = rows.reshape(-1)[place].astype(np.float64) - own.view(rows.dtype)[:, 0].astype(np.float64)[row]
    kept = margin >= floors[cell]
    return Pairs(cell[kept], margin[kept], indices[row[kept]].astype(np.int64))


def best_pairs_of(
    labels: Labels,
    rows: Probabilities,
    indices: NDArray[np.integer[Any]],
    wanted: NDArray[np.int64],
    floors: NDArray[np.float64],
) -> Pairs:
    """The best of ``pairs_of``, a few rows at a time, as they are many more than are wanted."""
    best = BestPairs(wanted, floors)
    height = max(1, _NUMBERS // max(1, rows.shape[1]))
    for start in range(0, len(rows), height):
        here = slice(start, start + height)
        best.add(pairs_of(labels[here], rows[here], indices[here], best.floors))
    return best.best()
