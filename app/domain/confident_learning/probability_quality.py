"""How good predicted probabilities are: accuracy, log-loss, calibration error, and temperature scaling.

All take (n, m) probabilities and (n,) labels from 0 to m - 1, out-of-sample, and compare with the given labels: a wrong
label counts as a mistake of the model.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Probabilities below this count as this much where their logarithm is taken: single precision tells no smaller
#: difference from 1.
LEAST: Final = 1e-7
BINS: Final = 15
#: The range in which a temperature is sought, and how finely, as logarithms.
_RANGE: Final = (-3.0, 3.0)
_FINE: Final = 1e-3
_GOLDEN: Final = (5**0.5 - 1) / 2

Probabilities = NDArray[np.floating]
Labels = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares and means over n examples: accuracy, log-loss in nats, expected calibration error."""

    n: int
    accuracy: float
    log_loss: float
    ece: float


class Tally:
    """Sums from which the quality of examples that come in parts is told, of each part and of all so far.

    >>> tally = Tally()
    >>> tally.add(np.array([[0.8, 0.2]]), np.array([0])).ece
    0.2
    >>> tally.add(np.array([[0.8, 0.2]]), np.array([1])).ece
    0.8
    >>> tally.quality
    Quality(n=2, accuracy=0.5, log_loss=0.9163, ece=0.3)
    """

    def __init__(self) -> None:
        self._n = 0
        self._right = 0
        self._loss = 0.0
        self._excess = np.zeros(BINS)

    def add(self, probabilities: Probabilities, labels: Labels) -> Quality:
        """Count a part, and tell its own quality."""
        part = Tally()
        part._count(probabilities, labels)
        self._n += part._n
        self._right += part._right
        self._loss += part._loss
        self._excess += part._excess
        return part.quality

    @property
    def quality(self) -> Quality:
        """The quality of all examples that were counted."""
        n = max(1, self._n)
        ece = float(np.abs(self._excess).sum() / n)
        return Quality(self._n, round(self._right / n, 6), round(self._loss / n, 4), round(ece, 4))

    def _count(self, probabilities: Probabilities, labels: Labels) -> None:
        right = probabilities.argmax(axis=1) == labels
        given = probabilities[np.arange(len(labels)), labels].astype(np.float64)
        self._n = len(labels)
        self._right = int(right.sum())
        # Subtracted from 0, and not negated, so that no loss is 0 and not -0.
        self._loss = 0.0 - float(np.log(np.clip(given, LEAST, 1)).sum())
        self._excess = _excess_confidence(probabilities.max(axis=1).astype(np.float64), right)


def quality(probabilities: Probabilities, labels: Labels) -> Quality:
    """The quality of probabilities.

    >>> quality(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 0]))
    Quality(n=2, accuracy=0.5, log_loss=0.5697, ece=0.4)
    >>> quality(np.eye(2), np.array([0, 1])).log_loss
    0.0
    """
    return Tally().add(probabilities, labels)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The expected calibration error (Guo et al. 2017, eq. 3): in ``BINS`` bins of equal width over the probability of
    the guessed class, the mean distance between it and the accuracy, weighted by the examples of a bin.

    >>> calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False]))
    0.15000000000000002
    """
    return float(np.abs(_excess_confidence(confidence, right)).sum() / max(1, len(confidence)))


def _excess_confidence(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """By how much the sum of confidences exceeds the number of right guesses, in each bin."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return np.bincount(bins, confidence - right, BINS).astype(np.float64)


def tempered(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """Each row to the power of 1 / temperature, scaled to sum to 1: above 1 less confident, the guess unchanged.

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    scaled: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def best_temperature(probabilities: Probabilities, labels: Labels) -> float:
    """The temperature with the lowest log-loss, by golden-section search between 0.05 and 20.

    >>> overconfident = np.array([[0.99, 0.01]] * 4)
    >>> best_temperature(overconfident, np.array([0, 0, 0, 1])) > 3
    True
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        given = tempered(probabilities, float(np.exp(log_temperature)))[rows, labels]
        return float(-np.log(np.maximum(given, LEAST)).mean())

    low, high = _RANGE
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > _FINE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = loss(right)
    return round(float(np.exp((low + high) / 2)), 4)
