"""Rounds: what is asked, of how many, until when; opened, closed, opened again."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

from sqlalchemy import Connection, Row, func, insert, select, update

from app.domain.review.stopping import Stopping, StoppingRule
from app.domain.review.verdicts import majority_of
from app.reviews.questions import Question
from app.reviews.standing import UNLIMITED, Kind, enter
from app.reviews.store import Store
from app.reviews.tables import events, items, rounds, shelves

#: Places on the circle from which examples are drawn (see ``_spots``).
SPOTS: Final = 2**31 - 1
_ROWS_AT_A_TIME: Final = 1_000


class NoRoundError(LookupError):
    """There is no round of a name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a round is run. ``agreements`` are the thresholds that it offers once it is published."""

    votes: int = 5
    stop: StoppingRule = StoppingRule.NEVER
    agreements: tuple[int, ...] = (3, 4, 5)
    lease_seconds: int = 1800
    instructions: str = ""
    title: str = ""
    modality: str = "image"
    reviewers: str = ""  # who reviews, in the owner's words
    chosen: str = ""  # which examples, in words
    seed: int = 0
    gold: float = 0.0  # share of gold items among all tasks
    repeat_after: int = 10  # other votes between an example and its repeat
    completion: dict[str, str] = field(default_factory=dict)  # outcome -> what a participant of Prolific takes back
    assignment: int = 20  # examples of an assignment of Mechanical Turk
    for_disputes: bool = False  # opened where disputes were accepted, and closed where all are taken back

    @classmethod
    def parse(cls, text: str) -> Self:
        """The settings of a row of ``rounds``."""
        found = json.loads(text)
        return cls(**{**found, "stop": StoppingRule(found["stop"]), "agreements": tuple(found["agreements"])})

    def text(self) -> str:
        """The settings as a row of ``rounds`` holds them."""
        return json.dumps(asdict(self))

    @property
    def stopping(self) -> Stopping:
        return Stopping(self.stop, self.votes, majority_of(self.votes), self.agreements)


@dataclass(frozen=True, slots=True)
class Round:
    """One round."""

    id: int
    name: str
    dataset: str
    opened_at: float
    closed: bool
    settings: Settings

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        return cls(row.id, row.name, row.dataset, row.opened_at, row.closed, Settings.parse(row.settings))


@dataclass(frozen=True, slots=True)
class NewItem:
    """An example to ask about."""

    idx: int
    question: Question
    media: tuple[str, ...]
    url: str | None = None
    gold: bool = False
    repeated: bool = False
    practice: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """A class that is asked about: its name, and its exemplars as (index of the example, kind of its medium)."""

    name: str
    exemplars: tuple[tuple[int, str], ...] = ()


def open_round(
    store: Store, dataset: str, settings: Settings, asked: Sequence[NewItem], classes: Mapping[int, Shelf]
) -> Round:
    """Open a round over examples of a dataset."""
    how, draw = settings.stopping, random.Random(settings.seed)  # noqa: S311 - an order, nothing secret
    with store.writing() as connection:
        before = select(func.count()).select_from(rounds).where(rounds.c.dataset == dataset)
        name = f"{dataset}-{int(connection.scalar(before) or 0) + 1}"
        values = {
            "name": name,
            "dataset": dataset,
            "opened_at": store.clock(),
            "settings": settings.text(),
            "closed": False,
        }
        connection.execute(insert(rounds), [values])
        row = connection.execute(select(rounds).where(rounds.c.name == name)).one()
        _insert(connection, shelves, [_shelf_row(row.id, class_id, shelf) for class_id, shelf in classes.items()])
        spots = _spots(asked, draw)
        _insert(connection, items, [_item_row(row.id, *pair, how) for pair in zip(asked, spots, strict=True)])
        return Round.of(row)


def find_round(store: Store, name: str) -> Round:
    """The round of a name. Raises NoRoundError."""
    with store.reading() as connection:
        row = connection.execute(select(rounds).where(rounds.c.name == name)).one_or_none()
        if row is None:
            known = ", ".join(connection.scalars(select(rounds.c.name).order_by(rounds.c.id)))
            raise NoRoundError(f"there is no round {name!r}; expected one of: {known or '(none was opened yet)'}")
        return Round.of(row)


def all_rounds(store: Store) -> list[Round]:
    """All rounds, oldest first."""
    with store.reading() as connection:
        return [Round.of(row) for row in connection.execute(select(rounds).order_by(rounds.c.id))]


def published_rounds(store: Store, dataset: str) -> list[Round]:
    """The rounds of a dataset that were published, oldest first."""
    with store.reading() as connection:
        published = select(events.c.round_id).where(events.c.kind == Kind.PUBLISH.value)
        here = (rounds.c.dataset == dataset, rounds.c.id.in_(published))
        return [Round.of(row) for row in connection.execute(select(rounds).where(*here).order_by(rounds.c.id))]


def open_beside(store: Store, found: Round) -> dict[str, int]:
    """The other open rounds of a round's dataset, oldest first, with how many of its examples they ask about too."""
    i, ordinary = items.c, (items.c.gold.is_(False), items.c.practice.is_(False))
    ours = select(i.idx).where(i.round_id == found.id, *ordinary)
    shared = select(i.round_id, func.count().label("n")).where(i.idx.in_(ours), *ordinary).group_by(i.round_id)
    both = shared.subquery()
    statement = select(rounds.c.name, both.c.n).outerjoin(both, both.c.round_id == rounds.c.id)
    others = (rounds.c.dataset == found.dataset, rounds.c.closed.is_(False), rounds.c.id != found.id)
    with store.reading() as connection:
        rows = connection.execute(statement.where(*others).order_by(rounds.c.id)).all()
    return {row.name: row.n or 0 for row in rows}


def asked_examples(store: Store, found: Round) -> set[int]:
    """The indices of the examples that a round asks about."""
    here = (items.c.round_id == found.id, items.c.gold.is_(False), items.c.practice.is_(False))
    with store.reading() as connection:
        return set(connection.scalars(select(items.c.idx).where(*here)))


def mark_published(store: Store, found: Round) -> None:
    """Enter that the votes of a round are in the catalogue."""
    with store.writing() as connection:
        enter(connection, store, Kind.PUBLISH, found.id)


def set_completion(store: Store, found: Round, codes: Mapping[str, str]) -> Round:
    """Set the codes that participants of Prolific take back, by outcome."""
    return _set(store, found, replace(found.settings, completion=dict(codes)))


def set_assignment(store: Store, found: Round, examples: int) -> Round:
    """Set how many examples an assignment of Mechanical Turk has."""
    return _set(store, found, replace(found.settings, assignment=examples))


def _set(store: Store, found: Round, settings: Settings) -> Round:
    with store.writing() as connection:
        connection.execute(update(rounds).where(rounds.c.id == found.id).values(settings=settings.text()))
    return replace(found, settings=settings)


def set_closed(store: Store, found: Round, *, closed: bool) -> None:
    """Close a round, so that no more votes are taken, or open it again."""
    with store.writing() as connection:
        enter(connection, store, Kind.CLOSE if closed else Kind.REOPEN, found.id)
        connection.execute(update(rounds).where(rounds.c.id == found.id).values(closed=closed))


def _spots(asked: Sequence[NewItem], draw: random.Random) -> list[int]:
    """A place for each example on a circle, evenly spread and in random order.

    A rater gets the first example from a place drawn anew each time. Were the gaps uneven, all raters would get the
    examples behind large gaps first.
    """
    in_turn = [place for place, one in enumerate(asked) if not one.practice]
    draw.shuffle(in_turn)
    spots = [draw.randrange(SPOTS) for _ in asked]
    for rank, place in enumerate(in_turn):
        spots[place] = rank * SPOTS // len(in_turn)
    return spots


def _shelf_row(round_id: int, class_id: int, shelf: Shelf) -> dict[str, Any]:
    exemplars = json.dumps(shelf.exemplars)
    return {"round_id": round_id, "class_id": class_id, "name": shelf.name, "exemplars": exemplars}


def _item_row(round_id: int, one: NewItem, spot: int, how: Stopping) -> dict[str, Any]:
    asked = 0 if one.practice else UNLIMITED if one.gold else one.question.fewest_more((), how)
    return {
        "round_id": round_id,
        "idx": one.idx,
        "spot": spot,
        "question": one.question.text(),
        "media": json.dumps(one.media),
        "url": one.url,
        "gold": one.gold,
        "repeated": one.repeated,
        "practice": one.practice,
        "n_votes": 0,
        "wanted": asked,
    }


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        connection.execute(insert(table), rows[start : start + _ROWS_AT_A_TIME])
