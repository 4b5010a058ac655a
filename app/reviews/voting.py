"""Take votes, once each and never more than an example needs, and take the last one back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from app.reviews.lending import lease_of, others_hold
from app.reviews.questions import Question
from app.reviews.rounds import Round
from app.reviews.standing import Kind, count_anew, enter, given_votes
from app.reviews.store import Store
from app.reviews.tables import events, given, items, leases, shelves

#: Seconds between task and answer that are told as such; beyond it the rater was elsewhere.
_LONGEST: Final = 3600.0

# Made once, for they run with each vote (see ``app.reviews.lending``).
_ITEM_LOCKED: Final = select(items).where(items.c.id == given("item")).with_for_update()
_ANSWERED: Final = update(leases).where(leases.c.id == given("lease")).values(answered=True)
_NEW_EVENT: Final = insert(events)
_VOTE_OF_KEY: Final = (
    select(events.c.answer, leases.c.code)
    .join(leases, leases.c.id == events.c.lease_id)
    .where(events.c.rater_id == given("rater"), events.c.key == given("key"))
    .where(events.c.kind == Kind.VOTE.value)
)
_LAST_VOTE: Final = select(func.max(events.c.at)).where(
    events.c.rater_id == given("rater"), events.c.kind.in_((Kind.VOTE.value, Kind.UNDO.value))
)
_NAMES: Final = select(shelves.c.class_id, shelves.c.name).where(
    shelves.c.round_id == given("round"), shelves.c.class_id.in_(given("classes", several=True))
)


class NotTakenError(Exception):
    """A vote that is not taken, and why, in a sentence for the rater."""


class LapsedError(NotTakenError):
    """Another rater has the example by now, or it needs no more votes."""


class KeyReusedError(NotTakenError):
    """The key of a vote was used for another one."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote as it was taken: what is sent again for the same key is the same."""

    task: str
    answer: Any
    key: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """That a vote was given without a server, and how long it took; None where that is not known."""

    seconds: float | None


def cast(store: Store, rater: Row[Any], found: Round, vote: Vote, given: Elsewhere | None = None) -> Vote:
    """Take a vote; it is on the disk when this returns. The same key again gives the same vote and takes no other.

    How long it took is the time since the rater began to look, unless it was given elsewhere.

    Raises NoTaskError, LapsedError, KeyReusedError, or AnswerError for an answer that the question does not have.
    """
    with store.writing() as connection:
        taken = _taken(connection, rater, vote)
        if taken is not None:
            return taken
        lease = lease_of(connection, rater, vote.task)
        item = connection.execute(_ITEM_LOCKED, {"the_item": lease.item_id}).one()
        # Sent twice at once, the second waits for the row and finds what the first has done.
        taken = _taken(connection, rater, vote)
        if taken is not None:
            return taken
        lease = lease_of(connection, rater, vote.task)
        now = store.clock()
        _require_open(connection, lease, item, found, now)
        seconds = now - _looked_since(connection, lease) if given is None else given.seconds
        question = Question.parse(item.question)
        meaning = question.meaning(vote.answer, json.loads(lease.sides), class_names(connection, found.id, question))
        row = {
            "at": now,
            "kind": Kind.VOTE.value,
            "round_id": found.id,
            "rater_id": rater.id,
            "item_id": item.id,
            "lease_id": lease.id,
            "key": vote.key,
            "answer": json.dumps(vote.answer),
            "meaning": json.dumps(meaning),
            "seconds": None if seconds is None else min(max(0.0, round(seconds, 3)), _LONGEST),
        }
        connection.execute(_NEW_EVENT, [row])
        connection.execute(_ANSWERED, {"the_lease": lease.id})
        count_anew(connection, item, found.settings.stopping)
        return vote


def take_back(store: Store, rater: Row[Any], found: Round) -> str | None:
    """Take back the rater's last answer that stands, and lend the example again: the code of its task; None without.

    Raises LapsedError once the round is closed.
    """
    with store.writing() as connection:
        if found.closed:
            raise LapsedError("This round is closed; its answers stay as they are.")
        mine = given_votes().where(events.c.rater_id == rater.id).order_by(events.c.id.desc()).limit(1)
        last = connection.execute(mine).one_or_none()
        if last is None:
            return None
        item = connection.execute(_ITEM_LOCKED, {"the_item": last.item_id}).one()
        lease_id = connection.scalar(select(events.c.lease_id).where(events.c.id == last.id))
        now = store.clock()
        enter(connection, store, Kind.UNDO, found.id, rater_id=rater.id, item_id=item.id, lease_id=lease_id)
        again = {"answered": False, "until": now + found.settings.lease_seconds}
        connection.execute(update(leases).where(leases.c.id == lease_id).values(**again))
        count_anew(connection, item, found.settings.stopping)
        return str(connection.scalar(select(leases.c.code).where(leases.c.id == lease_id)))


def class_names(connection: Connection, round_id: int, question: Question) -> Mapping[int, str]:
    """The names of the classes that a question asks about."""
    rows = connection.execute(_NAMES, {"the_round": round_id, "the_classes": list(question.classes)})
    return {row.class_id: row.name for row in rows}


def _taken(connection: Connection, rater: Row[Any], vote: Vote) -> Vote | None:
    """The vote of this key that was taken before; None if there is none."""
    row = connection.execute(_VOTE_OF_KEY, {"the_rater": rater.id, "the_key": vote.key}).one_or_none()
    if row is None:
        return None
    if row.code != vote.task or json.loads(row.answer) != vote.answer:
        raise KeyReusedError("This key was sent with another vote before; make a new one for each vote.")
    return vote


def _looked_since(connection: Connection, lease: Row[Any]) -> float:
    """When the rater began to look: a task may be lent, and loaded, while the one before it is in view."""
    before = connection.scalar(_LAST_VOTE, {"the_rater": lease.rater_id})
    return max(float(lease.lent_at), float(before or 0))


def _require_open(connection: Connection, lease: Row[Any], item: Row[Any], found: Round, now: float) -> None:
    if found.closed:
        raise LapsedError("This round is closed; no more answers are taken. Thank you!")
    if lease.answered:
        raise LapsedError("You have answered this example already.")
    if lease.occasion:
        return
    if lease.until > now:
        # Lent in time, it is taken even if others have settled the verdict meanwhile, but for the number of votes.
        full = not item.gold and item.n_votes >= found.settings.votes
    else:
        full = item.wanted <= others_hold(connection, item.id, lease.rater_id, now)
    if full:
        raise LapsedError("This example took too long and went to somebody else. Here is another one.")
