"""Confident learning over a matrix that need not fit in memory: two passes over blocks of rows.

The formulas are ``app.domain``'s; this module maps them over blocks and adds up the parts. It reads no file itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning import (
    ConfidentJoint,
    FlagRule,
    Joint,
    confident_joint,
    joint,
    noise_rate,
    number_flagged,
    probability_sums,
    suspicion_order,
)
from app.domain.label_quality import guessed_labels, normalized_margin, self_confidence
from ingest.readers import Matrix

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Flagging:
    """What confident learning finds in one dataset; arrays by example are (n,), by class (m,)."""

    self_confidence: NDArray[np.float64]
    margins: NDArray[np.float64]
    guesses: NDArray[np.int64]
    thresholds: NDArray[np.float64]
    label_counts: NDArray[np.int64]
    counts: ConfidentJoint
    order: NDArray[np.intp]  # indices, lowest normalized margin first
    rule: FlagRule | int
    softmax: bool

    @property
    def joint(self) -> Joint:
        return joint(self.counts, self.label_counts)

    @property
    def n_flagged(self) -> int:
        """How many examples the rule in force flags; a number given outright is cut to the size of the dataset."""
        if isinstance(self.rule, FlagRule):
            return number_flagged(self.counts, self.label_counts, self.rule)
        return min(self.rule, len(self.margins))

    @property
    def flagged(self) -> NDArray[np.intp]:
        """The indices of the flagged examples, lowest normalized margin first."""
        return self.order[: self.n_flagged]

    @property
    def ranks(self) -> NDArray[np.int64]:
        """(n,) each example's place in ``order``, from 1."""
        ranks = np.empty(len(self.order), dtype=np.int64)
        ranks[self.order] = np.arange(1, len(self.order) + 1)
        return ranks

    def facts(self) -> dict[str, object]:
        """What a page tells about how examples were flagged."""
        return {
            "n": len(self.margins),
            "m": len(self.thresholds),
            "rho": {rule.value: noise_rate(self.counts, self.label_counts, rule) for rule in FlagRule},
            "number_flagged": {rule.value: number_flagged(self.counts, self.label_counts, rule) for rule in FlagRule},
            "off_diagonal": int(self.counts.sum() - np.trace(self.counts)),
            "rule": self.rule.value if isinstance(self.rule, FlagRule) else str(self.rule),
            "n_flagged": self.n_flagged,
            "softmax": self.softmax,
        }


def flag(labels: NDArray[np.int64], matrix: Matrix, rule: FlagRule | int, advance: Advance) -> Flagging:
    """Thresholds, confident joint, margins and the flagged set. ``advance`` is told of every rows done, 2n in all.

    Raises DataError where the matrix holds no probabilities.
    """
    n, m = matrix.shape
    confidence, margins = np.empty(n), np.empty(n)
    guesses = np.empty(n, dtype=np.int64)
    sums = probability_sums(labels[:0], np.empty((0, m)))
    for start, block in matrix.blocks():
        here = slice(start, start + len(block))
        sums = sums + probability_sums(labels[here], block)
        confidence[here] = self_confidence(labels[here], block)
        margins[here] = normalized_margin(labels[here], block)
        guesses[here] = guessed_labels(block)
        advance(len(block))
    counts = np.zeros((m, m), dtype=np.int64)
    thresholds = sums.thresholds
    for start, block in matrix.blocks():
        counts += confident_joint(labels[start : start + len(block)], block, thresholds)
        advance(len(block))
    return Flagging(
        self_confidence=confidence,
        margins=margins,
        guesses=guesses,
        thresholds=thresholds,
        label_counts=sums.count,
        counts=counts,
        order=suspicion_order(margins),
        rule=rule,
        softmax=matrix.softmax,
    )
