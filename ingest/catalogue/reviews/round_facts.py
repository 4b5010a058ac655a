"""What the page of a dataset says of the rounds whose votes are in it."""

from datetime import UTC, datetime
from typing import Any

from app.reviews.ratings import ratings
from app.reviews.rounds import Round
from app.reviews.store import Store


def people(store: Store, found: Round) -> set[str]:
    """The raters of a round whose votes stand, by their opaque names."""
    return {row["rater"] for row in ratings(store, found) if not row["excluded"]}


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
