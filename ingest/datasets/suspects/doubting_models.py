"""How many of the models whose mean is used doubt the given label of each issue.

A model doubts a given label where its own most probable class, the lower number among equals, is another.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.label_quality import guessed_labels
from ingest.flagging.executors import suited
from ingest.matrices.matrix import Matrix

#: Bytes of a matrix read by one task.
_SPAN_BYTES: Final = 16_000_000

Integers = NDArray[np.integer[Any]]


def n_doubting(matrix: Matrix, indices: Integers, given: Integers) -> NDArray[np.int64] | None:
    """(k,) how many models doubt the ``given`` labels of the rows at ascending ``indices``; None of a single model.

    Raises DataError if these rows of a model are not probabilities.
    """
    if not matrix.models:
        return None
    found = np.zeros(len(indices), np.int64)
    for member in matrix.members:
        with suited(member.nbytes) as executor:
            done = 0
            for guesses in executor.map(_guesses, _tasks(member, indices)):
                here = slice(done, done + len(guesses))
                found[here] += guesses != given[here]
                done = here.stop
    return found


def _tasks(matrix: Matrix, indices: Integers) -> Iterator[tuple[Matrix, Integers]]:
    width = max(1, matrix.shape[1] * matrix.dtype.itemsize)
    for start, stop in matrix.spans(max(1, _SPAN_BYTES // width)):
        here = indices[slice(*np.searchsorted(indices, [start, stop]))]
        if len(here):
            yield matrix, here


def _guesses(task: tuple[Matrix, Integers]) -> NDArray[np.intp]:
    matrix, indices = task
    return guessed_labels(matrix.rows(indices))
