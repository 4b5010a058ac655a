"""Lend examples to raters, each for some minutes, so that no example gets more votes than it needs.

An example that needs at least k further votes is lent to k raters at a time at most (``app.domain.review.stopping``):
a round that stops early asks for no vote in vain, and no example gets more votes than its number. What is lent and not
answered in time is lent to the next. Who gets an example is decided while its row is locked, and a unique constraint
holds that nobody gets it twice.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, Select, and_, cast, exists, func, insert, or_, select, true, update

from app.reviews.questions import Question
from app.reviews.rounds import SPOTS, Round
from app.reviews.store import Store
from app.reviews.tables import items, leases

#: Examples tried before the rater is asked to come back: others lock them at the same moment.
_TRIES: Final = 20
#: A lease is renewed when less than this share of it is left, so that reading a task again writes nothing.
_FRESH: Final = 0.75
#: Seconds after which it is worth asking again at least, and at most.
_SOONEST, _LATEST = 1, 600
#: Examples that one rater has on loan at most: the one in view, and the one that is loaded meanwhile.
_MOST_HELD: Final = 2


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


@dataclass(frozen=True, slots=True)
class Progress:
    """How many examples a rater has answered, and of how many."""

    done: int
    of: int


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
    mine = (leases.c.code == code, leases.c.rater_id == rater.id)
    lease = connection.execute(select(leases).where(*mine)).one_or_none()
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
        lease = connection.execute(select(leases).where(leases.c.code == code)).one_or_none()
        if lease is None:
            return None
        item = connection.execute(select(items).where(items.c.id == lease.item_id)).one()
        return Task.of(item, lease), item.round_id


def progress(store: Store, rater: Row[Any], found: Round) -> Progress:
    """What a rater has done, and what there is to do: examples that still need votes come and go with other raters.

    Gold items and repeats are counted in from the beginning, in their share: were they counted as they come, the
    number would tell which they are.
    """
    with store.reading() as connection:
        answered = leases.join(items, items.c.id == leases.c.item_id)
        again = func.coalesce(func.sum(cast(items.c.repeated, Integer)), 0)
        mine = select(func.count(), again).select_from(answered)
        mine = mine.where(leases.c.rater_id == rater.id, leases.c.answered.is_(True))
        done = int(connection.execute(mine).one()[0])
        first = mine.where(leases.c.occasion == 0, items.c.gold.is_(False))
        needing = items.c.wanted > 0
        seen = connection.execute(first).one()
        seen_open = connection.execute(first.where(needing)).one()
        here = (items.c.round_id == found.id, items.c.gold.is_(False))
        open_items = connection.execute(select(func.count(), again).where(*here, needing)).one()
        n, repeats = (int(seen[k]) + int(open_items[k]) - int(seen_open[k]) for k in (0, 1))
        return Progress(done, max(done, round(n / (1 - found.settings.gold)) + repeats))


def others_hold(connection: Connection, item_id: int, rater_id: int, now: float) -> int:
    """To how many other raters an example is lent at the moment."""
    held = select(func.count()).select_from(leases)
    theirs = (leases.c.item_id == item_id, leases.c.rater_id != rater_id)
    return int(connection.scalar(held.where(*theirs, leases.c.answered.is_(False), leases.c.until > now)) or 0)


def lend(connection: Connection, item: Row[Any], rater: Row[Any], occasion: int, now: float, until: float) -> Task:
    """Lend an example to a rater, whose sides are drawn the first time. Whether it may be lent is for who calls."""
    here = (leases.c.item_id == item.id, leases.c.rater_id == rater.id, leases.c.occasion == occasion)
    lease = connection.execute(select(leases).where(*here)).one_or_none()
    values: dict[str, Any] = {"lent_at": now, "until": until}
    if lease is None:
        drawn = list(Question.parse(item.question).classes)
        secrets.SystemRandom().shuffle(drawn)
        values |= {"code": secrets.token_urlsafe(16), "sides": json.dumps(drawn), "answered": False}
        values |= {"item_id": item.id, "rater_id": rater.id, "occasion": occasion}
        connection.execute(insert(leases), [values])
    else:
        connection.execute(update(leases).where(leases.c.id == lease.id).values(**values))
    return Task.of(item, connection.execute(select(leases).where(*here)).one())


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

    def held(self) -> Task | Nothing | None:
        """What the rater has already: what was lent first comes first, and so does an answer taken back."""
        mine = (leases.c.rater_id == self._rater.id, leases.c.answered.is_(False), leases.c.until > self._now)
        statement = select(leases).where(*mine).order_by(leases.c.lent_at, leases.c.id)
        held = self._connection.execute(statement).all()
        after = self._after
        behind = [one for one in held if after is None or (one.lent_at, one.id) > (after.lent_at, after.id)]
        if not behind:
            return Nothing(_SOONEST) if len(held) >= _MOST_HELD else None
        lease = behind[0]
        if lease.until - self._now < _FRESH * self._round.settings.lease_seconds:
            self._connection.execute(update(leases).where(leases.c.id == lease.id).values(until=self._until))
        item = self._connection.execute(select(items).where(items.c.id == lease.item_id)).one()
        return Task.of(item, lease)

    def repeat(self, *, waiting: bool) -> Task | None:
        """A declared repeat, once the rater has answered some others in between; at the end without waiting."""
        second = leases.alias("second")
        asked = exists().where(
            second.c.item_id == leases.c.item_id,
            second.c.rater_id == self._rater.id,
            second.c.occasion == 1,
            or_(second.c.answered.is_(True), second.c.until > self._now),
        )
        mine = (leases.c.rater_id == self._rater.id, leases.c.occasion == 0, leases.c.answered.is_(True))
        joined = items.join(leases, leases.c.item_id == items.c.id)
        due = (
            select(items, leases.c.id.label("first"))
            .select_from(joined)
            .where(items.c.repeated.is_(True), *mine, ~asked)
        )
        row = self._connection.execute(due.order_by(leases.c.id).limit(1)).one_or_none()
        if row is None:
            return None
        between = select(func.count()).where(leases.c.rater_id == self._rater.id, leases.c.id > row.first)
        if waiting and int(self._connection.scalar(between) or 0) < self._round.settings.repeat_after:
            return None
        item = self._locked(row.id)
        return None if item is None else self._lend(item, occasion=1)

    def new(self) -> Task | Nothing | None:
        """An example at random, of those that need a vote and that the rater has not answered."""
        start = secrets.randbelow(SPOTS)
        for _ in range(_TRIES):
            found = self._first(items.c.spot >= start) or self._first(items.c.spot < start)
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
        row = select(items).where(items.c.id == item_id).with_for_update(skip_locked=True)
        return self._connection.execute(row).one_or_none()

    def nothing(self) -> Task | Nothing:
        """When to come back: when the first of the leases that are in the way lapses; never if none is."""
        repeat = self.repeat(waiting=False)
        if repeat is not None:
            return repeat
        blocked = items.join(leases, leases.c.item_id == items.c.id)
        until = select(func.min(leases.c.until)).select_from(blocked)
        needing = (items.c.round_id == self._round.id, items.c.wanted > 0, items.c.gold.is_(False))
        lent = (leases.c.answered.is_(False), leases.c.until > self._now)
        first = self._connection.scalar(until.where(*needing, *lent, ~self._seen(items.c.id)))
        if first is None:
            return Nothing(None)
        return Nothing(max(_SOONEST, min(_LATEST, int(-(-(first - self._now) // 1)))))

    def _first(self, beyond: Any) -> Row[Any] | None:
        return self._connection.execute(self._open(beyond).order_by(items.c.spot).limit(1)).one_or_none()

    def _open(self, beyond: Any) -> Select[Any]:
        lent = (
            select(func.count())
            .where(leases.c.item_id == items.c.id, leases.c.rater_id != self._rater.id)
            .where(leases.c.answered.is_(False), leases.c.until > self._now)
            .scalar_subquery()
        )
        here = (items.c.round_id == self._round.id, items.c.wanted > 0, beyond)
        ordinary = items.c.gold.is_(False) if self._gold_enough() else true()
        return select(items.c.id, items.c.spot).where(*here, ordinary, items.c.wanted > lent, ~self._seen(items.c.id))

    def _seen(self, item_id: Any) -> Any:
        """Whether the rater has answered an example, or has it in view or on loan."""
        mine = leases.alias("mine")
        known = [mine.c.answered, mine.c.until > self._now]
        if self._after is not None:
            known.append(mine.c.id == self._after.id)
        return exists().where(and_(mine.c.item_id == item_id, mine.c.rater_id == self._rater.id, or_(*known)))

    def _gold_enough(self) -> bool:
        """Whether the rater has seen as large a share of gold items as the round says, so that the next is none."""
        share = self._round.settings.gold
        if not share:
            return True
        seen = items.join(leases, leases.c.item_id == items.c.id)
        known = or_(leases.c.answered, leases.c.until > self._now)
        mine = select(func.count()).select_from(seen).where(leases.c.rater_id == self._rater.id, known)
        done = int(self._connection.scalar(mine) or 0)
        return int(self._connection.scalar(mine.where(items.c.gold)) or 0) >= share * (done + 1)

    def _lend(self, item: Row[Any], occasion: int) -> Task:
        return lend(self._connection, item, self._rater, occasion, self._now, self._until)
