"""Read how a matrix of probabilities was made, from the file that ``predict`` writes beside it.

A report about another matrix is not shown: it would say how good something is that is not there.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from app.schema.prediction_report import MOST_PAIRS, PredictionReport, Twins, labels_beside
from ingest.datasets.fingerprints import Source
from ingest.errors import DataError, shown
from ingest.labels.files import read_json
from ingest.labels.vote_files import Review

OTHER_MATRIX: Final = (
    "The report on the predicted probabilities is about another matrix than the one that is here, so it is not shown."
)


def read_matrix_report(
    path: Path, sources: Sequence[Source], labels: NDArray[np.integer] | None
) -> PredictionReport | None:
    """The report; None if it is about another matrix. Raises DataError if it is not such a report.

    Pairs of near-duplicates are those whose labels differ now, by the labels given.
    """
    told = read_json(path)
    if not isinstance(told, dict):
        raise DataError(path, f"expected an object, as label-errors predict writes it, found {shown(told)}")
    matrix = told.get("matrix")
    known = matrix.get("sha256") if isinstance(matrix, dict) else None
    if known not in [source.sha256 for source in sources if source.role == "pred_probs"]:
        return None
    alike = told.get("near_duplicates")
    alike = alike if isinstance(alike, dict) else {}
    twins = _twins(alike.get("different_labels"), labels)
    changed = told | {"n_near_duplicates": alike.get("pairs"), "n_twins": max(len(twins), _more(alike, twins))}
    try:
        # Through JSON, so that it is read as strictly as the catalogue's.
        return PredictionReport.model_validate_json(
            json.dumps(changed | {"twins": [one.model_dump() for one in twins]})
        )
    except (ValidationError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(map(str, first["loc"])) or "the report"
        raise DataError(path, f"expected what label-errors predict writes: {first['msg']}", record=where) from error


def indices_of_twins(report: PredictionReport | None) -> NDArray[np.int64]:
    """Examples that are nearly the same as one with another label, ascending: of two, one label is wrong."""
    twins = () if report is None else report.twins
    return np.unique(np.array([index for one in twins for index in (one.first, one.second)], np.int64))


def by_guesses(reviews: Sequence[Review], report: PredictionReport | None) -> list[Review]:
    """The records of votes but those whose reviewers were shown the label of a near-duplicate in place of a guess."""
    beside = labels_beside(report)
    return [one for one in reviews if not set(one.shown) & set(beside.get(one.index, ()))]


def _twins(pairs: object, labels: NDArray[np.integer] | None) -> list[Twins]:
    found = []
    for pair in (pairs if isinstance(pairs, list) and labels is not None else [])[:MOST_PAIRS]:
        fits = isinstance(pair, list) and len(pair) == 3 and all(type(index) is int for index in pair[:2])
        if not fits or labels is None or not all(0 <= index < len(labels) for index in pair[:2]):
            continue
        first, second = int(labels[pair[0]]), int(labels[pair[1]])
        if first != second and isinstance(pair[2], int | float):
            found.append(
                Twins(first=pair[0], second=pair[1], first_given=first, second_given=second, similarity=float(pair[2]))
            )
    return found


def _more(alike: dict[str, object], twins: Sequence[Twins]) -> int:
    """How many pairs there are in all, where only some are listed."""
    n = alike.get("n_different")
    return n if type(n) is int and len(twins) == MOST_PAIRS else len(twins)
