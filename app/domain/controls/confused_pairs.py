"""How systematic wrong labels are: how far the confusions of corrected examples gather in a few pairs of classes.

The measure is the share of confusions that are one of the most frequent ordered pairs (given, corrected). It is
compared with that of corrected labels shuffled among the same examples, which keeps how often each class is given and
how often it is right, and loses which goes with which. Where a shuffle puts a label back where it was given, that is no
confusion, and not counted as one. Where labels and their shuffles have no more pairs than are counted, all shares are 1
and the measure tells nothing: see ``can_tell``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Labels

PAIRS: Final = 10
SHUFFLES: Final = 1_000
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Concentration:
    """The share of the ``pairs`` most frequent pairs, its mean over shuffles, and a one-sided p-value.

    ``p`` is the share of shuffles that are at least as concentrated, the observed labels being one of them.
    """

    n: int
    pairs: int
    share: float
    shuffled: float
    p: float


def concentration(given: Labels, corrected: Labels, pairs: int = PAIRS, shuffles: int = SHUFFLES) -> Concentration:
    """The concentration of (n,) given labels and (n,) corrected ones, none of which equals its given label.

    Raises ValueError without examples.

    >>> found = concentration(np.array([0] * 20 + [1] * 20), np.array([2] * 20 + [3] * 20), pairs=2)
    >>> found.share, found.p < 0.01
    (1.0, True)
    """
    if not len(given) or given.shape != corrected.shape:
        raise ValueError(f"expected labels of the same examples, found {len(given)} and {len(corrected)}")
    spread = int(max(given.max(), corrected.max())) + 1
    generator = np.random.default_rng(SEED)
    observed = _share(given, corrected, spread, pairs)
    found = np.array([_share(given, generator.permutation(corrected), spread, pairs) for _ in range(shuffles)])
    p = (1 + int((found >= observed).sum())) / (1 + shuffles)
    return Concentration(len(given), pairs, observed, float(found.mean()), p)


def _share(given: Labels, corrected: Labels, spread: int, pairs: int) -> float:
    apart = given != corrected
    _, counts = np.unique(given[apart].astype(np.int64) * spread + corrected[apart], return_counts=True)
    return float(np.sort(counts)[-pairs:].sum() / max(1, counts.sum()))


def can_tell(share: float, shuffled: float) -> bool:
    """Whether a share and its mean over shuffles can tell systematic confusions from random ones.

    They cannot where both are 1: whatever the labels were, the most frequent pairs would be all of them.

    >>> can_tell(1.0, 1.0), can_tell(1.0, 0.6), can_tell(0.9, 0.7)
    (False, True, True)
    """
    return min(share, shuffled) < 1


def most_confused(given: Labels, corrected: Labels, pairs: int = PAIRS) -> list[tuple[int, int, int]]:
    """The most frequent ordered pairs of (given, corrected, number of examples), equal ones by their classes.

    >>> most_confused(np.array([3, 3, 1]), np.array([5, 5, 3]))
    [(3, 5, 2), (1, 3, 1)]
    """
    found, counts = np.unique(np.stack((given, corrected), axis=1), axis=0, return_counts=True)
    ordered: NDArray[np.intp] = np.lexsort((found[:, 1], found[:, 0], -counts))[:pairs]
    return [(int(found[place, 0]), int(found[place, 1]), int(counts[place])) for place in ordered]
