"""How good probabilities are, by what turned out: Brier score, reliability, and whether others are better."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.bootstrap import REPLICATES, SEED, Interval, accuracy_interval, central

Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

#: Points of a reliability curve at most, and examples of a point at least, where there are so many.
POINTS: Final = 8
_LEAST: Final = 20
#: Examples drawn at a time.
_DRAWN: Final = 1_000_000


def brier(probabilities: Numbers, right: Marks) -> float:
    """The mean squared distance from what turned out: 0 is perfect, 1/4 is saying one half of everything.

    Raises ValueError without examples.

    >>> brier(np.array([1.0, 0.5]), np.array([True, False]))
    0.125
    """
    if not len(right):
        raise ValueError("expected examples")
    return float(((probabilities - right) ** 2).mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """By how much the first Brier score is larger than the second, and the 95 % interval of that: above 0, the second
    is better beyond chance.
    """

    difference: float
    interval: Interval


def compare_brier(first: Numbers, second: Numbers, right: Marks) -> Comparison:
    """Two probabilities of the same examples, compared on examples drawn with replacement, always the same ones.

    >>> found = compare_brier(np.array([0.5] * 4), np.array([1.0] * 4), np.array([True] * 4))
    >>> found
    Comparison(difference=0.25, interval=(0.25, 0.25))
    """
    gains = (first - right) ** 2 - (second - right) ** 2
    n, generator = len(gains), np.random.default_rng(SEED)
    height = max(1, _DRAWN // n)
    means = np.concatenate(
        [
            gains[generator.integers(n, size=(min(height, REPLICATES - start), n))].mean(axis=1)
            for start in range(0, REPLICATES, height)
        ]
    )
    interval = central(means)
    if interval is None:
        raise ValueError("expected probabilities")
    return Comparison(float(gains.mean()), interval)


@dataclass(frozen=True, slots=True)
class Point:
    """Examples with about the same probability: its mean, and the share of them that is right, with its interval."""

    n: int
    said: float
    right: float
    interval: Interval


def reliability(probabilities: Numbers, right: Marks) -> list[Point]:
    """Groups of examples by probability, ascending, of about equal size; those of one hundredth stay together.

    >>> [(point.n, point.said, point.right) for point in reliability(np.array([0.2] * 20 + [0.9] * 20),
    ...     np.array([True] * 4 + [False] * 16 + [True] * 20))]
    [(20, 0.2, 0.2), (20, 0.9, 1.0)]
    """
    order = np.argsort(probabilities, kind="stable")
    said, found = probabilities[order], right[order]
    hundredths = np.round(said, 2)
    wanted = max(1, min(POINTS, len(said) // _LEAST))
    cuts = [0]
    for part in range(1, wanted):
        # Behind the last one of the same hundredth.
        cut = int(np.searchsorted(hundredths, hundredths[part * len(said) // wanted - 1], side="right"))
        if cut > cuts[-1] and cut < len(said):
            cuts.append(cut)
    points = []
    for low, high in zip(cuts, [*cuts[1:], len(said)], strict=True):
        n, n_right = high - low, int(found[low:high].sum())
        interval = accuracy_interval(n_right, n)
        if interval is not None:
            points.append(Point(n, round(float(said[low:high].mean()), 6), n_right / n, interval))
    return points
