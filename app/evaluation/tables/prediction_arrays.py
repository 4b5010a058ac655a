"""Tell from an array's shape and type whether it holds classes, ranked classes or scores.

Raises UploadError if the array is ambiguous.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.ranking.accuracy import Ranked
from app.evaluation.prediction_rows import By, PredictionRows, Target, UploadError

_CELLS: Final = 2_000_000  # numbers in a block


def of_array(values: NDArray[Any], ids: list[Any] | None, by: By | None, target: Target) -> Ranked:
    """(n, k) predictions of (n,) classes, (n, k) ranked ones or (n, m) scores, in the order of the test set."""
    if ids is not None and len(ids) != len(values):
        raise UploadError(f"expected as many of {by} as predictions, {len(values):,}; found {len(ids):,}")
    gathered = PredictionRows(target, by)
    if by == "key" and target.keys is None:
        raise UploadError(f"the examples of {target.title} have no keys; name them by index, or keep their order")
    whole = values.ndim == 2 and values.shape[1] == target.n_classes > 1
    if whole and values.dtype.kind == "b":
        values = values.astype(np.float32)  # a 1 at the class of each row
    scores = whole and values.dtype.kind == "f"
    if whole and values.dtype.kind in "iu" and target.n_classes == 2:
        raise UploadError(
            "expected one class a row, or fractions as scores: two whole numbers a row can be ranked classes or scores"
        )
    if values.ndim == 2 and not scores and values.dtype.kind == "f":
        raise UploadError(
            f"expected {target.n_classes} probabilities a row, one a class of {target.title}, or whole numbers of "
            f"classes; found {values.shape[1]:,} fractions a row"
        )
    height = max(1, _CELLS // (values.shape[1] if values.ndim == 2 else 1))
    for start in range(0, len(values), height):
        block = np.asarray(values[start : start + height])
        gathered.add(block, None if ids is None else ids[start : start + height], scores)
    return gathered.aligned()
