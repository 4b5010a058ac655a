"""The probability that a correction is right, learnt from corrections on which second opinions are clear.

A correction that independent opinions confirm counts as right, one that they oppose as wrong; others say nothing. What
is known of it otherwise (votes, and what the model says) is turned into a probability by logistic regression. That is
fitted twice, once on each half of the clear ones, and what is fitted on one half speaks of the other half alone: no
correction's own opinion enters its number, and each number can be held against an opinion that it never saw.

The halves follow from the indices of examples and never change.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]

#: Clear ones of either kind that each half has to have.
FEWEST: Final = 10
#: How much slopes are drawn to 0, in units of the features' standard deviations.
_RIDGE: Final = 1.0
_STEPS: Final = 100
_TOLERANCE: Final = 1e-10


def halves(indices: Integers) -> Marks:
    """(k,) in which half each example is, by a hash of its index (splitmix64): as good as drawn, and always the same.

    >>> halves(np.arange(8)).tolist()
    [True, True, True, False, False, False, True, False]
    """
    with np.errstate(over="ignore"):
        z = indices.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    marks: Marks = (z >> np.uint64(63)) == 1
    return marks


@dataclass(frozen=True, eq=False, slots=True)
class Logistic:
    """A logistic regression: the probability of (k, p) features."""

    intercept: float
    slopes: Numbers  # (p,)

    def of(self, features: Numbers) -> Numbers:
        """(k,) probabilities."""
        found: Numbers = 1 / (1 + np.exp(-(self.intercept + features @ self.slopes)))
        return found


def fit_logistic(features: Numbers, right: Marks) -> Logistic:
    """The logistic regression of (k, p) features that fits (k,) marks best, slopes drawn a little to 0.

    The mean of its probabilities is the share of marks, because the intercept is free. Raises ValueError without marks
    of both kinds.

    >>> found = fit_logistic(np.zeros((4, 1)), np.array([True, True, True, False]))
    >>> found.of(np.zeros((1, 1))).round(6).tolist()
    [0.75]
    """
    if not right.any() or right.all():
        raise ValueError("expected marks of both kinds")
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = np.hstack([np.ones((len(features), 1)), (features - centre) / scale])
    penalty = np.diag([0.0, *([_RIDGE] * features.shape[1])])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(design @ weights)))
        gradient = design.T @ (right - p) - penalty @ weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < _TOLERANCE:
            break
    slopes = weights[1:] / scale
    return Logistic(float(weights[0] - slopes @ centre), slopes)


@dataclass(frozen=True, eq=False, slots=True)
class CrossFit:
    """(k,) probabilities, each from the half that the example is not in, and for comparison the ``base`` of that half.

    ``base`` is the share of clear ones there that are right: the same for all.
    """

    probabilities: Numbers
    base: Numbers
    in_second: Marks


def cross_fit(features: Numbers, right: Marks, clear: Marks, indices: Integers) -> CrossFit | None:
    """The probability that each of k corrections is right.

    ``features`` are (k, p); ``right`` counts where ``clear``. None where a half of the clear ones has fewer than
    ``FEWEST`` that are right, or that are wrong.
    """
    second = halves(indices)
    probabilities, base = np.zeros(len(right)), np.zeros(len(right))
    for half in (second, ~second):
        learnt = clear & half
        n_right = int(right[learnt].sum())
        if min(n_right, int(learnt.sum()) - n_right) < FEWEST:
            return None
        probabilities[~half] = fit_logistic(features[learnt], right[learnt]).of(features[~half])
        base[~half] = right[learnt].mean()
    return CrossFit(probabilities, base, second)


def vote_features(chosen: Integers, given: Integers, asked: Integers) -> Numbers:
    """(k, 2) log-odds of votes for the correction and of those for the given label, half a vote added to each side.

    >>> vote_features(np.array([5]), np.array([0]), np.array([5])).round(3).tolist()
    [[2.398, -2.398]]
    """
    columns = [np.log((votes + 0.5) / (asked - votes + 0.5)) for votes in (chosen, given)]
    return np.stack(columns, axis=1)
