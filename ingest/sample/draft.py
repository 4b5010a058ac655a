"""What the maker of a sample dataset hands over: examples, what they truly are, and how to learn them.

The truth is known because the examples were made or chosen for it. No label is planted here, nothing is written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What an example truly shows: one class, two of them, or none.
Truth = Sequence[frozenset[int]]


@dataclass(frozen=True, slots=True)
class Draft:
    """n examples of m classes before anything went wrong with them."""

    truth: Truth  # n sets of class ids
    clarity: NDArray[np.float64]  # (n,) the chance, 0 to 1, that somebody who looks answers rightly
    confusable: NDArray[np.float64]  # (m, m) how readily class i is taken for class j; only ratios in a row matter
    error_rate: float  # the share of labels to plant wrongly, 0 to 1
    media: Sequence[bytes]  # n files
    ending: str  # of each file's name, with the dot
    features: Any  # n rows of what the classifier learns from
    classifier: Any  # a scikit-learn classifier with predict_proba
    folds: int  # of the cross-validation
    #: A fitted classifier -> its words and (m, v) weights, where it is linear and its features are words.
    weights: Callable[[Any], tuple[Sequence[str], NDArray[np.float64]]] | None = None
    rivals: Mapping[str, Any] = field(default_factory=dict)  # name -> other classifiers, whose ranking is looked at
