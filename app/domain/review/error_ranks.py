"""How the share of errors falls with the rank of examples, and how many the next ones probably hold.

Ranks are 1, 2, ... by suspicion, most suspicious first. An example is an error with probability

    p(r) = 1 / (1 + exp(-(a + b ln r))),  b <= 0,

a logistic curve over the logarithm of the rank r that never rises. Its two numbers are not estimated as points: all
pairs are weighed by how well they explain what was checked, beginning with the same weight for every p at the middle of
the checked ranks (a logistic density of a there) and a half-normal one of scale 2 for -b. What is told are means and
quantiles over the weighed pairs, so few or clear-cut answers give wide intervals instead of no answer. Weights are
computed on a grid; nothing is drawn at random, and the same answers give the same numbers.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Ranks = NDArray[np.integer[Any]]

#: The quantile of the standard normal distribution that two-sided 95 % intervals need.
_Z: Final = 1.959963984540054
#: Upper ends of bins of ranks, times powers of ten.
_ENDS: Final = (1, 2, 3, 5, 7)
_STEEPNESS: Final = 2.0  # the scale of -b
_STEEPEST: Final = 12.0
_FARTHEST: Final = 16.0  # |a| at the middle; p is within 1e-7 of 0 or 1 there
_GRID: Final = 31
_ROUNDS: Final = 8  # in which the grid is drawn closer at most
_NEGLIGIBLE: Final = 12.0  # log weights so far below the largest are left out when the grid is drawn closer
_GROUPS: Final = 512


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of Wilson (1927) for a share of which ``found`` in ``of`` were seen; (0, 1) where none was.

    >>> [round(end, 4) for end in wilson(82, 93)], wilson(0, 0)
    ([0.8005, 0.9327], (0.0, 1.0))
    """
    if not of:
        return 0.0, 1.0
    share, spread = found / of, _Z * _Z / of
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / of + spread / of / 4) / (1 + spread)
    return (0.0 if not found else middle - half), (1.0 if found == of else middle + half)


@dataclass(frozen=True, slots=True)
class RankBin:
    """The ranks ``first`` to ``last``: how many were checked, how many of these are errors, and how many up to here."""

    first: int
    last: int
    checked: int
    errors: int
    errors_so_far: int
    checked_so_far: int

    @property
    def share(self) -> float | None:
        return self.errors / self.checked if self.checked else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the share, Wilson's; None where none was checked."""
        return wilson(self.errors, self.checked) if self.checked else None

    @property
    def complete(self) -> bool:
        return self.checked == self.last - self.first + 1


def rank_bins(ranks: Ranks, errors: NDArray[np.bool_]) -> list[RankBin]:
    """The checked examples in bins of rank that end with 10, 20, 30, 50, 70, 100, 200, ..., and with the last checked.

    ``ranks`` is (n,) ascending, ``errors`` (n,) whether each is an error.

    >>> rank_bins(np.array([1, 2, 12]), np.array([True, False, True]))[1]
    RankBin(first=11, last=12, checked=1, errors=1, errors_so_far=2, checked_so_far=3)
    """
    if not len(ranks):
        return []
    most = int(ranks[-1])
    ends = [end for power in range(1, len(str(most)) + 1) for step in _ENDS if (end := step * 10**power) < most]
    edges = [0, *ends, most]
    counts = [0, *np.searchsorted(ranks, edges[1:], side="right").tolist()]
    found = [0, *np.cumsum(errors, dtype=np.int64).tolist()]
    return [
        RankBin(low + 1, high, stop - start, found[stop] - found[start], found[stop], stop)
        for (low, high), (start, stop) in zip(pairwise(edges), pairwise(counts), strict=True)
    ]


def checked_throughout(ranks: Ranks) -> int:
    """How many of the first ranks were checked without a gap; ``ranks`` is (n,) ascending.

    >>> checked_throughout(np.array([1, 2, 4]))
    2
    """
    return int(np.searchsorted(ranks - np.arange(1, len(ranks) + 1), 0, side="right"))


def next_ranks(ranks: Ranks, most: int, size: int) -> NDArray[np.int64]:
    """The first ``most`` ranks from 1 to ``size`` that were not checked; ``ranks`` is (n,) ascending.

    >>> next_ranks(np.array([1, 2, 4]), 3, size=6).tolist(), next_ranks(np.array([1, 2, 4]), 9, size=4).tolist()
    ([3, 5, 6], [3])
    """
    # Before the k-th unchecked rank stand k - 1 unchecked ones and the checked ones with fewer than k unchecked before.
    places = np.arange(most)
    before = np.searchsorted(ranks - np.arange(1, len(ranks) + 1), places, side="right")
    found: NDArray[np.int64] = (places + before + 1).astype(np.int64)
    return found[found <= size]


@dataclass(frozen=True, slots=True)
class Forecast:
    """How many of some ranks are probably errors: the mean, and a 95 % interval of whole numbers."""

    first: int
    last: int
    examples: int
    expected: float
    interval: tuple[int, int]


@dataclass(frozen=True, slots=True)
class RankCurve:
    """The weighed curves; all (k,): ``at_middle`` the logit at the rank exp(``middle``), ``slopes`` b, ``weights``."""

    middle: float
    at_middle: NDArray[np.float64]
    slopes: NDArray[np.float64]
    weights: NDArray[np.float64]

    def shares(self, ranks: Ranks) -> NDArray[np.float64]:
        """(n,) the mean probability that an example of each rank is an error; it never rises with the rank."""
        return self.weights @ self._probabilities(ranks)

    def forecast(self, ranks: Ranks) -> Forecast:
        """What some ranks, at least one and ascending, probably hold.

        For each curve the number of errors is a sum of independent events of different probability, whose distribution
        is exact; these are averaged. The interval has at most 2.5 % beyond either end.
        """
        by_number = np.zeros((len(ranks) + 1, len(self.weights)))
        by_number[0] = 1.0
        for n, p in enumerate(self._probabilities(ranks).T, start=1):
            by_number[1 : n + 1] += p * (by_number[:n] - by_number[1 : n + 1])
            by_number[0] *= 1 - p
        cumulated = np.cumsum(by_number @ self.weights)
        low, high = (int(np.searchsorted(cumulated, end)) for end in (0.025, 0.975))
        expected = float(self.shares(ranks).sum())
        return Forecast(int(ranks[0]), int(ranks[-1]), len(ranks), expected, (low, min(high, len(ranks))))

    def falls_below(self, share: float, size: int) -> int | None:
        """The first rank up to ``size`` at which fewer than ``share`` are errors by the mean curve; None without."""
        if self.shares(np.array([size]))[0] >= share:
            return None
        low, high = 0, size
        while high - low > 1:
            between = (low + high) // 2
            low, high = (low, between) if self.shares(np.array([between]))[0] < share else (between, high)
        return high

    def _probabilities(self, ranks: Ranks) -> NDArray[np.float64]:
        away = np.log(ranks) - self.middle
        return _share_of(self.at_middle[:, None] + self.slopes[:, None] * away)


def rank_curve(ranks: Ranks, errors: NDArray[np.bool_]) -> RankCurve:
    """Fit the curve to what was checked: ``ranks`` is (n,) ascending and not empty, ``errors`` (n,).

    More than 512 examples are first joined, neighbours by neighbours, into 512 groups of one mean logarithm each.
    """
    logs = np.log(ranks)
    middle = float(logs.mean())
    starts = np.unique(np.linspace(0, len(ranks), min(len(ranks), _GROUPS), endpoint=False).astype(np.int64))
    n = np.diff(starts, append=len(ranks))
    away = np.add.reduceat(logs, starts) / n - middle
    found = np.add.reduceat(errors.astype(np.float64), starts)
    box = (-_FARTHEST, _FARTHEST, -_STEEPEST, 0.0)
    a, b, weights = _weighed(box, away, found, n)
    for _ in range(_ROUNDS):
        near = weights > weights.max() - _NEGLIGIBLE
        closer = _around(a[near], (box[0], box[1])) + _around(b[near], (box[2], box[3]))
        if _area(closer) > _area(box) / 2:
            break
        box = closer
        a, b, weights = _weighed(box, away, found, n)
    weights = np.exp(weights - weights.max())
    kept = weights > math.exp(-_NEGLIGIBLE)
    return RankCurve(middle, a[kept], b[kept], weights[kept] / weights[kept].sum())


def _weighed(
    box: tuple[float, float, float, float],
    away: NDArray[np.float64],
    found: NDArray[np.float64],
    n: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The points of a grid over a box, at the middles of its cells, with the logarithms of their weights."""
    steps = (np.arange(_GRID) + 0.5) / _GRID
    a, b = (one.ravel() for one in np.meshgrid(box[0] + steps * (box[1] - box[0]), box[2] + steps * (box[3] - box[2])))
    logs = -np.logaddexp(0, a) - np.logaddexp(0, -a) - (b / _STEEPNESS) ** 2 / 2
    for x, errors, of in zip(away.tolist(), found.tolist(), n.tolist(), strict=True):
        logit = a + b * x
        logs += errors * logit - of * np.logaddexp(0, logit)
    return a, b, logs


def _around(values: NDArray[np.float64], within: tuple[float, float]) -> tuple[float, float]:
    """The range of some values and two cells more on both sides, within the range that they were chosen from."""
    more = 2 * (within[1] - within[0]) / _GRID
    return max(within[0], float(values.min()) - more), min(within[1], float(values.max()) + more)


def _area(box: tuple[float, float, float, float]) -> float:
    return (box[1] - box[0]) * (box[3] - box[2])


def _share_of(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return shares
