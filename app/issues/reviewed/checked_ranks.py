"""The ranks of the examples that reviewers checked, and which of these are errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.verdicts import ERROR_CATEGORIES
from app.schema import tables

_v, _i = tables.verdicts.c, tables.issues.c


class CheckedRanks(NamedTuple):
    """``ranks`` is (n,) ascending, ``errors`` (n,); ``n_without`` more were checked that have no rank."""

    ranks: NDArray[np.int64]
    errors: NDArray[np.bool_]
    n_without: int


def checked_ranks(catalogue: Catalogue, dataset: Dataset, agreement: int) -> CheckedRanks:
    """Read what was checked, by the verdicts at an agreement threshold.

    Begins with the index of verdicts, so that issues nobody checked cost nothing, however many there are.
    """
    rows = catalogue.connection.execute(
        select(_i.rank, _v.category.in_([one.value for one in ERROR_CATEGORIES]))
        .select_from(tables.verdicts.join(tables.issues, _i.id == _v.issue_id))
        .where(_v.dataset_id == dataset.id, _v.agreement == agreement)
    )
    found = [(rank, bool(error)) for rank, error in rows]
    ranked = sorted(one for one in found if one[0] is not None)
    ranks, errors = ([one[place] for one in ranked] for place in (0, 1))
    return CheckedRanks(np.array(ranks, np.int64), np.array(errors, np.bool_), len(found) - len(ranked))
