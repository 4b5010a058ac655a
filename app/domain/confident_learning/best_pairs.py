"""The best pairs of each cell of the joint: what ``prune_by_noise_rate`` chooses from, out of more than memory holds.

Every example may be paired with each class more probable than its given one; of each cell so many pairs of largest
margin are wanted. A small joint is a table of all its cells; of a large one only the cells are held of which pairs are
wanted. The pairs chosen are the same.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.joint import ConfidentJoint
from app.domain.confident_learning.label_quality import Labels, Probabilities

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


@dataclass(frozen=True, slots=True)
class Pairs:
    """Examples and cells of the joint they may stand in; all (k,).

    ``cell`` is given * m + latent, or a place among ``WantedCells``; ``margin`` is the probability of the latent class
    less that of the given one.
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

        ``wanted`` is (c,). Choosing among parts first changes nothing.
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

    ``wanted`` is (c,), how many of each of c cells: m * m, or those that are wanted; examples have indices below ``n``.
    ``floors`` is (c,): only pairs whose margin is at least that of their cell can be among the best.

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
    return _together(parts, indices)


def _together(parts: list[Pairs], indices: NDArray[np.signedinteger[Any]]) -> Pairs:
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


@dataclass(frozen=True, slots=True)
class WantedCells:
    """Cells of a joint of which pairs are wanted, by place, with their floors; all (c,).

    ``cell`` is given * m + latent, ascending.
    """

    m: int
    cell: NDArray[np.int64]
    place: NDArray[np.signedinteger[Any]]
    floor: NDArray[np.float64]

    @staticmethod
    def of(wanted: ConfidentJoint, floors: NDArray[np.float64]) -> "WantedCells":
        return WantedCells(wanted.m, wanted.cell, np.arange(len(wanted), dtype=counting_type(len(wanted))), floors)

    def of_classes(self, labels: Labels) -> "WantedCells":
        """The cells in which examples of these given labels may stand, in any order."""
        classes = np.unique(labels.astype(np.int64))
        places = _runs(*self.spans(classes))
        return WantedCells(self.m, self.cell[places], self.place[places], self.floor[places])

    def spans(self, labels: Labels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the cells of each given label begin, and how many they are; both (k,)."""
        first = labels.astype(np.int64) * self.m
        starts = np.searchsorted(self.cell, first)
        return starts, np.searchsorted(self.cell, first + self.m) - starts


def pairs_in(
    labels: Labels, rows: Probabilities, indices: NDArray[np.signedinteger[Any]], wanted: WantedCells
) -> Pairs:
    """Every pair that ``pairs_of`` finds in the cells wanted, by the place of its cell. Looks at these cells alone.

    >>> from app.domain.confident_learning.joint_cells import JointCells
    >>> counts = JointCells.of(np.array([[0, 0, 2], [1, 0, 0], [0, 0, 0]]))
    >>> wanted = WantedCells.of(counts, np.zeros(2))
    >>> rows = np.array([[0.25, 0.0, 0.75], [0.25, 0.5, 0.25]])
    >>> found = pairs_in(np.array([0, 1]), rows, np.array([7, 8]), wanted)
    >>> found.cell.tolist(), found.margin.tolist(), found.index.tolist()
    ([0], [0.5], [7])
    """
    starts, many = wanted.spans(labels)
    ends = np.cumsum(many)
    parts, first = [], 0
    while first < len(rows):
        before = int(ends[first]) - int(many[first])
        stop = max(first + 1, int(np.searchsorted(ends, before + _NUMBERS // 8, side="right")))
        here = slice(first, stop)
        parts.append(_pairs_in(labels[here], rows[here], indices[here], wanted, (starts[here], many[here])))
        first = stop
    return _together(parts, indices)


def _pairs_in(
    labels: Labels,
    rows: Probabilities,
    indices: NDArray[np.signedinteger[Any]],
    wanted: WantedCells,
    spans: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> Pairs:
    row, places = np.repeat(np.arange(len(rows)), spans[1]), _runs(*spans)
    given = labels.astype(np.int64)
    own = rows[np.arange(len(rows)), given].astype(np.float64)
    other = rows[row, wanted.cell[places] - given[row] * wanted.m].astype(np.float64)
    margin = other - own[row]
    kept = (other > own[row]) & (margin >= wanted.floor[places])
    return Pairs(wanted.place[places[kept]], margin[kept], indices[row[kept]])


def _runs(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """The numbers from each start on, as many as its length, one run after the other.

    >>> _runs(np.array([5, 0]), np.array([3, 2])).tolist()
    [5, 6, 7, 0, 1]
    """
    ends = np.cumsum(lengths)
    runs: NDArray[np.intp] = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
    return runs
