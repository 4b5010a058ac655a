"""The probability that most raters who were not asked would choose the answer that votes were given to.

An example has ``asked`` votes, of which ``chosen`` went to one answer: the label beside the given one, by itself. All
other answers ("the given label", "both", "neither", ...) are votes against it, for whoever gives them would not make
this correction. Of unlimited raters of the same kind a share s would choose the answer; shares differ from example to
example as Beta(a, b) does, and ``chosen`` is binomial with s. Votes of all reviewed examples, whatever became of them,
say which a and b are most likely (maximum likelihood). Given its own votes the share of an example is then
Beta(a + chosen, b + asked - chosen), and the probability that it is above one half follows.

Nothing is drawn at random.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Numbers = NDArray[np.float64]

#: With fewer examples that two raters or more judged, shares cannot be told from chance.
FEWEST: Final = 10
#: The bounds of a / (a + b), as log-odds, and of a + b, as a logarithm.
_BOUNDS: Final = ((-8.0, 8.0), (math.log(0.02), math.log(2_000)))
#: Points of the search to a side; each round looks closer around the best one.
_POINTS: Final = 25
_ROUNDS: Final = 14
#: The continued fraction of the incomplete beta function.
_MOST_TERMS: Final = 10_000
_TOLERANCE: Final = 1e-15
_TINY: Final = 1e-300


@dataclass(frozen=True, slots=True)
class Prior:
    """Beta(a, b): how the share of raters who would choose the answer varies over examples.

    Raises ValueError unless both are above 0.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0 and math.isfinite(self.a + self.b)):
            raise ValueError(f"Beta({self.a}, {self.b}): expected two numbers above 0")


def fit_prior(chosen: Integers, asked: Integers) -> Prior | None:
    """The most likely prior of (examples,) votes for the answer and votes in all.

    None with fewer than ``FEWEST`` examples of two votes or more: of a single vote nobody knows whether others would
    have given it too. Raises ValueError for more votes for the answer than there are, or fewer than none.

    >>> found = fit_prior(np.array([0] * 50 + [4] * 50), np.full(100, 4))  # all agree, on each side half of the time
    >>> found.a < 0.1, round(found.a / (found.a + found.b), 3)
    (True, 0.5)
    """
    _require_parts(chosen, asked)
    usable = asked >= 2
    if usable.sum() < FEWEST:
        return None
    patterns, times = np.unique(np.stack([chosen[usable], asked[usable]], axis=1), axis=0, return_counts=True)
    best, widths = (0.0, 0.0), [(high - low) / 2 for low, high in _BOUNDS]
    middles = [(high + low) / 2 for low, high in _BOUNDS]
    for _ in range(_ROUNDS):
        axes = [
            np.clip(np.linspace(middle - width, middle + width, _POINTS), *bounds)
            for middle, width, bounds in zip(middles, widths, _BOUNDS, strict=True)
        ]
        odds, size = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
        likelihood = times @ _log_likelihoods(patterns, *_parameters(odds, size))
        at = int(likelihood.argmax())
        best = float(odds[at]), float(size[at])
        middles = list(best)
        widths = [width * 4 / (_POINTS - 1) for width in widths]
    a, b = _parameters(np.array([best[0]]), np.array([best[1]]))
    return Prior(float(a[0]), float(b[0]))


def _parameters(odds: Numbers, size: Numbers) -> tuple[Numbers, Numbers]:
    """a and b from the log-odds of their share and the logarithm of their sum."""
    total = np.exp(size)
    return total / (1 + np.exp(-odds)), total / (1 + np.exp(odds))


def _log_likelihoods(patterns: Integers, a: Numbers, b: Numbers) -> Numbers:
    """(patterns, points) the logarithm of the beta-binomial probability of each, less the binomial coefficient."""
    found = np.zeros((len(patterns), len(a)))
    most = int(patterns[:, 1].max())
    # B(a + k, b + n - k) / B(a, b) is a product of k, n - k and n factors.
    logs = [np.log(np.add.outer(np.arange(most), start)) for start in (a, b, a + b)]
    sums = [np.concatenate([np.zeros((1, len(a))), np.cumsum(one, axis=0)]) for one in logs]
    k, n = patterns.T
    found += sums[0][k] + sums[1][n - k] - sums[2][n]
    return found


def expected_share(prior: Prior, chosen: int, asked: int) -> float:
    """The mean share of unlimited raters who would choose the answer; with many votes the share of those.

    >>> expected_share(Prior(1, 1), 4, 5)  # (1 + 4) / (2 + 5)
    0.7142857142857143
    """
    _require_parts(np.array([chosen]), np.array([asked]))
    return (prior.a + chosen) / (prior.a + prior.b + asked)


def majority_probability(prior: Prior, chosen: int, asked: int) -> float:
    """The probability that more than half of unlimited raters would choose the answer.

    Of Beta(1, 1), 5 of 5 leave Beta(6, 1), whose distribution function is s ** 6; of one half that is 1 / 64.

    >>> majority_probability(Prior(1, 1), 5, 5) == 63 / 64, majority_probability(Prior(2, 2), 3, 6)
    (True, 0.5)
    """
    _require_parts(np.array([chosen]), np.array([asked]))
    return _above_half(prior.a + chosen, prior.b + asked - chosen)


def _require_parts(chosen: Integers, asked: Integers) -> None:
    if chosen.shape != asked.shape or (chosen < 0).any() or (chosen > asked).any():
        raise ValueError("expected votes for the answer from 0 to all votes, of as many examples")


def _above_half(a: float, b: float) -> float:
    """P(s > 1/2) of Beta(a, b): the regularised incomplete beta function with b and a, at one half."""
    if a == b:
        return 0.5
    # The continued fraction converges fast where one half lies below the mean of what is integrated.
    return 1 - _below_half(a, b) if a > b else _below_half(b, a)


def _below_half(a: float, b: float) -> float:
    """P(s < 1/2) of Beta(a, b) with a > b: by the continued fraction of DLMF 8.17.22, after Lentz."""
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) - (a + b) * math.log(2)) / a
    value = c = 1.0
    d = 0.0
    for term in range(_MOST_TERMS):
        m = term // 2
        if term == 0:
            numerator = 1.0
        elif term % 2 == 0:
            numerator = m * (b - m) / 2 / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) / 2 / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _not_zero(1 + numerator * d)
        c = _not_zero(1 + numerator / c)
        value *= c * d
        if abs(c * d - 1) < _TOLERANCE:
            break
    return front * (value - 1)


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
