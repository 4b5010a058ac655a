"""Writing the matrix of a cross-validation in place, fold by fold: one model's rows, or the mean of several."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.probability_quality import Quality, Tally, best_temperature, tempered
from ingest.datasets.suspects.averaged_models import FILE as GUESSES
from ingest.errors import NO_SPACE, writing
from ingest.predicting.cross_validation import OutOfSample
from ingest.predicting.folds import Plan

#: Temperatures are found on at most so many examples, and so many probabilities.
_MOST_FITTED: Final = 100_000
_MOST_VALUES: Final = 5_000_000


def mean_rows(chosen: Sequence[OutOfSample], fold: int) -> NDArray[np.floating]:
    """The mean of the models' probabilities of a fold."""
    if len(chosen) == 1:
        return chosen[0].rows(fold)
    total = chosen[0].rows(fold).astype(np.float64)
    for one in chosen[1:]:
        total += one.rows(fold)
    return total / len(chosen)


def temperatures(chosen: Sequence[OutOfSample], plan: Plan) -> list[float]:
    """For each fold the temperature that suits the others best, so that no example has a say in its own."""
    found = []
    for fold in range(plan.n_folds):
        others = [one for one in range(plan.n_folds) if one != fold]
        most = max(1, min(_MOST_FITTED, _MOST_VALUES // plan.n_classes) // len(others))
        rows = np.concatenate([mean_rows(chosen, one)[:most] for one in others])
        labels = np.concatenate([plan.examples.labels[plan.held_out(one)][:most] for one in others])
        found.append(best_temperature(rows, labels))
    return found


def write_matrix(
    path: Path, chosen: Sequence[OutOfSample], plan: Plan, by_fold: Sequence[float] | None
) -> tuple[Quality, list[Quality]]:
    """Write the matrix in the order of the examples, each fold with its temperature, and what each of several guesses.

    Returns its quality over all examples, and in each fold.
    """
    shape = (len(plan.examples), plan.n_classes)
    with writing(path):
        matrix = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        # A disk without room for it would end the process, without a word, at a write into what is mapped.
        _reserve(path)
    guesses = None
    path.with_name(GUESSES).unlink(missing_ok=True)  # of a run that was stopped
    if len(chosen) > 1:
        kind = np.min_scalar_type(max(0, plan.n_classes - 1))
        guesses = np.lib.format.open_memmap(path.with_name(GUESSES), "w+", kind, (shape[0], len(chosen)))
    tally, found = Tally(), []
    for fold in range(plan.n_folds):
        rows, indices = mean_rows(chosen, fold), plan.held_out(fold)
        if by_fold is not None:
            rows = tempered(rows, by_fold[fold])
        matrix[indices] = rows
        if guesses is not None:
            guesses[indices] = np.stack([one.rows(fold).argmax(axis=1) for one in chosen], axis=1)
        found.append(tally.add(rows, plan.examples.labels[indices]))
    matrix.flush()
    if guesses is not None:
        guesses.flush()
    return tally.quality, found


def _reserve(path: Path) -> None:
    """Have the disk set aside all bytes of a file, where the system can. Raises OSError if there is no room."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            try:
                os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
            except OSError as error:
                if error.errno in NO_SPACE:  # others are of disks that cannot tell
                    raise
