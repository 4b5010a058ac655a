"""An opinion: the classes that an independent relabelling names for each example of a test set, with weights.

Raters' counts, sets of labels and single labels are the same thing here. Each example has some classes with a weight
each: how many raters chose the class, or 1 in a set. The opinion *holds* the classes of the largest weight: the
plurality of raters, all of those that tie for it, or all members of a set. Without any class it is silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.integer[Any]]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Opinion:
    """The classes of n examples. Those of example i are ``classes[offsets[i]:offsets[i + 1]]``, ascending.

    ``weights`` are whole numbers above 0, one for each of ``classes``. ``counted`` says whether they count raters; else
    all are 1. Raises ValueError for arrays that do not fit each other.
    """

    offsets: NDArray[np.int64]  # (n + 1,)
    classes: NDArray[np.int64]  # (k,)
    weights: NDArray[np.int64]  # (k,)
    counted: bool

    def __post_init__(self) -> None:
        ends = self.offsets
        if ends.ndim != 1 or not len(ends) or ends[0] or (np.diff(ends) < 0).any() or ends[-1] != len(self.classes):
            raise ValueError("expected offsets that rise from 0 to the number of classes")
        if self.classes.shape != self.weights.shape or (self.weights < 1).any() or (self.classes < 0).any():
            raise ValueError("expected classes from 0 on, with a weight above 0 each")
        if len(self._keys) > 1 and (np.diff(self._keys) <= 0).any():
            raise ValueError("expected the classes of each example to ascend, each once")

    @classmethod
    def of_counts(cls, counts: ArrayLike) -> Self:
        """The opinion of (n, m) numbers of raters for each class.

        >>> Opinion.of_counts([[3, 0, 2], [0, 0, 0]]).held.members(0)
        (0,)
        """
        table = np.asarray(counts)
        rows, classes = np.nonzero(table)
        return cls(_offsets(rows, len(table)), classes.astype(np.int64), table[rows, classes].astype(np.int64), True)

    @classmethod
    def of_sets(cls, sets: Sequence[Sequence[int]]) -> Self:
        """The opinion of a list of class ids for each example, in any order.

        >>> Opinion.of_sets([[7, 2], []]).held.members(0)
        (2, 7)
        """
        ordered = [sorted(set(members)) for members in sets]
        offsets = np.zeros(len(ordered) + 1, np.int64)
        np.cumsum([len(members) for members in ordered], out=offsets[1:])
        classes = np.array([one for members in ordered for one in members], np.int64)
        return cls(offsets, classes, np.ones(len(classes), np.int64), False)

    @classmethod
    def of_labels(cls, labels: ArrayLike) -> Self:
        """The opinion of (n,) class ids; it is silent where one is below 0."""
        ids = np.asarray(labels)
        rows = np.flatnonzero(ids >= 0)
        return cls(_offsets(rows, len(ids)), ids[rows].astype(np.int64), np.ones(len(rows), np.int64), False)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def speaks(self) -> Marks:
        """(n,) whether it names any class."""
        marks: Marks = np.diff(self.offsets) > 0
        return marks

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """(n,) the sum of weights of each example: how many raters, or classes, there are."""
        sums = np.concatenate(([0], np.cumsum(self.weights)))
        totals: NDArray[np.int64] = sums[self.offsets[1:]] - sums[self.offsets[:-1]]
        return totals

    @cached_property
    def held(self) -> "Opinion":
        """What it holds: of each example the classes of the largest weight, with that weight."""
        n_each = np.diff(self.offsets)
        most = np.zeros(len(self), np.int64)
        if len(self.classes):
            most[self.speaks] = np.maximum.reduceat(self.weights, self.offsets[:-1][self.speaks])
        top = self.weights == np.repeat(most, n_each)
        rows = np.repeat(np.arange(len(self)), n_each)[top]
        return Opinion(_offsets(rows, len(self)), self.classes[top], self.weights[top], self.counted)

    def members(self, index: int) -> tuple[int, ...]:
        """The classes of an example, ascending."""
        return tuple(self.classes[self.offsets[index] : self.offsets[index + 1]].tolist())

    def named(self, index: int) -> list[tuple[int, int]]:
        """The classes of an example with their weights, the largest weight first.

        >>> Opinion.of_counts([[1, 3]]).named(0)
        [(1, 3), (0, 1)]
        """
        here = slice(self.offsets[index], self.offsets[index + 1])
        pairs = zip(self.classes[here].tolist(), self.weights[here].tolist(), strict=True)
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def weight(self, indices: Integers, classes: Integers) -> NDArray[np.int64]:
        """(k,) the weights of one class for each of k examples; 0 where it is not named, as for a class below 0."""
        wanted = np.asarray(indices, np.int64) * self._spread + classes
        if not len(self._keys):
            return np.zeros(len(wanted), np.int64)
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        named = (self._keys[places] == wanted) & (classes >= 0) & (classes < self._spread)
        return np.where(named, self.weights[places], 0)

    def share(self, indices: Integers, classes: Integers) -> NDArray[np.float64]:
        """(k,) the shares of raters who chose one class for each of k examples; NaN where nobody was asked."""
        totals = self.totals[indices]
        chosen = self.weight(indices, classes)
        shares: NDArray[np.float64] = np.divide(chosen, totals, out=np.full(len(totals), np.nan), where=totals > 0)
        return shares

    def holds(self, indices: Integers, classes: Integers) -> Marks:
        """(k,) whether it holds one class for each of k examples.

        >>> Opinion.of_counts([[3, 3, 1]]).holds(np.array([0, 0]), np.array([1, 2])).tolist()
        [True, False]
        """
        marks: Marks = self.held.weight(indices, classes) > 0
        return marks

    @cached_property
    def _spread(self) -> int:
        """More than any class id."""
        return int(self.classes.max(initial=0)) + 1

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        """(k,) example and class as one number, ascending."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        keys: NDArray[np.int64] = rows * self._spread + self.classes
        return keys


def _offsets(rows: Integers, n: int) -> NDArray[np.int64]:
    """The offsets of entries that belong to these rows, ascending, of n."""
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=n), out=offsets[1:])
    return offsets
