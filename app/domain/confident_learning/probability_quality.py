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


def quality(probabilities: Probabilities, labels: Labels) -> Quality:
    """The quality of probabilities.

    >>> quality(np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0, 0]))
    Quality(n=2, accuracy=0.5, log_loss=0.5697, ece=0.4)
    >>> quality(np.eye(2), np.array([0, 1])).log_loss
    0.0
    """
    rows = np.arange(len(labels))
    right = probabilities.argmax(axis=1) == labels
    confidence = probabilities.max(axis=1).astype(np.float64)
    given = probabilities[rows, labels].astype(np.float64)
    return Quality(
        len(labels),
        round(float(right.mean()), 6),
        # Subtracted from 0, and not negated, so that no loss is 0 and not -0.
        round(0.0 - float(np.log(np.clip(given, LEAST, 1)).mean()), 4),
        round(calibration_error(confidence, right), 4),
    )


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The expected calibration error (Guo et al. 2017, eq. 3): in ``BINS`` bins of equal width over the probability of
    the guessed class, the mean distance between it and the accuracy, weighted by the examples of a bin.

    >>> calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False]))
    0.15000000000000002
    """
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    confident = np.bincount(bins, confidence, BINS)
    correct = np.bincount(bins, right, BINS)
    return float(np.abs(confident - correct).sum() / max(1, len(confidence)))


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
