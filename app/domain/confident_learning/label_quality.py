"""Label quality scores: how well predicted probabilities support the given label.

Shapes: ``labels`` is (n,) of class ids 0 .. m - 1, ``pred_probs`` is (n, m). All functions work row by row, so they can
be called on any block of rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Probabilities = NDArray[np.floating[Any]]


def guessed_labels(pred_probs: Probabilities) -> NDArray[np.intp]:
    """(n,) the most probable class of each row; the lowest class id among equals.

    >>> guessed_labels(np.array([[0.2, 0.8], [0.5, 0.5]]))
    array([1, 0])
    """
    guesses: NDArray[np.intp] = np.argmax(pred_probs, axis=1)
    return guesses


def self_confidence(labels: Labels, pred_probs: Probabilities) -> NDArray[np.float64]:
    """(n,) the probability of the given label, in [0, 1]; low is suspect.

    >>> self_confidence(np.array([0, 1]), np.array([[0.25, 0.75], [0.5, 0.5]]))
    array([0.25, 0.5 ])
    """
    return pred_probs[np.arange(len(labels)), labels].astype(np.float64)


def normalized_margin(labels: Labels, pred_probs: Probabilities) -> NDArray[np.float64]:
    """(n,) the probability of the given label minus the largest of the others, in [-1, 1]; low is suspect (section 3).

    With a single class there is no other, and the margin is the probability itself.

    >>> normalized_margin(np.array([0, 1]), np.array([[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]]))
    array([-0.25,  0.25])
    """
    own = self_confidence(labels, pred_probs)
    if pred_probs.shape[1] == 1:
        return own
    others = pred_probs.astype(np.float64)
    others[np.arange(len(labels)), labels] = -np.inf
    margin: NDArray[np.float64] = own - others.max(axis=1)
    return margin
