"""How many of the errors that reviewers found the model had flagged, for datasets whose every example was judged.

Only then are recall and precision of flags known: where reviewers saw what was flagged, they found nothing else.
"""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import func, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.error_ranks import wilson
from app.domain.review.verdicts import ERROR_CATEGORIES
from app.schema import tables

_v, _i = tables.verdicts.c, tables.issues.c
Interval = tuple[float, float]

#: What a row about errors of all kinds is called.
ANY_ERROR = "any error"


class ErrorsFlagged(NamedTuple):
    """Errors of one kind: how many there are, and how many of them were flagged among ``n_flagged`` examples."""

    kind: str
    errors: int
    flagged: int
    n_flagged: int

    @property
    def recall(self) -> float:
        """The share of these errors that were flagged."""
        return self.flagged / self.errors

    @property
    def precision(self) -> float | None:
        """The share of flagged examples that are such errors; None where none is flagged."""
        return self.flagged / self.n_flagged if self.n_flagged else None

    @property
    def recall_interval(self) -> Interval:
        """The 95 % interval of recall, Wilson's."""
        return wilson(self.flagged, self.errors)

    @property
    def precision_interval(self) -> Interval:
        """The 95 % interval of precision, Wilson's."""
        return wilson(self.flagged, self.n_flagged)


def judged_flags(catalogue: Catalogue, dataset: Dataset, agreement: int) -> tuple[ErrorsFlagged, ...] | None:
    """Errors of any kind first, then of each kind that one expert named, most errors first.

    None where not every example was judged, nothing was flagged, or nothing is an error.
    """
    if not dataset.ranked or not dataset.n_shown or dataset.n_checked < dataset.n_shown:
        return None
    # By verdict and pattern of votes: a few rows, however many examples there are.
    rows = catalogue.connection.execute(
        select(_i.flagged, _v.category, _i.vote_pattern, func.count())
        .select_from(tables.verdicts.join(tables.issues, _i.id == _v.issue_id))
        .where(_v.dataset_id == dataset.id, _v.agreement == agreement)
        .group_by(_i.flagged, _v.category, _i.vote_pattern)
    ).all()
    n_flagged = sum(n for flagged, _, _, n in rows if flagged)
    errors: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for flagged, category, pattern, n in rows:
        if category not in _ERRORS:
            continue
        for kind in (ANY_ERROR, *_kinds(dataset, pattern)):
            errors[kind] += n
            found[kind] += n if flagged else 0
    if not n_flagged or not errors:
        return None
    return tuple(ErrorsFlagged(kind, n, found[kind], n_flagged) for kind, n in errors.most_common())


_ERRORS = frozenset(category.value for category in ERROR_CATEGORIES)


def _kinds(dataset: Dataset, pattern: str | None) -> list[str]:
    """What the one expert called an error; of several reviewers nothing, for each may call it otherwise."""
    if dataset.raters != 1 or not pattern:
        return []
    return [option for n, option in zip(pattern.split("-"), dataset.vote_options, strict=True) if n != "0"]
