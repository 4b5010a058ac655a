"""The columns that describe a flagged example, the same in memory and in every file the command writes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.flagging.engine import FlagResult


def issue_columns(
    flagging: FlagResult, indices: NDArray[np.intp], ranks: NDArray[np.integer[Any]], names: Sequence[str] | None
) -> dict[str, Any]:
    """Columns of the examples at ``indices``, (k,) each: index, given, guessed, self_confidence, normalized_margin,
    rank.

    Numbers are int64 and float64. With ``names`` of the classes there are lists given_name and guessed_name as well.
    """
    labels, scores = flagging.labels[indices].astype(np.int64), flagging.scores[indices]
    guessed = scores.guessed(labels)
    columns: dict[str, Any] = {"index": indices.astype(np.int64), "given": labels, "guessed": guessed}
    if names is not None:
        columns["given_name"] = [names[label] for label in labels.tolist()]
        columns["guessed_name"] = [names[label] for label in guessed.tolist()]
    return columns | {
        "self_confidence": scores.own.astype(np.float64),
        "normalized_margin": scores.margins(),
        "rank": ranks.astype(np.int64),
    }
