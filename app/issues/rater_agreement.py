"""How far the reviewers of a dataset agree, as the catalogue holds it."""

from dataclasses import dataclass

from sqlalchemy import select

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.schema import votes


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
