"""What each of several models guesses whose mean ``predict`` has written: the file beside the matrix, and reading it.

The probabilities of the single models are not kept; their guesses are, so that pages say how many doubt a label.
"""

import hashlib
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.schema.prediction_report import PredictionReport
from ingest.labels.files import read_json
from ingest.matrices.matrix import Matrix
from ingest.matrices.npy import open_array

FILE: Final = "pred_probs.guesses.npy"
#: In what is told of the matrix.
KEY: Final = "guesses"
NO_GUESSES: Final = (
    "The guesses of the models whose mean was taken are not here, or are others, so how many doubt a label is not told."
)


class AveragedModels(NamedTuple):
    """The names of k models, and the (n, k) class ids that they guess."""

    names: tuple[str, ...]
    guesses: NDArray[np.integer[Any]]

    def doubting(self, indices: NDArray[np.integer[Any]], given: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """(j,) how many models guess another than the ``given`` class of these examples.

        >>> guesses = np.array([[0, 1], [1, 1], [0, 0]])
        >>> AveragedModels(("a", "b"), guesses).doubting(np.array([0, 1]), np.array([0, 0])).tolist()
        [1, 2]
        """
        found: NDArray[np.int64] = (self.guesses[indices] != given[:, None]).sum(axis=1)
        return found


def averaged_models(
    report: PredictionReport | None, told: Path, matrix: Matrix | None
) -> tuple[AveragedModels | None, list[str]]:
    """The models whose mean the matrix is, by the report at ``told``, if of several; and what is lacking of them."""
    if report is None or matrix is None or not report.averaged:
        return None, []
    found = _read(told, report.averaged, *matrix.shape)
    return found, [NO_GUESSES] if found is None else []


def _read(told: Path, names: tuple[str, ...], n: int, m: int) -> AveragedModels | None:
    """The guesses that a report is about; None if they are not there, are others, or make no sense."""
    report = read_json(told)
    known = report.get(KEY) if isinstance(report, dict) else None
    path = told.with_name(FILE)
    if not isinstance(known, dict) or not path.is_file():
        return None
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != known.get("sha256"):
            return None
    guesses = open_array(path)
    fits = guesses.shape == (n, len(names)) and guesses.dtype.kind in "iu"
    return AveragedModels(names, guesses) if fits and (guesses.size == 0 or 0 <= guesses.max() < m) else None
