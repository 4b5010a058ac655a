"""Which models resemble the one whose predictions flagged the examples.

Confident learning flags an example because a certain model doubts its label. A model that agrees with that one more
than its accuracy explains has an advantage on corrected labels, most of which are that model's guesses.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Standard deviations above the regression from which on a model is marked.
_MARKED: Final = 2.0
#: A line has two degrees of freedom; the spread about it needs one more.
_FEWEST: Final = 3


def marked(agreement: NDArray[np.float64], accuracy: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(k,) models whose agreement lies more than two standard deviations above its regression on accuracy.

    ``agreement`` and ``accuracy`` are (k,) fractions. The line is that of least squares over all k models, and the
    standard deviation that of the residuals with k - 2 degrees of freedom. None is marked among fewer than three
    models, or where all are equally accurate.

    >>> agreement = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.4, 0.3])
    >>> accuracy = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.55, 0.4, 0.3])
    >>> marked(agreement, accuracy).tolist().index(True)
    5
    """
    k = len(accuracy)
    centred = accuracy - accuracy.mean() if k else accuracy
    spread = float((centred**2).sum())
    if k < _FEWEST or spread < 1e-12:
        return np.zeros(k, np.bool_)
    slope = float((centred * agreement).sum()) / spread
    residuals = agreement - agreement.mean() - slope * centred
    deviation = float(np.sqrt((residuals**2).sum() / (k - 2)))
    above: NDArray[np.bool_] = residuals > max(_MARKED * deviation, 1e-12)
    return above
