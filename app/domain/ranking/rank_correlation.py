"""Ranks with ties, and correlation between two rankings.

Scores are (k,), or (..., k) for many rankings of the same k models at once, as in resampling.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ranks = NDArray[np.int64]
Floats = NDArray[np.float64]


def ranks(scores: ArrayLike) -> Ranks:
    """(..., k) ranks of (..., k) scores, 1 for the largest; equal scores share the best rank they could have.

    >>> ranks([0.5, 0.9, 0.5, 0.1]).tolist()
    [2, 1, 2, 4]
    """
    values = np.asarray(scores)
    better: Ranks = (values[..., None, :] > values[..., :, None]).sum(axis=-1)
    return better + 1


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
    return _one(kendall_taus(first, second))


def spearman(first: ArrayLike, second: ArrayLike) -> float | None:
    """Spearman's rank correlation of two lists of k scores; tied scores get the mean of the ranks they cover.

    None when a list has no two different scores, or fewer than two at all.

    >>> spearman([1, 2, 3, 4], [1, 2, 4, 3])
    0.8
    """
    return _one(spearmans(first, second))


def kendall_taus(first: ArrayLike, second: ArrayLike) -> Floats:
    """(...) Kendall's tau-b of (..., k) scores with (..., k) others, each row with its own; NaN where it is undefined.

    >>> kendall_taus([[1, 2, 3], [1, 1, 1]], [[3, 2, 1], [1, 2, 3]]).tolist()
    [-1.0, nan]
    """
    a, b = (_signs(values) for values in _same_shape(first, second))
    untied = np.sqrt(np.abs(a).sum(axis=(-2, -1)) * np.abs(b).sum(axis=(-2, -1)))
    return _quotient((a * b).sum(axis=(-2, -1)), untied)


def spearmans(first: ArrayLike, second: ArrayLike) -> Floats:
    """(...) Spearman's rank correlation of (..., k) scores with (..., k) others; NaN where it is undefined.

    >>> spearmans([[1, 2, 3, 4]], [[1, 2, 4, 3]]).tolist()
    [0.8]
    """
    # The signs of a row sum to twice its mean rank less k + 1: to ranks about zero.
    a, b = (_signs(values).sum(axis=-1) for values in _same_shape(first, second))
    spread = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    return np.round(_quotient((a * b).sum(axis=-1), spread), 12)


def _signs(values: Floats) -> Floats:
    """(..., k, k) of each score against each other: 1 where it is larger, -1 where it is smaller."""
    return np.sign(values[..., :, None] - values[..., None, :])


def _quotient(above: Floats, below: Floats) -> Floats:
    found: Floats = np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
    return found


def _one(found: Floats) -> float | None:
    return None if np.isnan(found) else float(found)


def _same_shape(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.ndim == 0 or a.shape != b.shape:
        raise ValueError(f"expected two lists of equal length, found shapes {a.shape} and {b.shape}")
    return a, b
