"""What becomes of disputes: the owner accepts or rejects them, and a round decides those that were accepted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from sqlalchemy import Connection, Row, func, insert, select, update

from app.domain.review.dispute_outcome import Claim, Outcome
from app.reviews.disputes.visitor_words import plain
from app.reviews.store import Store
from app.reviews.tables import dispute_events, disputes, rounds

#: Characters of an owner's reason.
LONGEST_WHY: Final = 500
_DECIDABLE: Final = "expected one that waits or was rejected, or whose round was closed before it was published"


class State(StrEnum):
    """Where a dispute is."""

    WAITING = "waiting"  # for the owner
    ACCEPTED = "accepted"  # reviewers are asked again
    REJECTED = "rejected"  # by the owner, with a reason
    SETTLED = "settled"  # the round was published, and says what becomes of it


class ModerationError(ValueError):
    """A decision that cannot be taken, and why, in a sentence for the owner."""


@dataclass(frozen=True, slots=True)
class Result:
    """What reviewers made of a dispute: the outcome, and the verdict that it follows from, classes by their names."""

    outcome: Outcome
    category: str
    corrected: tuple[str, ...] | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The result of a row of ``dispute_events``."""
        found = json.loads(text)
        names = found["corrected"]
        return cls(Outcome(found["outcome"]), found["category"], None if names is None else tuple(names))


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the record of a dispute: what it became, and when."""

    at: float
    state: State
    why: str | None
    result: Result | None
    round_id: int | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute with all that became of it, oldest first; ``reason`` is empty where the owner had it forgotten."""

    id: int
    code: str
    dataset: str
    idx: int
    filed_at: float
    claim: Claim
    proposed: tuple[str, ...]
    reason: str
    source: str | None
    state: State
    round: str | None
    decisions: tuple[Decision, ...] = ()
    round_closed: bool = False

    @property
    def last(self) -> Decision | None:
        """The decision that holds; None while it waits, for the first time or again."""
        return self.decisions[-1] if self.decisions and self.state is not State.WAITING else None

    @property
    def decided_at(self) -> float | None:
        """When it was last rejected, accepted or settled."""
        return None if self.last is None else self.last.at

    @property
    def why(self) -> str | None:
        """The owner's reason where it is rejected."""
        return None if self.last is None else self.last.why

    @property
    def result(self) -> Result | None:
        """What reviewers made of it where that is settled."""
        return None if self.last is None else self.last.result

    @property
    def can_be_decided(self) -> bool:
        """Whether the owner can accept it, or reject it: also when its round was closed and came to no end."""
        return self.state in (State.WAITING, State.REJECTED) or (self.state is State.ACCEPTED and self.round_closed)


def find_disputes(
    store: Store, *, dataset: str | None = None, states: Iterable[State] = State, round_id: int | None = None
) -> list[Dispute]:
    """The disputes of these states, oldest first."""
    d = disputes.c
    of_round = (rounds.c.name.label("round"), rounds.c.closed.label("round_closed"))
    asked = select(disputes, *of_round).outerjoin(rounds, rounds.c.id == d.round_id)
    asked = asked.where(d.state.in_([one.value for one in states])).order_by(d.id)
    if dataset is not None:
        asked = asked.where(d.dataset == dataset)
    if round_id is not None:
        asked = asked.where(d.round_id == round_id)
    with store.reading() as connection:
        rows = connection.execute(asked).all()
        decisions: dict[int, list[Decision]] = {}
        for event in connection.execute(select(dispute_events).order_by(dispute_events.c.id)):
            decisions.setdefault(event.dispute_id, []).append(_decision(event))
    return [_dispute(row, decisions.get(row.id, ())) for row in rows]


def find_dispute(store: Store, code: str) -> Dispute:
    """The dispute of a code. Raises ModerationError."""
    found = [one for one in find_disputes(store) if one.code == code]
    if not found:
        raise ModerationError(f"there is no dispute {code!r:.60}; `label-errors disputes list` names those there are")
    return found[0]


def waiting_by_dataset(store: Store) -> Mapping[str, int]:
    """Dataset -> disputes that nobody has decided yet, neither owner nor reviewers."""
    d = disputes.c
    open_states = (State.WAITING.value, State.ACCEPTED.value)
    counted = select(d.dataset, func.count().label("n")).where(d.state.in_(open_states)).group_by(d.dataset)
    with store.reading() as connection:
        return {row.dataset: row.n for row in connection.execute(counted)}


def reject(store: Store, found: Dispute, why: str) -> None:
    """Reject a dispute, with a reason that is public. Raises ModerationError."""
    reason = plain(why)
    if not reason or len(reason) > LONGEST_WHY:
        raise ModerationError(f"expected a reason of 1 to {LONGEST_WHY} characters, found {len(reason):,}")
    with store.writing() as connection:
        if found.state is State.REJECTED:
            raise ModerationError(f"{found.code} is rejected already")
        _decide(connection, store.clock(), [found], State.REJECTED, why=reason)


def accept(store: Store, found: Sequence[Dispute], round_id: int) -> None:
    """Accept disputes, also rejected ones: a round asks about their examples. Raises ModerationError."""
    with store.writing() as connection:
        _decide(connection, store.clock(), found, State.ACCEPTED, round_id=round_id)


def undo(store: Store, found: Sequence[Dispute]) -> None:
    """Take back the owner's last decisions, so that the disputes wait again. Raises ModerationError, and takes none."""
    for one in found:
        if one.state not in (State.ACCEPTED, State.REJECTED):
            waits = "waits already" if one.state is State.WAITING else "is settled: its round was published"
            raise ModerationError(f"{one.code} {waits}; expected one that was accepted or rejected")
    with store.writing() as connection:
        now = store.clock()
        for one in found:
            _require_state(connection, one, "somebody decided it meanwhile")
            _enter(connection, now, one.id, State.WAITING)


def forget_words(store: Store, found: Dispute) -> None:
    """Erase what a visitor wrote; what was claimed, and what became of it, stays."""
    with store.writing() as connection:
        erased = {"reason": "", "source": None}
        connection.execute(update(disputes).where(disputes.c.id == found.id).values(**erased))


def settle(store: Store, results: Mapping[int, Result], at: float) -> None:
    """Enter what reviewers made of disputes, by the disputes' ids, as decided at a time."""
    if not results:
        return
    with store.writing() as connection:
        rows = {row.id: row for row in connection.execute(select(disputes).where(disputes.c.id.in_(list(results))))}
        for key, result in results.items():
            row, allowed = rows[key], (State.ACCEPTED.value, State.SETTLED.value)
            if row.state in allowed:
                told = {"round_id": row.round_id, "result": json.dumps(asdict(result))}
                _enter(connection, at, key, State.SETTLED, **told)


def _decide(connection: Connection, now: float, found: Sequence[Dispute], state: State, **told: Any) -> None:
    for one in found:
        if not one.can_be_decided:
            raise ModerationError(f"{one.code} is {one.state}; {_DECIDABLE}")
        _require_state(connection, one, _DECIDABLE)
        _enter(connection, now, one.id, state, **told)


def _require_state(connection: Connection, one: Dispute, why: str) -> None:
    """Nobody else may have decided it since it was looked at. Raises ModerationError."""
    row = connection.execute(select(disputes.c.state).where(disputes.c.id == one.id).with_for_update()).one()
    if row.state != one.state.value:
        raise ModerationError(f"{one.code} is {row.state}; {why}")


def _enter(connection: Connection, now: float, dispute_id: int, state: State, **told: Any) -> None:
    row = {"at": now, "dispute_id": dispute_id, "state": state.value, "round_id": None, "why": None, "result": None}
    connection.execute(insert(dispute_events), [row | told])
    kept = {"state": state.value, "round_id": told.get("round_id")}
    connection.execute(update(disputes).where(disputes.c.id == dispute_id).values(**kept))


def _decision(row: Row[Any]) -> Decision:
    result = None if row.result is None else Result.parse(row.result)
    return Decision(row.at, State(row.state), row.why, result, row.round_id)


def _dispute(row: Row[Any], decisions: Sequence[Decision]) -> Dispute:
    return Dispute(
        id=row.id,
        code=row.code,
        dataset=row.dataset,
        idx=row.idx,
        filed_at=row.filed_at,
        claim=Claim(row.claim),
        proposed=tuple(json.loads(row.proposed)),
        reason=row.reason,
        source=row.source,
        state=State(row.state),
        round=row.round,
        decisions=tuple(decisions),
        round_closed=bool(row.round_closed),
    )
