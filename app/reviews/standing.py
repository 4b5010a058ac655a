"""What stands of all events: the votes on an example, and who is excluded.

A vote stands unless it was taken back, its rater is excluded, or it was given in a declared repeat or on a gold item,
which are compared and not counted. "Cannot tell" is no vote.
"""

import json
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, exists, insert, select, update

from app.domain.review.stopping import Stopping
from app.reviews.questions import CANNOT_TELL, Meaning, Question
from app.reviews.store import Store
from app.reviews.tables import events, given, items, leases, raters

#: ``items.wanted`` of a gold item: it is asked of everybody.
UNLIMITED: Final = 1_000_000_000

# Made once, for it runs with each vote (see ``app.reviews.lending``).
_COUNTED: Final = (
    update(items).where(items.c.id == given("item")).values(n_votes=given("votes"), wanted=given("wanted"))
)


class Kind(StrEnum):
    """The kinds of events."""

    VOTE = "vote"
    UNDO = "undo"  # takes back the latest vote of its lease
    EXCLUDE = "exclude"  # a rater, with the owner's reason
    WITHDRAW = "withdraw"  # a rater, at their own wish
    INCLUDE = "include"  # a rater again
    REVOKE = "revoke"  # a rater's link
    FORGET = "forget"  # who a rater was; where the votes went too, no rater is named
    ASSIGNMENT = "assignment"  # a worker began an assignment of Mechanical Turk; ``key`` is its keyed hash
    CLOSE = "close"
    REOPEN = "reopen"
    PUBLISH = "publish"


@cache
def given_votes() -> Select[Any]:
    """The votes that were not taken back, whoever gave them; with the columns of event, lease and rater."""
    later = events.alias("later")
    taken_back = exists().where(
        later.c.lease_id == events.c.lease_id, later.c.id > events.c.id, later.c.kind == Kind.UNDO.value
    )
    joined = events.join(leases, leases.c.id == events.c.lease_id).join(raters, raters.c.id == events.c.rater_id)
    columns = (
        events.c.id,
        events.c.at,
        events.c.item_id,
        events.c.meaning,
        events.c.answer,
        events.c.seconds,
        leases.c.occasion,
        leases.c.sides,
        raters.c.code.label("rater"),
        raters.c.excluded,
    )
    return select(*columns).select_from(joined).where(events.c.kind == Kind.VOTE.value, ~taken_back)


@cache
def _standing_votes() -> Select[Any]:
    """The votes that stand on an example, in the order in which they were given."""
    here = (events.c.item_id == given("item"), leases.c.occasion == 0, raters.c.excluded.is_(False))
    return given_votes().where(*here).order_by(events.c.id)


def standing_meanings(connection: Connection, item_id: int) -> list[Meaning]:
    """What the votes that stand on an example mean, in the order in which they were given."""
    meanings = [json.loads(row.meaning) for row in connection.execute(_standing_votes(), {"the_item": item_id})]
    return [meaning for meaning in meanings if CANNOT_TELL not in meaning]


def count_anew(connection: Connection, item: Row[Any], how: Stopping) -> None:
    """Compute the kept columns of a row of ``items`` from its events."""
    if item.practice:
        return
    meanings = standing_meanings(connection, item.id)
    wanted = UNLIMITED if item.gold else Question.parse(item.question).fewest_more(meanings, how)
    # A gold item is asked of everybody; of others, votes beyond those asked for are kept and do not count.
    n_votes = len(meanings) if item.gold else min(len(meanings), how.votes)
    connection.execute(_COUNTED, {"the_item": item.id, "the_votes": n_votes, "the_wanted": wanted})


def why_excluded(connection: Connection, round_id: int) -> dict[str, str]:
    """Rater -> why the rater is excluded, by the latest event."""
    statement = select(raters.c.code, events.c.why).join(raters, raters.c.id == events.c.rater_id)
    kinds = (Kind.EXCLUDE.value, Kind.WITHDRAW.value)
    rows = connection.execute(
        statement.where(events.c.round_id == round_id, events.c.kind.in_(kinds)).order_by(events.c.id)
    )
    return {row.code: row.why or "" for row in rows}


def enter(connection: Connection, store: Store, kind: Kind, round_id: int, **values: Any) -> None:
    """Add an event."""
    connection.execute(insert(events), [{"at": store.clock(), "kind": kind.value, "round_id": round_id, **values}])


def set_excluded(store: Store, rater: Row[Any], kind: Kind, how: Stopping, why: str = "") -> int:
    """Exclude or withdraw a rater, or take one in again; the examples that lack votes by that are open again.

    Returns how many examples the rater had voted on. Nothing is deleted.
    """
    with store.writing() as connection:
        enter(connection, store, kind, rater.round_id, rater_id=rater.id, why=why or None)
        excluded = kind is not Kind.INCLUDE
        connection.execute(update(raters).where(raters.c.id == rater.id).values(excluded=excluded))
        theirs = select(leases.c.item_id).where(leases.c.rater_id == rater.id, leases.c.answered.is_(True))
        rows = connection.execute(
            select(items).where(and_(items.c.id.in_(theirs))).order_by(items.c.id).with_for_update()
        ).all()
        for row in rows:
            count_anew(connection, row, how)
        return len(rows)
