"""Plant label errors: turn true labels into labels a careless annotator might have given.

Class-conditional, as confident learning assumes: the probability and the kind of an error depend on the class alone.
"""

import numpy as np
from numpy.typing import NDArray

from ingest.sample.draft import Draft


def planted_labels(draft: Draft, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(n,) given labels, one per example.

    An example of one class gets a wrong label with probability ``error_rate``, drawn by how confusable the classes are.
    One of two classes gets either of them, one of none any label at all, which cannot be right.
    """
    noise = noise_matrix(draft.confusable, draft.error_rate)
    labels = [_label(truth, noise, rng) for truth in draft.truth]
    return np.array(labels, dtype=np.uint16)


def noise_matrix(confusable: NDArray[np.float64], error_rate: float) -> NDArray[np.float64]:
    """(m, m) the probability of given label j for an example of class i; rows sum to 1.

    >>> noise_matrix(np.array([[0.0, 3.0, 1.0], [1.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), 0.2)
    array([[0.8 , 0.15, 0.05],
           [0.1 , 0.8 , 0.1 ],
           [0.2 , 0.  , 0.8 ]])
    """
    noise = confusable.copy()
    np.fill_diagonal(noise, 0.0)
    noise *= error_rate / noise.sum(axis=1, keepdims=True)
    np.fill_diagonal(noise, 1.0 - error_rate)
    return noise


def _label(truth: frozenset[int], noise: NDArray[np.float64], rng: np.random.Generator) -> int:
    m = len(noise)
    if len(truth) == 1:
        (true_class,) = truth
        return int(rng.choice(m, p=noise[true_class]))
    return int(rng.choice(sorted(truth) or m))
