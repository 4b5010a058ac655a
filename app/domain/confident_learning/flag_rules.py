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

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.joint import ConfidentJoint
from app.domain.confident_learning.label_quality import Labels, Probabilities
from app.domain.confident_learning.row_scores import RowScores

_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {
    2: np.dtype(np.uint16),
    4: np.dtype(np.uint32),
    8: np.dtype(np.uint64),
}

#: Margins are sorted as whole numbers of so many bits, behind the number of their cell.
_BITS: Final = np.uint64(32)
_LARGEST: Final = float((1 << 32) - 1)
_NEVER: Final = np.iinfo(np.uint64).max

#: Pairs that gather beyond what is wanted before all but the best are dropped, or an eighth of these where it is more.
_HELD: Final = 1 << 19

#: Numbers whose pairs are made at a time, and pairs that are compared at a time.
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


def beaten_by_rival(scores: RowScores) -> NDArray[np.bool_]:
    """(n,) whether another class is more probable than the given one.

    >>> beaten_by_rival(RowScores(np.array([0.5, 0.2]), np.array([0.5, 0.8]), np.array([1, 0], np.uint8))).tolist()
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
    flagged &= beaten_by_rival(scores)
    return flagged


@dataclass(frozen=True, slots=True)
class Pairs:
    """Examples and cells of the joint they may stand in; all (k,).

    ``cell`` is given * m + latent, ``margin`` the probability of the latent class less that of the given one.
    """

    cell: NDArray[np.signedinteger[Any]]
    margin: NDArray[np.float64]
    index: NDArray[np.signedinteger[Any]]

    def __len__(self) -> int:
        return len(self.cell)

    def __getitem__(self, places: Any) -> "Pairs":
        return Pairs(self.cell[places], self.margin[places], self.index[places])

    def among_best(self, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(k,) which are the ``wanted[cell]`` pairs of largest margin of their cell, lower index among equals.

        ``wanted`` is (m * m,). Choosing among parts first changes nothing.
        """
        # Sorting whole numbers is many times faster than ordering pairs; only what they leave equal is ordered.
        ends = np.cumsum(np.bincount(self.cell, minlength=len(wanted)))
        full = np.diff(ends, prepend=0) > wanted
        last = np.arange(len(wanted), dtype=np.uint64) << _BITS
        if full.any():
            keys = self._keys()
            keys.sort()
            last[full] = keys[np.minimum(ends - wanted, len(keys) - 1)[full]]
            del keys
        last[wanted == 0] = _NEVER
        kept, equal = np.empty(len(self), np.bool_), np.empty(len(self), np.bool_)
        for start in range(0, len(self), _NUMBERS):
            here = slice(start, start + _NUMBERS)
            keys, bound = self[here]._keys(), last[self.cell[here]]
            np.greater(keys, bound, out=kept[here])
            np.equal(keys, bound, out=equal[here])
        left = wanted - np.bincount(self.cell[kept], minlength=len(wanted))
        places = np.flatnonzero(equal)
        kept[places[self[places]._first(left)]] = True
        return kept

    def _keys(self) -> NDArray[np.uint64]:
        keys = self.cell.astype(np.uint64)
        keys <<= _BITS
        keys += (self.margin * _LARGEST).astype(np.uint64)
        return keys

    def _first(self, wanted: NDArray[np.int64]) -> NDArray[np.intp]:
        """Places of the best, by ordering them all."""
        order = np.lexsort((self.index, -self.margin, self.cell))
        cell = self.cell[order]
        new = np.flatnonzero(np.diff(cell, prepend=-1))
        starts = np.repeat(new, np.diff(new, append=len(cell)))
        first: NDArray[np.intp] = order[np.arange(len(cell)) - starts < wanted[cell]]
        return first


class BestPairs:
    """The best of pairs that come in parts, of which few more than wanted are held.

    ``wanted`` is (m * m,), how many of each cell; examples have indices below ``n``. ``floors`` is (m * m,): only pairs
    whose margin is at least that of their cell can be among the best.

    >>> best = BestPairs(np.array([0, 1, 0, 0]), n=9)
    >>> best.add(Pairs(np.array([1, 1]), np.array([0.5, 0.75]), np.array([3, 8])))
    >>> best.best().index.tolist(), best.floors.tolist()
    ([8], [inf, 0.75, inf, inf])
    """

    def __init__(self, wanted: NDArray[np.int64], n: int) -> None:
        self._wanted = wanted
        room = int(wanted.sum())
        room += max(_HELD, room // 8)
        # What is never written to takes no memory.
        self._held = Pairs(np.empty(room, counting_type(len(wanted))), np.empty(room), np.empty(room, counting_type(n)))
        self._n = 0
        self.floors = np.where(wanted > 0, 0.0, np.inf)

    def add(self, part: Pairs) -> None:
        """Consider a part's pairs as well."""
        while len(part):
            if self._n == len(self._held):
                self._drop()
            taken = part[: len(self._held) - self._n]
            here = slice(self._n, self._n + len(taken))
            self._held.cell[here], self._held.margin[here] = taken.cell, taken.margin
            self._held.index[here] = taken.index
            self._n, part = here.stop, part[len(taken) :]

    def best(self) -> Pairs:
        """The best of all so far."""
        self._drop()
        return self._held[: self._n]

    def _drop(self) -> None:
        """Keep the best only, in the room they are in, and learn how good later ones must be."""
        held = self._held[: self._n]
        kept = held.among_best(self._wanted)
        self._n = int(np.count_nonzero(kept))
        for column in (held.cell, held.margin, held.index):
            column[: self._n] = column[kept]
        best = held[: self._n]
        full = np.bincount(best.cell, minlength=len(self._wanted)) == self._wanted
        least = np.full(len(self._wanted), np.inf)
        np.minimum.at(least, best.cell, best.margin)
        self.floors = np.where(full, np.maximum(least, self.floors), self.floors)


def counting_type(n: int) -> np.dtype[np.signedinteger[Any]]:
    """The narrower type of whole number that counts to n: there are many pairs, and each should take few bytes."""
    return np.dtype(np.int32 if n < 1 << 31 else np.int64)


def pairs_of(
    labels: Labels, rows: Probabilities, indices: NDArray[np.signedinteger[Any]], floors: NDArray[np.float64]
) -> Pairs:
    """Every pair of a row and a class more probable than its given one, by at least the floor of their cell.

    ``rows`` is (k, m), values between +0 and 1; ``labels`` and ``indices`` are theirs, (k,); ``floors`` is (m * m,).
    """
    height = max(1, _NUMBERS // max(1, rows.shape[1]))
    parts = []
    for start in range(0, len(rows), height):
        here = slice(start, start + height)
        parts.append(_pairs(labels[here], np.ascontiguousarray(rows[here]), indices[here], floors))
    if not parts:
        parts = [Pairs(np.empty(0, np.int32), np.empty(0), indices[:0])]
    return Pairs(
        np.concatenate([part.cell for part in parts]),
        np.concatenate([part.margin for part in parts]),
        np.concatenate([part.index for part in parts]),
    )


def _pairs(
    labels: Labels, rows: Probabilities, indices: NDArray[np.signedinteger[Any]], floors: NDArray[np.float64]
) -> Pairs:
    m = rows.shape[1]
    bits = rows.view(_UNSIGNED[rows.itemsize])
    own = np.take_along_axis(bits, labels[:, None].astype(np.intp), axis=1)
    place = np.flatnonzero(bits > own)
    row = place // m
    cell = place + (labels.astype(np.int64) - np.arange(len(rows)))[row] * m
    margin = rows.reshape(-1)[place].astype(np.float64) - own.view(rows.dtype)[:, 0].astype(np.float64)[row]
    kept = margin >= floors[cell]
    return Pairs(cell[kept].astype(counting_type(m * m)), margin[kept], indices[row[kept]])
