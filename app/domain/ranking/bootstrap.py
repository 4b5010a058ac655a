"""Bootstrap confidence intervals of accuracies, ranks and crossings.

How many of n examples drawn with replacement fall into each of a few kinds is one multinomial draw, so accuracies and
crossings never touch single examples. Ranks depend on all models at once, and for them examples are drawn, of more than
a million all at once that the same models predict right. Each set is resampled separately, so the sizes of the sets,
and with them the noise prevalence, do not change.

Every call starts from the same fixed seed: the same counts give the same interval, whatever else is computed.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.crossings import prevalences
from app.domain.ranking.rank_correlation import kendall_taus, ranks, spearmans

REPLICATES: Final = 1_000
LEVEL: Final = 0.95
SEED: Final = 20210326
_TAIL: Final = (1 - LEVEL) / 2
#: Examples drawn, and pairs of models compared, at a time: memory stays flat whatever there is to resample.
_DRAWN: Final = 1_000_000
_COMPARED: Final = 4_000_000
#: Of more examples, those that the same models predict right are drawn together.
_SINGLE: Final = 1_000_000
#: Columns of marks that are told by one number, beside one of the numbers of examples.
_BITS: Final = 32

Counts = NDArray[np.int64]
Interval = tuple[float, float]


def accuracy_interval(n_right: int, n: int, replicates: int = REPLICATES) -> Interval | None:
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
    if n_right in (0, n):
        bound = _TAIL ** (1 / n)
        return (round(bound, 4), 1.0) if n_right else (0.0, round(1 - bound, 4))
    drawn = np.random.default_rng(SEED).binomial(n, n_right / n, replicates) / n
    low, high = np.quantile(drawn, (_TAIL, 1 - _TAIL))
    return float(low), float(high)


def crossing_intervals(
    benign: Counts, correctable: Counts, least: float, replicates: int = REPLICATES
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where pairs of models cross over resampled examples.

    ``benign`` and ``correctable`` are (pairs, 4) counts of the examples of B and of C that both models of a pair, only
    the first, only the second, and neither predict right. ``least`` is the smallest prevalence that counts, |C| / |P|.

    Returns (pairs, 2) central 95 % intervals of the crossing among the resampled test sets in which the pair crosses
    between ``least`` and 1, NaN where there is none, and (pairs,) shares of the test sets in which it does. Which of
    two models is the first changes neither.
    """
    intervals, shares = np.full((len(benign), 2), np.nan), np.zeros(len(benign))
    for place, (of_b, of_c) in enumerate(zip(benign, correctable, strict=True)):
        swapped = [0, 2, 1, 3]
        if (*of_b, *of_c) < (*of_b[swapped], *of_c[swapped]):
            of_b, of_c = of_b[swapped], of_c[swapped]
        generator = np.random.default_rng(SEED)
        gap_b, gap_c = (_gaps(counts, replicates, generator) for counts in (of_b, of_c))
        found = prevalences(gap_b, -gap_c, least)
        found = found[np.isfinite(found)]
        shares[place] = len(found) / replicates
        if len(found):
            intervals[place] = np.quantile(found, (_TAIL, 1 - _TAIL))
    return intervals, shares


def _gaps(counts: Counts, replicates: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """(replicates,) accuracy of the first model minus that of the second on resampled examples."""
    n = counts.sum()
    if n == 0:
        return np.zeros(replicates)
    drawn = generator.multinomial(n, counts / n, size=replicates)
    gaps: NDArray[np.float64] = (drawn[:, 1] - drawn[:, 2]) / n
    return gaps


def right_counts(marks: NDArray[np.bool_], replicates: int = REPLICATES) -> Counts:
    """(replicates, c) how often each of c columns of (n, c) marks is set among n examples drawn with replacement.

    A draw is the same for all columns, so what holds between them is kept. Of up to a million examples it does not
    depend on which columns there are.

    >>> right_counts(np.array([[True, False, True]] * 5)).mean(axis=0).tolist()
    [5.0, 0.0, 5.0]
    """
    n, c = marks.shape
    found: Counts = np.zeros((replicates, c), np.int64)
    if n == 0:
        return found
    generator = np.random.default_rng(SEED)
    if n > _SINGLE:
        kinds, sizes = _kinds(marks)
        height = max(1, _DRAWN // len(sizes))
        for start in range(0, replicates, height):
            times = generator.multinomial(n, sizes / n, size=min(height, replicates - start))
            found[start : start + height] = times @ kinds.astype(np.int64)
        return found
    # Whole numbers up to 2 ** 24 are exact in single precision, which multiplies fastest.
    numbers = marks.astype(np.float32 if n < 1 << 24 else np.float64)
    height = max(1, _DRAWN // n)
    for start in range(0, replicates, height):
        rows = min(height, replicates - start)
        drawn = generator.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        found[start : start + rows] = np.rint(times.astype(numbers.dtype) @ numbers).astype(np.int64)
    return found


def many_right_counts(sets: Sequence[NDArray[np.bool_]], replicates: int = REPLICATES) -> Counts:
    """(replicates, c) what ``right_counts`` of sets of (n, c) marks sum to, of thousands of examples: in a moment.

    Counts of so many examples drawn with replacement are normal, with the mean and the covariance of theirs.

    >>> many_right_counts([np.array([[True, False, True]] * 5_000)]).mean(axis=0).tolist()
    [5000.0, 0.0, 5000.0]
    """
    mean = sum((marks.sum(axis=0, dtype=np.float64) for marks in sets), np.zeros(sets[0].shape[1]))
    covariance = np.zeros((len(mean), len(mean)))
    for marks in sets:
        if n := len(marks):
            numbers, right = marks.astype(np.float32), marks.sum(axis=0, dtype=np.float64)
            covariance += (numbers.T @ numbers).astype(np.float64) - np.outer(right, right) / n
    drawn = np.random.default_rng(SEED).multivariate_normal(
        mean, covariance, replicates, method="eigh", check_valid="ignore"
    )
    counts: Counts = np.rint(drawn).astype(np.int64)
    return counts


def _kinds(marks: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Counts]:
    """(u, c) the different rows of marks, and (u,) how many there are of each.

    >>> kinds, sizes = _kinds(np.array([[True, False], [False, False], [True, False]]))
    >>> kinds.tolist(), sizes.tolist()
    ([[False, False], [True, False]], [1, 2])
    """
    codes = np.zeros(len(marks), np.int64)
    for start in range(0, marks.shape[1], _BITS):
        columns = marks[:, start : start + _BITS]
        bits = np.zeros(len(marks), np.int64)
        for place in range(columns.shape[1]):
            bits |= columns[:, place].astype(np.int64) << place
        codes = np.unique(codes << _BITS | bits, return_inverse=True)[1]
    _, first, sizes = np.unique(codes, return_index=True, return_counts=True)
    return marks[first], sizes


def rank_intervals(counts: Counts) -> NDArray[np.int64]:
    """(k, 2) central 95 % intervals of the ranks of k models, from their (replicates, k) counts of right answers.

    >>> rank_intervals(np.array([[9, 5, 5], [9, 6, 5]] * 500)).tolist()
    [[1, 1], [2, 2], [2, 3]]
    """
    found = np.concatenate([ranks(piece) for piece in _pieces(counts)])
    ends: NDArray[np.int64] = np.quantile(found, (_TAIL, 1 - _TAIL), axis=0, method="inverted_cdf").T.astype(np.int64)
    return ends


def correlation_intervals(first: Counts, second: Counts) -> tuple[Interval | None, Interval | None]:
    """The central 95 % intervals of Kendall's tau-b and of Spearman's rank correlation of two rankings of k models.

    ``first`` and ``second`` are (replicates, k) counts of right answers by two measures on the same resampled examples.
    An interval is None where fewer than half of the replicates define the correlation: the others, in which all models
    of a ranking are equal, would be left out in silence, and what remains is not what resampling gives.
    """
    pairs = list(zip(_pieces(first), _pieces(second), strict=True))
    found = (np.concatenate([measure(a, b) for a, b in pairs]) for measure in (kendall_taus, spearmans))
    kendall, spearman = map(central, found)
    return kendall, spearman


def central(values: NDArray[np.float64]) -> Interval | None:
    """The central 95 % of resampled or drawn values, some of which may be NaN; None if more than half of them are.

    >>> central(np.array([1.0, np.nan, 1.0])), central(np.array([1.0, np.nan, np.nan]))
    ((1.0, 1.0), None)
    """
    defined = values[np.isfinite(values)]
    if not len(defined) or 2 * len(defined) < len(values):
        return None
    low, high = np.quantile(defined, (_TAIL, 1 - _TAIL))
    return float(low), float(high)


def _pieces(counts: Counts) -> list[Counts]:
    """Rows of counts, so many at a time as may be compared with each other."""
    height = max(1, _COMPARED // max(1, counts.shape[1] ** 2))
    return [counts[start : start + height] for start in range(0, len(counts), height)]
