"""The ranks of the examples that reviewers checked, and which of these are errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, text

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.verdicts import ERROR_CATEGORIES
from app.schema import tables

_v, _i = tables.verdicts.c, tables.issues.c


class CheckedRanks(NamedTuple):
    """``ranks`` is (n,) ascending, ``errors`` (n,); ``n_without`` more were checked that have no rank.

    Ranks are among the examples that no open round holds back; ``n_held_back`` that have a rank are not among these.
    """

    ranks: NDArray[np.int64]
    errors: NDArray[np.bool_]
    n_without: int
    n_held_back: int = 0


def checked_ranks(catalogue: Catalogue, dataset: Dataset, agreement: int) -> CheckedRanks:
    """Read what was checked, by the verdicts at an agreement threshold.

    Begins with the index of verdicts, so that issues nobody checked cost nothing, however many there are. What open
    rounds hold back leaves no gap: as one it would look like an example that nobody checked, and tell its rank.
    """
    rows = catalogue.connection.execute(
        select(_i.rank, _v.category.in_([one.value for one in ERROR_CATEGORIES]))
        .select_from(tables.verdicts.join(tables.issues, _i.id == _v.issue_id))
        .where(_v.dataset_id == dataset.id, _v.agreement == agreement)
    )
    found = [(rank, bool(error)) for rank, error in rows]
    ranked = sorted(one for one in found if one[0] is not None)
    ranks, held_back = np.array([rank for rank, _ in ranked], np.int64), _held_back(catalogue, dataset)
    errors = np.array([error for _, error in ranked], np.bool_)
    ranks -= np.searchsorted(held_back, ranks)
    return CheckedRanks(ranks, errors, len(found) - len(ranked), len(held_back))


def _held_back(catalogue: Catalogue, dataset: Dataset) -> NDArray[np.int64]:
    """The ranks that open rounds hold back, ascending."""
    if dataset.held_back is None:
        return np.empty(0, np.int64)
    # There on every connection that withholds anything (see app.catalogue.rounds.withheld).
    asked = text(
        "SELECT i.rank FROM temp.withheld AS w JOIN main.issues AS i ON i.id = w.issue_id "
        "WHERE w.dataset_id = :dataset AND i.rank IS NOT NULL ORDER BY i.rank"
    )
    return np.array(list(catalogue.connection.scalars(asked, {"dataset": dataset.id})), np.int64)
