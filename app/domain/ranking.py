"""Who is first: ranks with ties, and how far two rankings agree."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ranks = NDArray[np.int64]


def ranks(scores: ArrayLike) -> Ranks:
    """(k,) ranks of (k,) scores, 1 for the largest; equal scores share the best rank they could have.

    >>> ranks([0.5, 0.9, 0.5, 0.1]).tolist()
    [2, 1, 2, 4]
    """
    values = np.asarray(scores, dtype=np.float64)
    above = np.sort(-values)
    return (np.searchsorted(above, -values, side="left") + 1).astype(np.int64)


def tied(found: Ranks) -> NDArray[np.bool_]:
    """(k,) whether another one has the same rank.

    >>> tied(ranks([0.5, 0.9, 0.5])).tolist()
    [True, False, True]
    """
    shared: NDArray[np.bool_] = np.bincount(found)[found] > 1
    return shared


def kendall_tau(first: ArrayLike, second: ArrayLike) -> float | None:
    """Kendall's tau-b of two lists of k scores: 1 when they order alike, -1 when one reverses the other.

    Tied pairs count for neither side and shrink the denominator (tau-b). None when a list has no two different scores,
    or fewer than two at all.

    >>> kendall_tau([1, 2, 3], [10, 20, 30]), kendall_tau([1, 2, 3], [3, 2, 1])
    (1.0, -1.0)
    """
    a, b = _same_length(first, second)
    if len(a) < 2:
        return None
    upper = np.triu_indices(len(a), 1)
    signs_a = np.sign(a[:, None] - a[None, :])[upper]
    signs_b = np.sign(b[:, None] - b[None, :])[upper]
    untied = math.sqrt(float(np.abs(signs_a).sum()) * float(np.abs(signs_b).sum()))
    return float((signs_a * signs_b).sum()) / untied if untied else None


def spearman(first: ArrayLike, second: ArrayLike) -> float | None:
    """Spearman's rank correlation of two lists of k scores; tied scores get the mean of the ranks they cover.

    None when a list has no two different scores, or fewer than two at all.

    >>> spearman([1, 2, 3, 4], [1, 2, 4, 3])
    0.8
    """
    a, b = (_mean_ranks(values) for values in _same_length(first, second))
    a, b = a - a.mean() if len(a) else a, b - b.mean() if len(b) else b
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return round(float(a @ b) / spread, 12) if spread else None


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    return (low + high + 1) / 2


def _same_length(first: ArrayLike, second: ArrayLike) -> Sequence[NDArray[np.float64]]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"expected two lists of equal length, found shapes {a.shape} and {b.shape}")
    return a, b
