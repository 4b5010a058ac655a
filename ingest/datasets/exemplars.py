"""Choose typical examples of each class: the non-issues that the model assigns to it most confidently.

They are chosen once per class, block by block, so that fifty million examples need no sort. Their media are read like
any others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]

#: Exemplars per class. The paper's worker interface shows a few beside the example in question.
PER_CLASS: Final = 4
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Exemplar:
    """An example and the model's probability of its own label."""

    index: int
    self_confidence: float


def choose(
    labels: Integers,
    self_confidence: NDArray[np.floating[Any]],
    issues: Integers,
    per_class: int = PER_CLASS,
) -> Mapping[int, tuple[Exemplar, ...]]:
    """The most confident examples of each class, most confident first, ties by index; none if all of a class are
    issues.

    ``labels`` and ``self_confidence`` are (n,); ``issues`` are indices of examples that must not be chosen.

    >>> choose(np.array([0, 0, 1, 0]), np.array([0.9, 0.7, 0.8, 0.95]), np.array([3]), per_class=1)
    {0: (Exemplar(index=0, self_confidence=0.9),), 1: (Exemplar(index=2, self_confidence=0.8),)}
    """
    clean = np.ones(len(labels), dtype=bool)
    clean[issues] = False
    best = np.empty(0, dtype=np.int64)
    floors = np.full(int(labels.max(initial=0)) + 1, -1.0)  # what an example of each class must reach to be among them
    for start in range(0, len(labels), _BLOCK):
        block = slice(start, start + _BLOCK)
        here = start + np.flatnonzero(clean[block] & (self_confidence[block] > floors[labels[block]]))
        best = _surest(np.concatenate([best, here]), labels, self_confidence, per_class)
        of, counts = np.unique(labels[best], return_counts=True)
        last = best[np.cumsum(counts) - 1]
        full = counts == per_class
        floors[of[full]] = self_confidence[last[full]]
    chosen: dict[int, tuple[Exemplar, ...]] = {}
    for index in best.tolist():
        label = int(labels[index])
        chosen[label] = (*chosen.get(label, ()), Exemplar(index, float(self_confidence[index])))
    return chosen


def choose_of_sets(
    sets: Sequence[Sequence[int]],
    self_confidence: NDArray[np.float64],
    issues: Integers,
    per_class: int = PER_CLASS,
) -> Mapping[int, tuple[Exemplar, ...]]:
    """``choose`` for multi-label datasets: an example can be chosen for each class it carries.

    >>> choose_of_sets([(0, 1), (1,), ()], np.array([0.9, 0.95, 0.8]), np.array([], int), per_class=1)
    {0: (Exemplar(index=0, self_confidence=0.9),), 1: (Exemplar(index=1, self_confidence=0.95),)}
    """
    skipped = set(issues.tolist())
    carried: dict[int, list[Exemplar]] = {}
    for index in np.lexsort((np.arange(len(sets)), -self_confidence)).tolist():
        for label in () if index in skipped else sets[index]:
            chosen = carried.setdefault(int(label), [])
            if len(chosen) < per_class:
                chosen.append(Exemplar(index, float(self_confidence[index])))
    return {label: tuple(carried[label]) for label in sorted(carried)}


def _surest(
    indices: NDArray[np.int64], labels: Integers, self_confidence: NDArray[np.floating[Any]], per_class: int
) -> NDArray[np.int64]:
    """The first few examples of each class among these indices, by class, most confident first."""
    unsure = -self_confidence[indices].astype(np.float64)
    order = indices[np.lexsort((indices, unsure, labels[indices]))]
    of = labels[order]
    first = np.searchsorted(of, of, side="left")
    return order[np.arange(len(order)) - first < per_class]
