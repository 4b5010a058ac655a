"""Lend a rater everything at once, to be answered without a server, and take the answers when they come back.

The loans are ordinary ones that last for days: nobody else gets these examples beyond the votes that they need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from app.reviews.lending import NoTaskError, Task, lend, others_hold
from app.reviews.questions import AnswerError
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.reviews.tables import items, leases
from app.reviews.voting import Elsewhere, NotTakenError, Vote, cast


@dataclass(frozen=True, slots=True)
class TakenAnswers:
    """How many answers were taken, and which were not, with why."""

    taken: int
    refused: Sequence[tuple[str, str]]


def lend_for_days(store: Store, rater: Row[Any], found: Round, seconds: float) -> list[Task]:
    """Lend a rater all examples that still need a vote and that the rater has not answered, in a random order.

    Gold items and repeats are left out: on paper they would lie beside what they repeat.
    """
    with store.writing() as connection:
        now = store.clock()
        answered = select(leases.c.item_id).where(leases.c.rater_id == rater.id, leases.c.answered)
        open_items = (items.c.round_id == found.id, items.c.wanted > 0, items.c.gold.is_(False))
        rows = connection.execute(
            select(items).where(*open_items, items.c.id.not_in(answered)).order_by(items.c.spot).with_for_update()
        ).all()
        return [
            lend(connection, row, rater, 0, now, now + seconds)
            for row in rows
            if row.wanted > others_hold(connection, row.id, rater.id, now)
        ]


def take_answers(store: Store, rater: Row[Any], found: Round, votes: Sequence[tuple[Vote, Elsewhere]]) -> TakenAnswers:
    """Take answers that were given offline, each on its own: one that came before is taken again as the same."""
    refused = []
    for vote, given in votes:
        try:
            cast(store, rater, found, vote, given)
        except (NotTakenError, NoTaskError, AnswerError) as error:
            refused.append((vote.task, str(error)))
    return TakenAnswers(len(votes) - len(refused), refused)
