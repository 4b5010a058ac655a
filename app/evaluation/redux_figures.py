"""Compare MMLU-Redux's published figures with those computed from the loaded data.

Published figures are read from ``data/paper/mmlu_redux.csv``: the share of errors in all questions and by subject, and
the number of questions of each type of error.
"""

import csv
import json
from typing import Any, Final

from sqlalchemy import Connection, func, select

from app.domain.review.error_types import ErrorType
from app.evaluation.opinions.reviews_since import reviews_since
from app.evaluation.paper_figures import PAPER, Comparison, Outcome
from app.schema import tables
from app.schema.facet_tables import facets
from app.schema.slice_tables import SLICES, slice_results

#: The name of the table on the page and in the command.
TABLE: Final = "MMLU-Redux"
_NAME: Final = "mmlu"
_NOT_HERE: Final = "MMLU is not loaded. `label-errors release DIR --dataset mmlu` loads a clone of aryopg/mmlu-redux."


def compare_redux(connection: Connection) -> list[Comparison]:
    """Every published figure of MMLU-Redux beside the computed one, in the order of the file."""
    with (PAPER / "mmlu_redux.csv").open(encoding="utf-8", newline="") as stream:
        published = list(csv.DictReader(stream))
    d = tables.datasets.c
    row = connection.execute(select(tables.datasets).where(d.name == _NAME, d.raters == 1)).mappings().one_or_none()
    found = [_computed(connection, row, one["figure"], one["argument"]) for one in published]
    return [_comparison(one, value, row) for one, value in zip(published, found, strict=True)]


def _comparison(one: dict[str, str], value: float | None, row: Any) -> Comparison:
    published, name = one["published"], (TABLE, "MMLU", one["words"])
    if row is None:
        return Comparison(*name, published, None, Outcome.NOT_LOADED, _NOT_HERE)
    digits = len(published.partition(".")[2])
    computed = None if value is None else f"{value:.{digits}f}"
    if computed == published:
        return Comparison(*name, published, computed, Outcome.SAME, None)
    # The shares of subjects were stored by ingest, so they contain what open rounds hold back.
    since = reviews_since([row], counted=one["figure"] in ("percent_error", "type"))
    if computed is None or since is None:
        return Comparison(*name, published, computed, Outcome.BROKEN, None)
    return Comparison(*name, published, computed, Outcome.DIFFERS, since)


def _computed(connection: Connection, row: Any, figure: str, argument: str) -> float | None:
    if row is None:
        return None
    if figure == "percent_error":
        return None if row["percent_error"] is None else float(row["percent_error"])
    if figure == "type":
        return _questions_of(connection, row, argument)
    names = json.loads(row["about"]).get(SLICES, {}).get("names", [])
    t = slice_results.c
    text = connection.scalar(select(t.results).where(t.dataset_id == row["id"], t.agreement == 1))
    if text is None or argument not in names:
        return None
    of_slice = json.loads(text)["slices"][names.index(argument)]
    return float(100 * of_slice["errors"] / of_slice["n"])


def _questions_of(connection: Connection, row: Any, error_type: str) -> int | None:
    options = json.loads(row["vote_options"])
    word = ErrorType[error_type].value
    if word not in options:
        return None
    pattern = "-".join(str(int(option == word)) for option in options)
    f = facets.c
    here = (f.dataset_id == row["id"], f.agreement == 1, f.vote_pattern == pattern)
    return int(connection.scalar(select(func.sum(f.n)).where(*here)) or 0)
