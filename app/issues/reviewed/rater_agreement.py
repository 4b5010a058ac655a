"""How far the reviewers of a dataset agree, and what their votes say when they are weighed, as the catalogue has it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Label
from app.domain.review.corrections import Policy, Rule
from app.domain.review.verdicts import Category
from app.schema import votes
from app.schema.tables import issue_id_range


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Krippendorff's alpha of a dataset's votes with its 95 % interval; each None where it is not defined."""

    measured: str  # "options" or "classes", as in the table
    alpha: float | None
    interval: tuple[float, float] | None
    examples: int
    votes: int
    weighed: bool  # who gave each vote is known, so Dawid and Skene's estimate is there


def rater_agreement(catalogue: Catalogue, dataset: Dataset) -> RaterAgreement | None:
    """The agreement of a dataset's reviewers; None where nobody has reviewed anything."""
    t = votes.rater_agreement
    row = catalogue.connection.execute(select(t).where(t.c.dataset_id == dataset.id)).one_or_none()
    if row is None:
        return None
    interval = None if row.low is None or row.high is None else (row.low, row.high)
    return RaterAgreement(row.measured, row.alpha, interval, row.examples, row.votes, row.weighed)


@dataclass(frozen=True, slots=True)
class WeighedVerdict:
    """What Dawid and Skene's estimate says of an example: the probability of each answer, largest first."""

    category: Category
    corrected: Label | None
    shares: Mapping[str, float]


def weighed_verdict_of(catalogue: Catalogue, dataset: Dataset, issue_id: int) -> WeighedVerdict | None:
    """The estimate for an issue; None where it is not known who gave its votes."""
    t = votes.weighed_verdicts
    row = catalogue.connection.execute(select(t).where(t.c.issue_id == issue_id)).one_or_none()
    if row is None:
        return None
    return WeighedVerdict(Category(row.category), dataset.label(row.corrected), json.loads(row.shares))


def categories_under(catalogue: Catalogue, dataset: Dataset, policy: Policy) -> Mapping[Category, int]:
    """How many issues have which category by a policy's rule, at its agreement threshold."""
    by_votes = dataset.categories[policy.agreement]
    if policy.rule is Rule.VOTES:
        return by_votes
    w = votes.weighed_verdicts.c
    counts = select(w.category, func.count()).where(w.issue_id.between(*issue_id_range(dataset.id)))
    found = {Category(row[0]): int(row[1]) for row in catalogue.connection.execute(counts.group_by(w.category))}
    return found | {Category.UNREVIEWED: by_votes.get(Category.UNREVIEWED, 0)}
