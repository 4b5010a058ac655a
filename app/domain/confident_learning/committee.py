"""The answers of several models to multiple-choice questions as predicted probabilities: the committee as a model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Answers = NDArray[np.integer[Any]]


def committee_probabilities(answers: Answers, n_classes: int) -> NDArray[np.float64]:
    """(n, m) the share of models that choose each option, smoothed by one vote spread over all m options.

    ``answers`` is (n, k): the option that each of k models chose, -1 where one gave no answer that counts. An option
    has probability (votes + 1/m) / (answers + 1), so rows sum to 1, no option is impossible, and a question that no
    model answered has equal ones. Raises ValueError for an option outside -1 to m - 1.

    >>> committee_probabilities(np.array([[1, 1, -1], [-1, -1, -1]]), 4).tolist()
    [[0.08333333333333333, 0.75, 0.08333333333333333, 0.08333333333333333], [0.25, 0.25, 0.25, 0.25]]
    """
    if answers.size and not (answers.min() >= -1 and answers.max() < n_classes):
        raise ValueError(f"expected options from -1 to {n_classes - 1}, found {answers.min()} to {answers.max()}")
    votes = np.stack([(answers == option).sum(axis=1) for option in range(n_classes)], axis=1)
    found: NDArray[np.float64] = (votes + 1 / n_classes) / (votes.sum(axis=1, keepdims=True) + 1)
    return found
