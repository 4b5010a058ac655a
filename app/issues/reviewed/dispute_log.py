"""The public log of disputes: what visitors disputed of issues, and what became of it."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, exists, func, or_, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.dispute_outcome import Claim, Outcome
from app.domain.review.verdicts import Category
from app.schema.change_log import REOPENED, disputes, undecided_disputes
from app.schema.tables import datasets, issues


class PastDecision(NamedTuple):
    """An earlier decision on a dispute: when, "rejected", "reopened" or an outcome, and the owner's reason."""

    at: str
    what: str
    why: str | None


class LoggedDispute(NamedTuple):
    """A dispute that is or was decided: rejected by the owner, who says ``why``, or with the ``outcome`` of a round.

    ``claim`` is None, and all that tells of it, while an open round holds the example back.
    """

    dataset: str
    title: str
    idx: int
    has_page: bool
    code: str
    position: int
    filed: str
    decided: str
    claim: Claim | None
    proposed: tuple[str, ...]
    outcome: Outcome | None
    why: str | None
    reason: str | None
    source: str | None
    round: str | None
    category: Category | None
    corrected: tuple[str, ...] | None
    history: tuple[PastDecision, ...]

    @property
    def became(self) -> str:
        """An outcome, "rejected", "reopened" if it is to be decided anew, "in_review" while it is held back."""
        if self.claim is None:
            return "in_review"
        if self.outcome is not None:
            return self.outcome.value
        return REOPENED if self.why is None else "rejected"


class DisputeCounts(NamedTuple):
    """How many disputes became what; ``undecided`` are those of which reviewers did not agree, ``open`` have no end."""

    upheld: int
    not_upheld: int
    undecided: int
    rejected: int
    open: int

    @property
    def decided(self) -> int:
        """All that are decided."""
        return self.upheld + self.not_upheld + self.undecided + self.rejected


def disputes_of(catalogue: Catalogue, dataset: Dataset, idx: int) -> tuple[LoggedDispute, ...]:
    """The disputes of one example, newest first."""
    d = disputes.c
    return _read(catalogue, (d.dataset_id == dataset.id, d.idx == idx), None)


def dispute_log(
    catalogue: Catalogue, dataset: Dataset | None, after: int | None, limit: int
) -> tuple[Sequence[LoggedDispute], int | None]:
    """At most ``limit`` disputes of a dataset, or of all, newest first; and where to go on if there are more."""
    d = disputes.c
    which = [d.position < after] if after is not None else []
    if dataset is not None:
        which.append(d.dataset_id == dataset.id)
    found = _read(catalogue, tuple(which), limit + 1)
    return found[:limit], found[limit - 1].position if len(found) > limit else None


def n_logged(catalogue: Catalogue, dataset: Dataset) -> int:
    """How many disputes of a dataset are in the log."""
    which = disputes.c.dataset_id == dataset.id
    return int(catalogue.connection.scalar(select(func.count()).select_from(disputes).where(which)) or 0)


def dispute_counts(catalogue: Catalogue, dataset: Dataset | None) -> DisputeCounts:
    """How many disputes of a dataset, or of all, became what."""
    d, u = disputes.c, undecided_disputes.c
    decided = select(d.outcome, func.count().label("n")).group_by(d.outcome)
    decided = decided.where(or_(d.outcome.is_not(None), d.why.is_not(None)))
    still_open = select(func.sum(u.n))
    if dataset is not None:
        decided, still_open = decided.where(d.dataset_id == dataset.id), still_open.where(u.dataset_id == dataset.id)
    found = {row.outcome: int(row.n) for row in catalogue.connection.execute(decided)}
    n_open = int(catalogue.connection.scalar(still_open) or 0)
    upheld, not_upheld, undecided = (found.get(one.value, 0) for one in Outcome)
    return DisputeCounts(upheld, not_upheld, undecided, found.get(None, 0), n_open)


def _read(catalogue: Catalogue, which: tuple[ColumnElement[bool], ...], limit: int | None) -> tuple[LoggedDispute, ...]:
    d, i = disputes.c, issues.c
    has_page = exists().where(i.dataset_id == d.dataset_id, i.idx == d.idx)
    named = select(disputes, datasets.c.name, datasets.c.title, has_page.label("has_page"))
    asked = named.join(datasets, datasets.c.id == d.dataset_id).where(*which).order_by(d.position.desc()).limit(limit)
    return tuple(_logged(row) for row in catalogue.connection.execute(asked))


def _logged(row: Row[Any]) -> LoggedDispute:
    return LoggedDispute(
        dataset=row.name,
        title=row.title,
        idx=row.idx,
        has_page=bool(row.has_page),
        code=row.code,
        position=row.position,
        filed=row.filed,
        decided=row.decided,
        claim=None if row.claim is None else Claim(row.claim),
        proposed=tuple(json.loads(row.proposed)),
        outcome=None if row.outcome is None else Outcome(row.outcome),
        why=row.why,
        reason=row.reason,
        source=row.source,
        round=row.round,
        category=None if row.category is None else Category(row.category),
        corrected=None if row.corrected is None else tuple(json.loads(row.corrected)),
        history=tuple(PastDecision(*one) for one in json.loads(row.history)),
    )
