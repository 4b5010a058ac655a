"""The turnover of a ranking when corrected labels are drawn at random, to compare the observed one with.

For each example a label is drawn uniformly among the classes, other than the given one, that any of the models ranks
first. Where all models rank the given label first there is nothing to draw, and no model is right by the drawn label.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Labels
from app.domain.ranking.bootstrap import Interval, central
from app.domain.ranking.rank_correlation import kendall_tau, kendall_taus

DRAWS: Final = 1_000
SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Chance:
    """An observed value, and what chance gives: mean, central 95 %, and the p-value of draws at most as large.

    The observed value counts as one of the draws, so p is never 0, and it is no share of the draws: see
    ``draws_at_most``. None where nothing can be drawn, or where fewer than half of the draws define a tau.
    """

    observed: float | None
    mean: float | None
    interval: Interval | None
    at_most: float | None
    draws: int = DRAWS


def random_relabelling(firsts: NDArray[np.int32], given: Labels, corrected: Labels, draws: int = DRAWS) -> Chance:
    """Kendall's tau-b of rankings by given and by corrected labels, and by given and by drawn labels.

    ``firsts`` are the (n, k) first choices of k models on the corrected examples.

    >>> random_relabelling(np.array([[0, 1], [0, 1]], np.int32), np.array([0, 0]), np.array([1, 1])).mean
    -1.0
    """
    by_given = (firsts == given[:, None]).sum(axis=0)
    observed = kendall_tau(by_given, (firsts == corrected[:, None]).sum(axis=0)) if firsts.size else None
    options = [np.setdiff1d(row, [label]) for row, label in zip(firsts, given, strict=True)]
    n_options = np.array([len(some) for some in options], np.int64)
    most = int(n_options.max(initial=0))
    if observed is None or not most:
        return Chance(observed, None, None, None, draws)
    # Choosing option j of an example makes these models right: (n, most, k), none where there is no option.
    chosen = np.zeros((len(firsts), most, firsts.shape[1]), np.bool_)
    for place, some in enumerate(options):
        chosen[place, : len(some)] = firsts[place] == some[:, None]
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(np.maximum(n_options, 1), size=(draws, len(firsts)))
    rows = np.arange(len(firsts))
    counts = np.stack([chosen[rows, one].sum(axis=0) for one in drawn])
    taus = kendall_taus(np.broadcast_to(by_given, counts.shape), counts)
    interval = central(taus)
    if interval is None:
        return Chance(observed, None, None, None, draws)
    taus = taus[np.isfinite(taus)]
    at_most = (1 + int((taus <= observed).sum())) / (1 + len(taus))
    return Chance(observed, float(taus.mean()), interval, at_most, draws)


def draws_at_most(p: float, draws: int = DRAWS) -> tuple[int, int]:
    """How many draws are at most as large as the observed value, and of how many that define a tau, by a p-value.

    Of several numbers of draws that give the same p the largest is meant. Raises ValueError for what no number gives.

    >>> draws_at_most(896 / 1001), draws_at_most(310 / 987)
    ((895, 1000), (309, 986))
    """
    for n in range(draws, 0, -1):
        counted = p * (n + 1)
        if round(counted) and abs(counted - round(counted)) < 0.5 / (draws + 1):
            return round(counted) - 1, n
    raise ValueError(f"expected a p-value of at most {draws} draws, found {p}")
