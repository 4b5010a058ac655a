"""Class thresholds, the confident joint, its calibration, and the number of examples to flag.

Section 3 and appendix B of the paper. Shapes: ``labels`` is (n,) of class ids 0 .. m - 1, ``pred_probs`` is (n, m).
Joints are (m, m), rows by given label, columns by latent label, and held as their non-empty cells: see ``joint_cells``.

Counting works on blocks of rows: ``confident_joint`` of the whole is the sum of those of its parts, and so are the sums
behind the thresholds. ``row_scores`` gets both from one look at each row.
"""

import math
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.exact_sums import least_probabilities, probability_sums
from app.domain.confident_learning.joint_cells import JointCells, JointCounter
from app.domain.confident_learning.label_quality import Labels, Probabilities

ConfidentJoint = JointCells[np.int64]
Joint = JointCells[np.float64]


class FlagRule(StrEnum):
    """Which examples are flagged.

    The first two flag so many of lowest normalized margin as the joint tells; see ``number_flagged``. The others are
    the variants that the paper of confident learning compares (Northcutt, Jiang, Chuang 2021); see ``pruning``.
    """

    CALIBRATED = "calibrated"  # Eq. 2, the paper's text
    UNCALIBRATED = "uncalibrated"  # the published lists
    PRUNE_BY_CLASS = "prune_by_class"
    PRUNE_BY_NOISE_RATE = "prune_by_noise_rate"
    BOTH = "both"
    CONFIDENT_JOINT = "confident_joint"
    ARGMAX = "argmax"


#: The rules that say how many examples of lowest normalized margin to flag.
COUNTING_RULES: Final = (FlagRule.CALIBRATED, FlagRule.UNCALIBRATED)

#: So many margins are worth the attempt to sort them as whole numbers; of more, some are too close for these, unless
#: they come from half precision.
_SORTED_AS_KEYS: Final = 1 << 20

#: Margins made whole numbers at a time: there may be millions, and what is made of them should be small.
_KEYS_AT_A_TIME: Final = 1 << 16


def class_thresholds(labels: Labels, pred_probs: Probabilities) -> NDArray[np.float64]:
    """(m,) t_j: the mean predicted probability of class j over the examples labelled j (Eq. 1), NaN without any.

    >>> class_thresholds(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]))
    array([0.75, 0.8 ])
    """
    return probability_sums(labels, pred_probs).thresholds


def confident_joint(labels: Labels, pred_probs: Probabilities, thresholds: NDArray[np.float64]) -> ConfidentJoint:
    """(m, m) the confident joint C of a block of rows (appendix B).

    Entry [i, j] counts the examples labelled i whose probability of class j is at least t_j. An example that reaches
    several thresholds is counted once, for the most probable of those classes, the lowest id among equals. One that
    reaches none is not counted.

    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]])
    >>> confident_joint(np.array([0, 0, 1, 1]), p, thresholds=np.array([0.75, 0.45])).dense()
    array([[1, 0],
           [1, 1]])
    """
    counter = JointCounter(pred_probs.shape[1])
    counter.add(labels, latent_classes(pred_probs, thresholds))
    return counter.counted()


def latent_classes(pred_probs: Probabilities, thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) the class that each row is counted for, -1 where it is counted for none: see ``confident_joint``.

    >>> latent_classes(np.array([[0.9, 0.1], [0.6, 0.4]]), thresholds=np.array([0.75, 0.45])).tolist()
    [0, -1]
    """
    reached = pred_probs >= least_probabilities(thresholds)
    latent = np.where(reached, pred_probs, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), latent, -1)


def joint(counts: ConfidentJoint, label_counts: NDArray[np.integer]) -> Joint:
    """(m, m) the joint Q of given and latent labels (Eq. 2): C calibrated to the label counts, summing to 1.

    ``label_counts`` is (m,), the examples of each given label. A class whose examples were all left uncounted keeps its
    share on the diagonal: nothing speaks against them. Raises ValueError when there is no example at all.

    >>> joint(JointCells.of(np.array([[3, 1], [0, 2]])), np.array([4, 4])).dense()
    array([[0.375, 0.125],
           [0.   , 0.5  ]])
    """
    n = int(label_counts.sum())
    if n == 0:
        raise ValueError("a joint distribution needs at least one example, found none")
    given, totals = counts.given, counts.by_given
    shares = JointCells(counts.m, counts.cell, counts.value / totals[given] * (label_counts / n)[given])
    uncounted = np.flatnonzero((totals == 0) & (label_counts > 0))
    return shares.with_diagonal(uncounted, label_counts[uncounted] / n)


def noise_rate(counts: ConfidentJoint, label_counts: NDArray[np.integer], rule: FlagRule) -> float:
    """rho, the estimated share of examples whose label is wrong: what lies off the diagonal of the joint.

    ``calibrated`` reads it off Q (Eq. 2): rho = 1 - trace(Q). ``uncalibrated`` reads it off C itself:
    rho = 1 - trace(C) / sum(C); 0 when nothing was counted. ValueError for a rule that counts nothing.

    >>> C, n = JointCells.of(np.array([[3, 1], [0, 2]])), np.array([4, 4])
    >>> noise_rate(C, n, FlagRule.CALIBRATED), round(noise_rate(C, n, FlagRule.UNCALIBRATED), 4)
    (0.125, 0.1667)
    """
    if rule is FlagRule.CALIBRATED:
        return math.fsum(joint(counts, label_counts).off_diagonal.value.tolist()) if label_counts.any() else 0.0
    if rule is not FlagRule.UNCALIBRATED:
        raise ValueError(f"expected one of {', '.join(COUNTING_RULES)}, found {rule.value}")
    return counts.off_diagonal.total / counts.total if len(counts) else 0.0


def number_flagged(counts: ConfidentJoint, label_counts: NDArray[np.integer], rule: FlagRule) -> int:
    """How many examples to flag: rho * n, rounded down.

    The uncalibrated number is computed in whole numbers, so no rounding of rho can change it.

    >>> C, n = JointCells.of(np.array([[3, 1], [0, 2]])), np.array([4, 4])
    >>> number_flagged(C, n, FlagRule.CALIBRATED), number_flagged(C, n, FlagRule.UNCALIBRATED)
    (1, 1)
    """
    n = int(label_counts.sum())
    if rule is FlagRule.UNCALIBRATED:
        return int(counts.off_diagonal.total * n // counts.total) if len(counts) else 0
    # A share that is a whole number of examples must not lose one to the last bit of a sum.
    return math.floor(noise_rate(counts, label_counts, rule) * n * (1 + 1e-12))


def suspicion_order(margins: NDArray[np.float64]) -> NDArray[np.intp]:
    """(n,) indices of the examples, lowest normalized margin first; equal margins in the order of their index.

    ``margins`` is (n,) of numbers from -1 to 1.

    >>> suspicion_order(np.array([0.5, -0.9, 0.5, -0.2]))
    array([1, 3, 0, 2])
    """
    keys = _keys(margins)
    if keys is None:
        return np.argsort(margins, kind="stable")
    keys.sort()
    keys &= (np.uint64(1) << _place_bits(len(margins))) - np.uint64(1)
    order = keys.view(np.int64).astype(np.intp, copy=False)
    return order if _ascend(margins, order) else np.argsort(margins, kind="stable")


def _keys(margins: NDArray[np.float64]) -> NDArray[np.uint64] | None:
    """(n,) whole numbers, each of a margin and below that of its place: they sort several times faster.

    What they lack of the margins mostly changes nothing. None of many margins where they lack any.
    """
    n = len(margins)
    if n < 2:
        return None
    place_bits, keys = _place_bits(n), np.empty(n, np.uint64)
    for start in range(0, n, _KEYS_AT_A_TIME):
        here = keys[start : start + _KEYS_AT_A_TIME]
        scaled = (margins[start : start + len(here)] + 1.0) * 2.0 ** (62 - int(place_bits))
        here[:] = scaled
        if n > _SORTED_AS_KEYS and not (here == scaled).all():
            return None
        here <<= place_bits
        here |= np.arange(start, start + len(here), dtype=np.uint64)
    return keys


def _place_bits(n: int) -> np.uint64:
    return np.uint64((n - 1).bit_length())


def _ascend(margins: NDArray[np.float64], order: NDArray[np.intp]) -> bool:
    """Whether margins ascend in an order."""
    parts = (margins[order[at : at + _KEYS_AT_A_TIME + 1]] for at in range(0, len(order), _KEYS_AT_A_TIME))
    return all((found[1:] >= found[:-1]).all() for found in parts)


def most_suspicious(margins: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """(min(k, n),) the beginning of ``suspicion_order``, without ordering the rest.

    >>> most_suspicious(np.array([0.5, -0.9, 0.5, -0.2]), 3)
    array([1, 3, 0])
    """
    if k <= 0:
        return np.zeros(0, dtype=np.intp)
    if 2 * k >= len(margins):
        return suspicion_order(margins)[:k]
    candidates: NDArray[np.intp] = np.flatnonzero(margins <= np.partition(margins, k - 1)[k - 1])
    first: NDArray[np.intp] = candidates[suspicion_order(margins[candidates])][:k]
    return first
