"""Exact sums of probabilities by class, independent of order, block size and workers.

A probability is split into an integer number of units of 2**-31, an integer number of units of 2**-62, and so on until
nothing is left; single precision needs two or three such levels, double precision rarely more. Integers add up exactly
in any order. Only the final mean is rounded, once: the mean of n equal probabilities is exactly that probability, so
"probability at the threshold" is well defined.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.label_quality import Labels, Probabilities, self_confidence

#: Bits of a level. Sums of a level stay below 2**63 for four thousand million rows.
_BITS: Final = 31
#: No threshold is lower, as in cleanlab.
LEAST: Final = 2e-6

#: Rows added up at a time, so that they stay in the cache. A float64 adds up 2**21 whole numbers of 31 bits exactly.
_ROWS: Final = 1 << 14


@dataclass(frozen=True)
class ProbabilitySums:
    """For each class, the summed self-confidence of its examples, and how many there are.

    ``levels`` is (k, m): row i in units of 2**(-31 (i + 1)). ``count`` is (m,).
    """

    levels: NDArray[np.int64]
    count: NDArray[np.int64]

    def __add__(self, other: Self) -> "ProbabilitySums":
        short, long = sorted((self.levels, other.levels), key=len)
        levels = long.copy()
        levels[: len(short)] += short
        return ProbabilitySums(levels, self.count + other.count)

    @property
    def total(self) -> NDArray[np.float64]:
        """(m,) the sums, each rounded once."""
        return np.array([units / (1 << self._scale) for units in self._units()], dtype=np.float64)

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """(m,) the class thresholds t_j (Eq. 1), each the exact mean rounded once; NaN for a class without examples.

        >>> (probability_sums(np.array([0, 0]), np.array([[0.9, 0.1], [0.6, 0.4]]))).thresholds
        array([0.75,  nan])
        """
        by_class = zip(self._units(), self.count.tolist(), strict=True)
        means = [units / (n << self._scale) if n else np.nan for units, n in by_class]
        return np.array(means, dtype=np.float64)

    @property
    def _scale(self) -> int:
        return _BITS * len(self.levels)

    def _units(self) -> list[int]:
        """The sums in units of the last level."""
        units = [0] * len(self.count)
        for level in self.levels.tolist():
            units = [(above << _BITS) + here for above, here in zip(units, level, strict=True)]
        return units


def least_probabilities(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """(m,) what the probability of a class must reach for an example to count as of it: its threshold.

    Nothing reaches that of a class without examples. It is no lower than ``LEAST``: the threshold of a class that no
    model learnt, because its only example was held out, is 0, which every probability would reach.

    >>> least_probabilities(np.array([0.75, 0.0, np.nan])).tolist()
    [0.75, 2e-06, inf]
    """
    return np.where(np.isnan(thresholds), np.inf, np.maximum(thresholds, LEAST))


def probability_sums(labels: Labels, pred_probs: Probabilities) -> ProbabilitySums:
    """Sums and counts behind Eq. 1 for a block of rows; those of the whole are the sum over any blocks.

    >>> probability_sums(np.array([0, 0]), np.array([[0.9, 0.1], [0.6, 0.4]])).total
    array([1.5, 0. ])
    """
    return sums_by_class(labels, self_confidence(labels, pred_probs), pred_probs.shape[1])


def sums_by_class(labels: Labels, values: Probabilities, m: int) -> ProbabilitySums:
    """The exact sums of (n,) probabilities by the (n,) classes they belong to, out of m.

    >>> a, b = np.array([0]), np.array([0.1])
    >>> (sums_by_class(a, b, 1) + sums_by_class(a, b, 1) + sums_by_class(a, b, 1)).thresholds == 0.1
    array([ True])
    """
    total = ProbabilitySums(np.zeros((1, m), dtype=np.int64), np.zeros(m, dtype=np.int64))
    for start in range(0, len(labels), _ROWS):
        here = slice(start, start + _ROWS)
        total = total + _sums(labels[here].astype(np.intp), values[here].astype(np.float64), m)
    return total


def _sums(labels: Labels, rest: NDArray[np.float64], m: int) -> ProbabilitySums:
    count = np.bincount(labels, minlength=m).astype(np.int64)
    levels: list[NDArray[np.int64]] = []
    while len(rest) or not levels:
        rest = rest * 2.0**_BITS
        whole = np.floor(rest)
        levels.append(np.bincount(labels, weights=whole, minlength=m).astype(np.int64))
        rest -= whole
        left = np.flatnonzero(rest)
        labels, rest = labels[left], rest[left]
    return ProbabilitySums(np.array(levels), count)
