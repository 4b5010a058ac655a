"""Lend examples to raters, each for some minutes, so that no example gets more votes than it needs.

An example that needs at least k further votes is lent to k raters at a time at most (``app.domain.review.stopping``):
a round that stops early asks for no vote in vain, and no example gets more votes than its number. What is lent and not
answered in time is lent to the next. Who gets an example is decided while its row is locked, and a unique constraint
holds that nobody gets it twice.
"""

import json
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from app.reviews.questions import Question
from app.reviews.rounds import SPOTS, Round
from app.reviews.store import Store
from app.reviews.tables import STILL_OPEN, given, items, leases

#: Examples tried before the rater is asked to come back: others lock them at the same moment.
_TRIES: Final = 20
#: A lease is renewed when less than this share of it is left, so that reading a task again writes nothing.
_FRESH: Final = 0.75
#: Seconds after which it is worth asking again at least, and at most.
_SOONEST, _LATEST = 1, 600
#: Examples that one rater has on loan at most: the one in view, and the one that is loaded meanwhile.
_MOST_HELD: Final = 2

# Statements are made once, for making one takes several times as long as running it, and raters wait for each other.
_ROUND, _ITEM, _RATER, _NOW = (given(name) for name in ("round", "item", "rater", "now"))
_LEASE, _CODE, _OCCASION, _LASTING = (given(name) for name in ("lease", "code", "occasion", "until"))
_LENT: Final = and_(leases.c.answered.is_(False), leases.c.until > _NOW)
_ITEM_OF_ID: Final = select(items).where(items.c.id == _ITEM)
_ITEM_LOCKED: Final = _ITEM_OF_ID.with_for_update(skip_locked=True)
_LEASE_OF_CODE: Final = select(leases).where(leases.c.code == _CODE)
_OWN_LEASE: Final = _LEASE_OF_CODE.where(leases.c.rater_id == _RATER)
_OCCASION_OF_ITEM: Final = select(leases).where(
    leases.c.item_id == _ITEM, leases.c.rater_id == _RATER, leases.c.occasion == _OCCASION
)
_NEW_LEASE: Final = insert(leases)
_LENT_AGAIN: Final = update(leases).where(leases.c.id == _LEASE).values(lent_at=_NOW, until=_LASTING)
_LASTS_LONGER: Final = update(leases).where(leases.c.id == _LEASE).values(until=_LASTING)
_HELD: Final = select(leases).where(leases.c.rater_id == _RATER, _LENT).order_by(leases.c.lent_at, leases.c.id)
_OTHERS_HOLD: Final = select(func.count()).where(leases.c.item_id == _ITEM, leases.c.rater_id != _RATER, _LENT)


class NoTaskError(LookupError):
    """The task is none of this rater's; the message is for the rater."""


@dataclass(frozen=True, slots=True)
class Task:
    """An example that a rater has on loan. ``sides`` are the classes in the order drawn for this rater."""

    code: str
    item_id: int
    idx: int
    question: Question
    sides: tuple[int, ...]
    media: tuple[str, ...]
    url: str | None
    until: float

    @classmethod
    def of(cls, item: Row[Any], lease: Row[Any]) -> "Task":
        question = Question.parse(item.question)
        sides, media = tuple(json.loads(lease.sides)), tuple(json.loads(item.media))
        return cls(lease.code, item.id, item.idx, question, sides, media, item.url, lease.until)


@dataclass(frozen=True, slots=True)
class Nothing:
    """No example is there for a rater: for now, if there may be one after ``seconds``, or for good."""

    seconds: int | None


def next_task(store: Store, rater: Row[Any], found: Round, after: str | None = None) -> Task | Nothing:
    """The task that a rater has on loan, its lease renewed, or a new one.

    With the code of a task as ``after``, the one to look at after it, so that it can be loaded meanwhile. Raises
    NoTaskError if there is no such task of this rater's.
    """
    with store.writing() as connection:
        before = None if after is None else lease_of(connection, rater, after)
        if found.closed or rater.excluded:
            return Nothing(None)
        lending = _Lending(connection, store.clock(), rater, found, before)
        return lending.held() or lending.repeat(waiting=True) or lending.new() or lending.nothing()


def lease_of(connection: Connection, rater: Row[Any], code: str) -> Row[Any]:
    """The lease of a rater's task. Raises NoTaskError if it is none of this rater's."""
    lease = connection.execute(_OWN_LEASE, {"the_code": code, "the_rater": rater.id}).one_or_none()
    if lease is None:
        raise NoTaskError("There is no such task of yours. Ask for one first.")
    return lease


def renew(store: Store, rater: Row[Any], found: Round, code: str) -> float | None:
    """Renew the lease of a task while its page is open: the seconds it now lasts; None if it has lapsed."""
    with store.writing() as connection:
        now = store.clock()
        mine = (leases.c.code == code, leases.c.rater_id == rater.id, leases.c.answered.is_(False))
        until = now + found.settings.lease_seconds
        done = connection.execute(update(leases).where(*mine, leases.c.until > now).values(until=until))
        return float(found.settings.lease_seconds) if done.rowcount and not found.closed else None


def task_of(store: Store, code: str) -> tuple[Task, int] | None:
    """The task of a code, with the id of its round, whether answered or not; None if there is none."""
    with store.reading() as connection:
        lease = connection.execute(_LEASE_OF_CODE, {"the_code": code}).one_or_none()
        if lease is None:
            return None
        item = connection.execute(_ITEM_OF_ID, {"the_item": lease.item_id}).one()
        return Task.of(item, lease), item.round_id


def others_hold(connection: Connection, item_id: int, rater_id: int, now: float) -> int:
    """To how many other raters an example is lent at the moment."""
    given = {"the_item": item_id, "the_rater": rater_id, "the_now": now}
    return int(connection.scalar(_OTHERS_HOLD, given) or 0)


def lend(connection: Connection, item: Row[Any], rater: Row[Any], occasion: int, now: float, until: float) -> Task:
    """Lend an example to a rater, whose sides are drawn the first time. Whether it may be lent is for who calls."""
    here = {"the_item": item.id, "the_rater": rater.id, "the_occasion": occasion}
    lease = connection.execute(_OCCASION_OF_ITEM, here).one_or_none()
    if lease is None:
        drawn = list(Question.parse(item.question).classes)
        secrets.SystemRandom().shuffle(drawn)
        values = {"code": secrets.token_urlsafe(16), "sides": json.dumps(drawn), "answered": False}
        values |= {"item_id": item.id, "rater_id": rater.id, "occasion": occasion, "lent_at": now, "until": until}
        connection.execute(_NEW_LEASE, [values])
    else:
        connection.execute(_LENT_AGAIN, {"the_lease": lease.id, "the_now": now, "the_until": until})
    return Task.of(item, connection.execute(_OCCASION_OF_ITEM, here).one())


class _Lending:
    """One rater asks for a task, or for the one after a task that the rater has."""

    def __init__(
        self, connection: Connection, now: float, rater: Row[Any], found: Round, after: Row[Any] | None
    ) -> None:
        self._connection = connection
        self._now = now
        self._rater = rater
        self._round = found
        self._after = after
        self._until = now + found.settings.lease_seconds
        self._given = {"the_rater": rater.id, "the_now": now, "the_round": found.id}
        self._given["the_after"] = 0 if after is None else after.id

    def held(self) -> Task | Nothing | None:
        """What the rater has already: what was lent first comes first, and so does an answer taken back."""
        held = self._connection.execute(_HELD, self._given).all()
        after = self._after
        behind = [one for one in held if after is None or (one.lent_at, one.id) > (after.lent_at, after.id)]
        if not behind:
            return Nothing(_SOONEST) if len(held) >= _MOST_HELD else None
        lease = behind[0]
        if lease.until - self._now < _FRESH * self._round.settings.lease_seconds:
            self._connection.execute(_LASTS_LONGER, {"the_lease": lease.id, "the_until": self._until})
        item = self._connection.execute(_ITEM_OF_ID, {"the_item": lease.item_id}).one()
        return Task.of(item, lease)

    def repeat(self, *, waiting: bool) -> Task | None:
        """A declared repeat, once the rater has answered some others in between; at the end without waiting."""
        row = self._connection.execute(_repeat_due(), self._given).one_or_none()
        if row is None:
            return None
        if waiting and row.between < self._round.settings.repeat_after:
            return None
        item = self._locked(row.id)
        return None if item is None else self._lend(item, occasion=1)

    def new(self) -> Task | Nothing | None:
        """An example at random, of those that need a vote and that the rater has not answered."""
        start = secrets.randbelow(SPOTS)
        for _ in range(_TRIES):
            found = self._first(start, onward=True) or self._first(start, onward=False)
            if found is None:
                return None
            item = self._locked(found.id)
            # Another server may have lent it, or its last vote may have come, since it was found.
            if item is not None and item.wanted > others_hold(self._connection, item.id, self._rater.id, self._now):
                return self._lend(item, occasion=0)
            start = found.spot + 1
        return Nothing(_SOONEST)

    def _locked(self, item_id: int) -> Row[Any] | None:
        """The row of an example, until the transaction ends ours alone; None while it is somebody else's."""
        return self._connection.execute(_ITEM_LOCKED, {"the_item": item_id}).one_or_none()

    def nothing(self) -> Task | Nothing:
        """When to come back: when the first of the leases that are in the way lapses; never if none is."""
        repeat = self.repeat(waiting=False)
        if repeat is not None:
            return repeat
        first = self._connection.scalar(_first_to_lapse(), self._given)
        if first is None:
            return Nothing(None)
        return Nothing(max(_SOONEST, min(_LATEST, int(-(-(first - self._now) // 1)))))

    def _first(self, start: int, *, onward: bool) -> Row[Any] | None:
        statement = _next_open(onward=onward, gold=not self._gold_enough())
        return self._connection.execute(statement, {**self._given, "the_start": start}).one_or_none()

    def _gold_enough(self) -> bool:
        """Whether the rater has seen as large a share of gold items as the round says, so that the next is none."""
        share = self._round.settings.gold
        if not share:
            return True
        seen = self._connection.execute(_seen_with_gold(), self._given).one()
        return int(seen.gold or 0) >= share * (int(seen.n) + 1)

    def _lend(self, item: Row[Any], occasion: int) -> Task:
        return lend(self._connection, item, self._rater, occasion, self._now, self._until)


@cache
def _repeat_due() -> Select[Any]:
    """The first of a rater's answered examples that is to be asked again, and how many came after it."""
    second, later = leases.alias("second"), leases.alias("later")
    asked = exists().where(
        second.c.item_id == leases.c.item_id,
        second.c.rater_id == _RATER,
        second.c.occasion == 1,
        or_(second.c.answered.is_(True), second.c.until > _NOW),
    )
    between = select(func.count()).where(later.c.rater_id == _RATER, later.c.id > leases.c.id).scalar_subquery()
    joined = items.join(leases, leases.c.item_id == items.c.id)
    mine = (leases.c.rater_id == _RATER, leases.c.occasion == 0, leases.c.answered.is_(True))
    due = select(items.c.id, between.label("between")).select_from(joined)
    return due.where(items.c.repeated.is_(True), *mine, ~asked).order_by(leases.c.id).limit(1)


@cache
def _first_to_lapse() -> Select[Any]:
    """When the first of the leases lapses that keep a rater from an example."""
    blocked = items.join(leases, leases.c.item_id == items.c.id)
    needing = (items.c.round_id == _ROUND, STILL_OPEN, items.c.gold.is_(False))
    return select(func.min(leases.c.until)).select_from(blocked).where(*needing, _LENT, ~_seen())


@cache
def _next_open(*, onward: bool, gold: bool) -> Select[Any]:
    """The first example from a place on, or before it, that needs a vote of the rater's."""
    start = given("start")
    beyond = items.c.spot >= start if onward else items.c.spot < start
    lent = select(func.count()).where(leases.c.item_id == items.c.id, leases.c.rater_id != _RATER, _LENT)
    here = (items.c.round_id == _ROUND, STILL_OPEN, beyond, true() if gold else items.c.gold.is_(False))
    needing = select(items.c.id, items.c.spot).where(*here, items.c.wanted > lent.scalar_subquery(), ~_seen())
    return needing.order_by(items.c.spot).limit(1)


def _seen() -> ColumnElement[bool]:
    """Whether the rater has answered an example, or has it in view or on loan."""
    mine = leases.alias("mine")
    known = or_(mine.c.answered, mine.c.until > _NOW, mine.c.id == given("after"))
    return exists().where(mine.c.item_id == items.c.id, mine.c.rater_id == _RATER, known)


@cache
def _seen_with_gold() -> Select[int, int]:
    """How many examples a rater has seen, and how many of them are gold items."""
    known = or_(leases.c.answered, leases.c.until > _NOW)
    counts = (func.count().label("n"), func.sum(cast(items.c.gold, Integer)).label("gold"))
    joined = items.join(leases, leases.c.item_id == items.c.id)
    return select(*counts).select_from(joined).where(leases.c.rater_id == _RATER, known)
