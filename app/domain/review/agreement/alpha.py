"""Krippendorff's alpha for answers without an order, with its bootstrap interval.

Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": alpha = 1 - D_o / D_e, the disagreement observed
within examples over the one expected if the same answers were dealt to examples at random. 1 is perfect agreement, 0
what chance gives, and below 0 raters disagree more than by chance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.bootstrap import LEVEL, REPLICATES, SEED, Interval
from app.domain.review.agreement.vote_table import Numbers

#: Cells of drawn patterns in memory at a time.
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Alpha:
    """Alpha and what it was computed from; ``value`` and ``interval`` are None where they are not defined."""

    value: float | None
    interval: Interval | None
    examples: int  # with two votes or more: the others cannot show agreement
    votes: int  # on those


def alpha(counts: Numbers) -> Alpha:
    """Alpha of (examples, answers) counts of votes, with its central 95 % interval over resampled examples.

    Examples with fewer than two votes are left out. Without a value where all votes are one and the same answer: no
    disagreement is expected then, so there is nothing to compare with. Without an interval where every example is
    unanimous: resampling has nothing to vary and would claim certainty.

    Raises ValueError for negative counts.

    >>> found = alpha(np.array([[2, 0], [0, 2], [1, 1]]))
    >>> round(found.value, 4), found.examples, found.votes
    (0.4444, 3, 6)
    >>> alpha(np.array([[5, 0], [5, 0]])).value is None, alpha(np.array([[5, 0], [0, 5]])).value
    (True, 1.0)
    """
    if counts.ndim != 2 or (counts < 0).any():
        raise ValueError(f"counts of shape {counts.shape}: expected (examples, answers) numbers of votes, none below 0")
    pairable = counts[counts.sum(axis=1) >= 2].astype(np.int64)
    n_examples, n_votes = len(pairable), int(pairable.sum())
    if not n_examples:
        return Alpha(None, None, 0, 0)
    patterns, times = np.unique(pairable, axis=0, return_counts=True)
    value = float(_alphas(times[None, :].astype(np.int64), patterns)[0])
    if np.isnan(value):
        return Alpha(None, None, n_examples, n_votes)
    return Alpha(value, _interval(patterns, times), n_examples, n_votes)


def _interval(patterns: Numbers, times: NDArray[np.intp]) -> Interval | None:
    """How many of n examples drawn with replacement show each pattern of votes is one multinomial draw."""
    n = int(times.sum())
    if not _disagreement(patterns).any() or n < 2:
        return None
    generator = np.random.default_rng(SEED)
    height = max(1, _CELLS // len(patterns))
    found = np.concatenate(
        [
            _alphas(generator.multinomial(n, times / n, size=min(height, REPLICATES - start)), patterns)
            for start in range(0, REPLICATES, height)
        ]
    )
    found = found[~np.isnan(found)]
    if not len(found):
        return None
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def _alphas(times: Numbers, patterns: Numbers) -> NDArray[np.float64]:
    """(k,) alpha of k tables in which each pattern of votes occurs so often; ``times`` (k, patterns). NaN without."""
    n = (times @ patterns.sum(axis=1)).astype(np.float64)
    by_answer = (times @ patterns).astype(np.float64)
    observed = (times @ _disagreement(patterns)) / n
    expected = (n**2 - (by_answer**2).sum(axis=1)) / (n * (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(expected > 0, 1 - observed / expected, np.nan)
    return found


def _disagreement(patterns: Numbers) -> NDArray[np.float64]:
    """(patterns,) ordered pairs of different answers within an example, divided by its votes less one."""
    votes = patterns.sum(axis=1)
    found: NDArray[np.float64] = (votes**2 - (patterns**2).sum(axis=1)) / (votes - 1)
    return found
