"""Whether a ranking of models turns over when other labels count as right, and how much of that is arithmetic.

A model predicts the given label of an example, the other label in question (the corrected or the guessed one), or
neither. The three shares sum to one. Where "neither" is rare, ranking models by one of the other two is nearly the
reverse of ranking them by the other, whichever label is right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Labels, Ranked, right
from app.domain.ranking.bootstrap import Interval, correlation_intervals, right_counts
from app.domain.ranking.rank_correlation import kendall_tau

Counts = NDArray[np.int64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Turnover:
    """How k models predict n examples by each of two labels. ``given`` and ``other`` are (k,) right predictions.

    ``tau`` is Kendall's tau-b between the two, None where a ranking has no two different places; ``interval`` is its
    central 95 % over resampled examples.
    """

    n: int
    given: Counts
    other: Counts
    tau: float | None
    interval: Interval | None

    @property
    def neither(self) -> Counts:
        """(k,) predictions that are neither label; of first choices only, which cannot be both."""
        return self.n - self.given - self.other


def marks_of(ranked: list[Ranked], labels: Labels, top: int) -> Marks:
    """(n, k) whether each of k models has an example's label among its first ``top`` choices."""
    columns = [right(of_model, labels, top) for of_model in ranked]
    return np.stack(columns, axis=1) if columns else np.zeros((len(labels), 0), np.bool_)


def turnover(given: Marks, other: Marks) -> Turnover:
    """The turnover of k models from (n, k) marks of predictions right by the given and by the other label.

    Raises ValueError for marks of different shapes.

    >>> given = np.array([[True, False], [True, False], [False, True]])
    >>> turnover(given, ~given).tau
    -1.0
    """
    if given.shape != other.shape:
        raise ValueError(f"expected marks of the same shape, found {given.shape} and {other.shape}")
    n, k = given.shape
    counts = right_counts(np.concatenate((given, other), axis=1))
    interval = correlation_intervals(counts[:, :k], counts[:, k:])[0] if n else None
    by_given, by_other = given.sum(axis=0), other.sum(axis=0)
    return Turnover(n, by_given, by_other, kendall_tau(by_given, by_other), interval)
