"""How sure an accuracy, or a crossing, is: confidence intervals by resampling examples.

Resampling n examples with replacement and counting how many fall into each of a few kinds is one multinomial draw: the
draws here have exactly the distribution of the counts of resampled examples, and no example is ever touched. Sets are
resampled each on its own, so their sizes, and with them the noise prevalence, stay what they are.

Everything is drawn from a fixed seed: the same counts give the same interval, whatever else is computed beside it.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.crossings import prevalences

REPLICATES: Final = 1_000
LEVEL: Final = 0.95
SEED: Final = 20210326


def accuracy_interval(n_right: int, n: int, replicates: int = REPLICATES) -> tuple[float, float] | None:
    """The central 95 % interval of n_right / n over resampled examples; None without examples.

    Where all examples, or none, are right, resampling has nothing to vary and would claim certainty. The open end is
    then the exact binomial bound: the accuracy at which such a clean sweep would still happen in 2.5 % of test sets.

    Raises ValueError unless ``0 <= n_right <= n``.

    >>> accuracy_interval(18, 18)
    (0.8147, 1.0)
    """
    if not 0 <= n_right <= n:
        raise ValueError(f"{n_right} right of {n} examples")
    if n == 0:
        return None
    tail = (1 - LEVEL) / 2
    if n_right in (0, n):
        bound = tail ** (1 / n)
        return (round(bound, 4), 1.0) if n_right else (0.0, round(1 - bound, 4))
    drawn = np.random.default_rng(SEED).binomial(n, n_right / n, replicates) / n
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return float(low), float(high)


def crossing_intervals(
    benign: NDArray[np.int64], correctable: NDArray[np.int64], least: float, replicates: int = REPLICATES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pairs of models cross over resampled examples.

    ``benign`` and ``correctable`` are (pairs, 4) counts of the examples of B and of C that both models of a pair, only
    the first, only the second, and neither predict right. ``least`` is the smallest prevalence that counts, |C| / |P|.

    Returns (pairs, 2) central 95 % intervals of the crossing among the resampled test sets in which the pair crosses
    between ``least`` and 1, NaN where there is none, and (pairs,) shares of the test sets in which it does.
    """
    generator = np.random.default_rng(SEED)
    found = prevalences(_gaps(benign, replicates, generator), -_gaps(correctable, replicates, generator), least)
    crosses = np.isfinite(found)
    intervals = np.full((found.shape[1], 2), np.nan)
    some = crosses.any(axis=0)
    tail = (1 - LEVEL) / 2
    if some.any():
        intervals[some] = np.nanquantile(found[:, some], (tail, 1 - tail), axis=0).T
    return intervals, crosses.mean(axis=0)


def _gaps(counts: NDArray[np.int64], replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(replicates, pairs) accuracy of the first model minus that of the second on resampled examples."""
    n = counts.sum(axis=1)
    if (n == 0).any():
        return np.zeros((replicates, len(counts)))
    drawn = generator.multinomial(n, counts / n[:, None], size=(replicates, len(counts)))
    gaps: NDArray[np.float64] = (drawn[..., 1] - drawn[..., 2]) / n
    return gaps
