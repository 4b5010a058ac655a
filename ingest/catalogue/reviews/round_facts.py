"""What the page of a dataset says of the rounds whose votes are in it."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Float, cast, exists, func, select

from app.domain.review.estimates import Ranks, is_like_all
from app.reviews.ratings import ratings
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.schema import tables


def people(store: Store, found: Round) -> set[str]:
    """The raters of a round whose votes stand, by their opaque names."""
    return {row["rater"] for row in ratings(store, found) if not row["excluded"]}


def stand_for_all(connection: Connection, dataset: int, agreement: int, n_checked: int) -> bool:
    """Whether the flagged examples that were checked may stand for all flagged ones of a dataset, by their ranks."""
    i, v = tables.issues.c, tables.verdicts.c
    rank = cast(i.rank, Float)
    wanted = select(func.count(), func.avg(rank), func.avg(rank * rank))
    wanted = wanted.where(i.dataset_id == dataset, i.flagged, i.rank.is_not(None))
    flagged = connection.execute(wanted).one()
    have_verdict = exists().where(v.issue_id == i.id, v.agreement == agreement)
    checked = connection.execute(wanted.where(have_verdict)).one()
    if not flagged[0] or checked[0] != n_checked:
        return True  # their ranks are not known
    return is_like_all(Ranks(*checked), Ranks(*flagged))


def round_facts(one: Round, examples: int, raters: int) -> dict[str, Any]:
    """What the dataset's page says of a round."""
    at = datetime.fromtimestamp(one.opened_at, UTC).isoformat(timespec="seconds")
    settings = one.settings
    facts: dict[str, Any] = {
        "name": one.name,
        "opened_at": at,
        "reviewers": settings.reviewers,
        "chosen": settings.chosen,
    }
    facts |= {"examples": examples, "raters": raters}
    return facts | {"votes": settings.votes, "stop": settings.stop.value, "agreements": list(settings.agreements)}
