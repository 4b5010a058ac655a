"""The draft of a sample dataset: its examples, their true labels, and features to learn from.

The truth is known because the examples were made or chosen for it. No labels are planted here and nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The true content of an example: one class, two of them, or none.
Truth = Sequence[frozenset[int]]


@dataclass(frozen=True, slots=True)
class Draft:
    """n examples of m classes before any errors are planted."""

    truth: Truth  # n sets of class ids
    clarity: NDArray[np.float64]  # (n,) the probability of a right answer by a rater
    confusable: NDArray[np.float64]  # (m, m) how easily class i is mistaken for class j; only ratios in a row matter
    error_rate: float  # the share of wrong labels to plant, 0 to 1
    media: Sequence[bytes]  # n files
    ending: str  # the ending of each file's name, with the dot
    features: Any  # n rows of features
