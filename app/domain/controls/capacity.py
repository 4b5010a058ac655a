"""Whether accuracy rises or falls with the capacity of models, the number of their parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.bootstrap import Interval, correlation_intervals, right_counts
from app.domain.ranking.rank_correlation import kendall_tau


@dataclass(frozen=True, slots=True)
class Correlation:
    """Kendall's tau-b of capacity with accuracy, and its central 95 % over resampled examples; None where undefined."""

    tau: float | None
    interval: Interval | None


def capacity_correlation(parameters: NDArray[np.int64], marks: NDArray[np.bool_]) -> Correlation:
    """The rank correlation of (k,) numbers of parameters with the right predictions in (n, k) marks.

    The models are taken as they are; only examples are resampled. Raises ValueError where the two do not fit.

    >>> capacity_correlation(np.array([1, 2, 3]), np.array([[True, False, False], [True, True, False]])).tau
    -1.0
    """
    n, k = marks.shape
    if parameters.shape != (k,):
        raise ValueError(f"expected {k} numbers of parameters, found shape {parameters.shape}")
    if not n:
        return Correlation(None, None)
    counts = right_counts(marks)
    interval, _ = correlation_intervals(np.broadcast_to(parameters, counts.shape), counts)
    return Correlation(kendall_tau(parameters, marks.sum(axis=0)), interval)
