"""The sort orders of a dataset's issues, as ranks from 0 without ties.

Arrays by issue are (k,). A float array holds NaN where an issue has no such number.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def by_suspicion(
    margins: NDArray[np.float64], confirmations: NDArray[np.float64], indices: NDArray[np.int64]
) -> NDArray[np.intp]:
    """(k,) the issues, lowest margin first, then those without a margin, fewest votes for the given label first.

    Ties are broken by the index of the example.

    >>> by_suspicion(np.array([0.1, np.nan, -0.5]), np.array([np.nan, 2, np.nan]), np.array([7, 8, 9]))
    array([2, 0, 1])
    """
    return np.lexsort((indices, confirmations, margins))


def by_margin(margins: NDArray[np.float64], indices: NDArray[np.int64]) -> Places:
    """(k,) the rank of each issue by margin, lowest first, those without one last, then by index.

    >>> by_margin(np.array([0.1, np.nan, -0.5]), np.array([7, 8, 9]))
    array([1, 2, 0])
    """
    return _places(np.lexsort((indices, margins)))


def by_disagreement(entropies: NDArray[np.float64], indices: NDArray[np.int64]) -> Places:
    """(k,) the rank of each issue by disagreement, most contested first, unreviewed issues last, then by index.

    >>> by_disagreement(np.array([0.0, np.nan, 1.5]), np.array([7, 8, 9]))
    array([1, 2, 0])
    """
    return _places(np.lexsort((indices, -entropies)))


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


def _places(order: NDArray[np.intp]) -> Places:
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places
