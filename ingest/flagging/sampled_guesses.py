"""What each of several models guesses of some rows: enough to see that one is unlike the others."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.matrices.matrix import Matrix

Indices = NDArray[np.integer[Any]]

#: How many stretches of how many rows are looked at to see whether a model is unlike the others.
_STRETCHES: Final = 128
_STRETCH: Final = 32


class SampledGuesses(NamedTuple):
    """What each of several models guesses, of some rows: the (k,) rows, ascending, and (models, k) classes."""

    rows: Indices
    guesses: NDArray[np.int64]


def sampled_guesses(matrix: Matrix) -> SampledGuesses | None:
    """The guesses of the models of which the matrix is the mean, in short stretches all over it; None of one model."""
    n = matrix.shape[0]
    if len(matrix.members) < 2 or not n:
        return None
    starts = np.unique(np.linspace(0, max(0, n - _STRETCH), _STRETCHES).astype(np.int64))
    rows = np.unique((starts[:, None] + np.arange(_STRETCH)).ravel().clip(max=n - 1))
    return SampledGuesses(rows, np.array([member.rows(rows).argmax(axis=1) for member in matrix.members]))
