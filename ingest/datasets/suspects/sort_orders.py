"""The sort orders of a dataset's issues, as ranks from 0 without ties, and their ranks among all examples.

Arrays by issue are (k,). A float array holds NaN where an issue has no such number. There may be millions of issues, so
places are kept in as few bytes as they need.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.joint import suspicion_order
from app.domain.confident_learning.row_scores import RowScores

Places = NDArray[np.signedinteger[Any]]

#: Examples whose margins are looked at together.
_BLOCK: Final = 1 << 20


def narrow(n: int) -> np.dtype[np.signedinteger[Any]]:
    """The smaller of the two types for numbers up to ``n`` that are worth having.

    >>> narrow(50_426_266), narrow(3_000_000_000)
    (dtype('int32'), dtype('int64'))
    """
    return np.dtype(np.int32) if n <= np.iinfo(np.int32).max else np.dtype(np.int64)


def by_suspicion(margins: NDArray[np.float64], confirmations: NDArray[np.float64] | None) -> Places:
    """(k,) the issues, lowest margin first, then those without a margin, fewest votes for the given label first.

    Ties stay in the order in which the issues are given. ``confirmations`` are None if nobody reviewed any.

    >>> by_suspicion(np.array([0.1, np.nan, -0.5]), np.array([np.nan, 2, np.nan])).tolist()
    [2, 0, 1]
    """
    order = _lowest_first(margins) if confirmations is None else np.lexsort((confirmations, margins))
    return order.astype(narrow(len(order)))


def _lowest_first(margins: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(margins, kind="stable") if np.isnan(margins).any() else suspicion_order(margins)


def by_disagreement(entropies: NDArray[np.float64]) -> Places:
    """(k,) the rank of each issue by disagreement, most contested first, unreviewed issues last, then in the order
    given.

    >>> by_disagreement(np.array([0.0, np.nan, 1.5])).tolist()
    [1, 2, 0]
    """
    return places(np.argsort(-entropies, kind="stable"))


def disagreement(distributions: Sequence[Sequence[int]]) -> float:
    """The disagreement of votes: the entropy of the answers in bits, averaged over questions if there were several.

    Rounded, so that equal votes in another order are equal.

    >>> disagreement([(5, 0, 0)]), disagreement([(2, 2)]), disagreement([(2, 2), (4, 0)])
    (0.0, 1.0, 0.5)
    """
    return round(sum(map(_entropy, distributions)) / max(1, len(distributions)), 9)


def _entropy(counts: Sequence[int]) -> float:
    some = np.array([n for n in counts if n], dtype=np.float64)
    shares = some / some.sum() if len(some) else some
    return float(-(shares * np.log2(shares)).sum())


def places(order: NDArray[np.integer[Any]]) -> Places:
    """(k,) where each of k numbers stands in an order of them.

    >>> places(np.array([2, 0, 1])).tolist()
    [1, 2, 0]
    """
    found = np.empty(len(order), narrow(len(order)))
    found[order] = np.arange(len(order), dtype=found.dtype)
    return found


def ranks_among_all(
    scores: RowScores, indices: NDArray[np.integer[Any]], ascending: NDArray[np.integer[Any]]
) -> Places:
    """(k,) the rank of each example among all n, lowest normalized margin first, from 1; equals in order of index.

    ``indices`` are in that order themselves, ``ascending`` the same by number. Only examples that are not among them
    are counted, so the flagged ones of a rule that takes those of lowest margin cost one look at each margin.

    >>> own = np.array([0.9, 0.1, 0.5, 0.2])
    >>> ranks_among_all(RowScores(own, 1 - own, np.zeros(4, np.uint8)), np.array([1, 2]), np.array([1, 2])).tolist()
    [1, 3]
    """
    k, n = len(indices), len(scores.own)
    ranks = np.zeros(k + 1, narrow(n))  # at first, the other examples between one of these and the next
    if not k:
        return ranks[:0]
    margins = _margins(scores, indices)
    for start in range(0, n, _BLOCK):
        here = scores[start : start + _BLOCK].margins()
        others = here <= margins[-1]
        low, high = np.searchsorted(ascending, [start, start + len(here)])
        others[ascending[low:high] - start] = False
        near = np.flatnonzero(others)
        if len(near):
            # Of the same type, or all margins would be copied.
            values = here[near].astype(margins.dtype)
            np.add.at(ranks, _how_many_before(values, start + near, margins, indices), 1)
    ranks = ranks[:-1]
    np.cumsum(ranks, out=ranks)
    ranks += np.arange(1, k + 1, dtype=ranks.dtype)
    return ranks


def _margins(scores: RowScores, indices: NDArray[np.integer[Any]]) -> NDArray[np.floating[Any]]:
    """(k,) the margins of some examples; those of half precision are exact in single precision."""
    found: NDArray[np.floating[Any]] = np.empty(len(indices), np.float32 if scores.own.itemsize == 2 else np.float64)
    for start in range(0, len(indices), _BLOCK):
        found[start : start + _BLOCK] = scores[indices[start : start + _BLOCK]].margins()
    return found


def _how_many_before(
    values: NDArray[np.floating[Any]],
    at: NDArray[np.integer[Any]],
    margins: NDArray[np.floating[Any]],
    indices: NDArray[np.integer[Any]],
) -> NDArray[np.int64]:
    """How many of the ordered (margin, index) come before each (value, at)."""
    low: NDArray[np.int64] = np.searchsorted(margins, values, side="left").astype(np.int64)
    equals = np.flatnonzero(margins[np.minimum(low, len(margins) - 1)] == values)
    first, value = low[equals], values[equals]
    last = np.searchsorted(margins, value, side="right").astype(np.int64)
    # Among equal margins indices ascend: halve each range until it is empty.
    while (open_ := first < last).any():
        middle = (first + last) // 2
        before = open_ & (indices[np.minimum(middle, len(indices) - 1)] < at[equals])
        first = np.where(before, middle + 1, first)
        last = np.where(open_ & ~before, middle, last)
    low[equals] = first
    return low
