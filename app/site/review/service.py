"""The store of votes as the server uses it: who asks, how often, and what is sent of a task.

What is sent never tells which of a task's classes was given, what the model thought, what others answered, or which
example of the dataset it is: tasks and media have random names, and the sides are drawn for each rater and stored.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cachetools import LRUCache
from sqlalchemy import Row, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import cookie_parser

from app.catalogue.rounds.withheld import Withheld
from app.errors import Busy, NoLink, TooManyRequests
from app.reviews.lending import Nothing, Task, next_task
from app.reviews.links import Link, LinkError, LinkKind, Links
from app.reviews.questions import SIDES
from app.reviews.raters import Progress, progress, rater_of
from app.reviews.rounds import NoRoundError, Round, find_round
from app.reviews.store import Store, StoreError, store_url
from app.reviews.tables import items, rounds, shelves
from app.reviews.task_exemplars import exemplars_of
from app.settings import Settings, SettingsError
from app.site.review.disputes.address_limit import AddressLimit
from app.web.rate_limit import TokenBuckets
from app.web.server.path_prefix import here

log = logging.getLogger(__name__)

#: What the links of rounds are.
_KIND_WORDS: Final[Mapping[LinkKind, str]] = {
    "open": "one with which anybody joins",
    "owner": "an owner's",
    "prolific": "one for participants of Prolific",
    "mturk": "one for workers of Mechanical Turk",
}
#: The cookie of a round's owner, who sees on the site what is withheld from others.
OWNER: Final = "review_owner"
#: Seconds between two looks at which rounds are open, in a database that is asked over a network.
_LOOKED_AT: Final = 1.0
_MINUTE: Final = 60.0
_MOST_LINKS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rater:
    """Who asks: the rater, the round, and the token of the link."""

    row: Row[Any]
    round: Round
    token: str


@dataclass(frozen=True, slots=True)
class ShownClass:
    """A class as a rater sees it: its name, and the addresses of its exemplars with their kinds."""

    name: str
    exemplars: tuple[tuple[str, str], ...]


class ReviewService:
    """The store with its links and limits; one a process. Raises SettingsError if the store cannot be opened."""

    def __init__(self, settings: Settings) -> None:
        try:
            self.store = Store(store_url(settings.reviews, settings.catalogue))
        except StoreError as error:
            raise SettingsError(("reviews", f"cannot be used: {error}")) from error
        self.links = Links(self.store)
        self._a_minute = settings.review_requests_a_minute
        self.disputes = AddressLimit(settings.disputes_an_hour)
        self._buckets = TokenBuckets(self._a_minute, _MINUTE, keys=_MOST_LINKS)
        # The rounds that are open, and their examples.
        self._withheld: tuple[tuple[int, ...], Withheld] = ((), ())
        self._looked = -math.inf
        # What a round shows of its classes does not change once it is open.
        self._shelves: LRUCache[int, Mapping[int, Row[Any]]] = LRUCache(100)

    def rater(self, token: str) -> Rater:
        """The rater of a token. Raises NoLink for one that is not accepted, TooManyRequests beyond the limit."""
        try:
            row, found = rater_of(self.store, self.links.read(token))
        except LinkError as error:
            raise NoLink(str(error)) from error
        self.count(row.code)
        return Rater(row, found, token)

    def link(self, token: str) -> Link:
        """What a token says. Raises NoLink for one that is not accepted."""
        try:
            return self.links.read(token)
        except LinkError as error:
            raise NoLink(str(error)) from error

    def round_of_link(self, link: Link, kind: LinkKind) -> Round:
        """The round of a link of one kind. Raises NoLink for another kind, and where the round is no longer here."""
        if link.kind != kind:
            raise NoLink(f"This link is not {_KIND_WORDS[kind]}. Open the address that you were sent.")
        try:
            return find_round(self.store, link.name)
        except NoRoundError as error:
            raise NoLink("The round of this link is no longer here. Ask who sent it for a new one.") from error

    def next(self, rater: Rater, after: str | None = None) -> tuple[Task | Nothing, Progress]:
        """The task of a rater, or the one after a task, and how far they are. Raises NoTaskError."""
        return next_task(self.store, rater.row, rater.round, after), self.progress(rater)

    def progress(self, rater: Rater) -> Progress:
        """How far a rater is."""
        return progress(self.store, rater.row, rater.round)

    def classes(self, round_id: int) -> Mapping[int, Row[Any]]:
        """The classes of a round, by id."""
        known = self._shelves.get(round_id)
        if known is None:
            with self.store.reading() as connection:
                rows = connection.execute(select(shelves).where(shelves.c.round_id == round_id))
                known = self._shelves[round_id] = {row.class_id: row for row in rows}
        return known

    def round_of(self, round_id: int) -> Round:
        """The round of an id."""
        with self.store.reading() as connection:
            return Round.of(connection.execute(select(rounds).where(rounds.c.id == round_id)).one())

    def names(self, round_id: int) -> Mapping[int, str]:
        """The names of a round's classes, by id."""
        return {class_id: row.name for class_id, row in self.classes(round_id).items()}

    def withheld(self) -> Withheld:
        """The examples of all open rounds. While the database is away it is what it was."""
        now = time.monotonic()
        if not self.store.is_sqlite and now < self._looked + _LOOKED_AT:
            return self._withheld[1]
        self._looked = now
        try:
            with self.store.reading() as connection:
                open_now = tuple(connection.scalars(select(rounds.c.id).where(rounds.c.closed.is_(False))))
                if open_now != self._withheld[0]:
                    columns = (rounds.c.dataset, items.c.idx, rounds.c.name)
                    asked = select(*columns).join(rounds, rounds.c.id == items.c.round_id)
                    asked = asked.where(
                        items.c.round_id.in_(open_now), items.c.gold.is_(False), items.c.practice.is_(False)
                    )
                    found = sorted({(row.dataset, row.idx, row.name) for row in connection.execute(asked)})
                    self._withheld = open_now, tuple(found)
        except AWAY as error:
            log.error("The store of votes cannot be read: %s", error)
        return self._withheld[1]

    def is_owner(self, scope: Any) -> bool:
        """Whether a request carries the owner's cookie."""
        cookies = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
        if OWNER.encode() not in cookies:
            return False
        token = cookie_parser(cookies.decode("latin-1")).get(OWNER, "")
        try:
            return self.links.read(token).kind == "owner"
        except LinkError:
            return False

    def count(self, code: str) -> None:
        """Count a request of a link. Raises TooManyRequests beyond the limit."""
        if not self._a_minute:
            return
        left = self._buckets.take(code)
        if left < 0:
            wait = self._buckets.wait(left)
            refusal = TooManyRequests(f"The limit is {self._a_minute:,} requests a minute for a link; wait {wait} s.")
            refusal.retry_after = wait
            raise refusal


def shown_classes(task: Task, classes: Mapping[int, Row[Any]]) -> list[ShownClass]:
    """The classes of a task in the order drawn for its rater."""
    shown = []
    for place, class_id in enumerate(task.sides):
        row = classes[class_id]
        addresses = [
            (kind, media_address(task, f"e{place}-{n}"))
            for n, (_, kind) in enumerate(exemplars_of(task, place, classes))
        ]
        shown.append(ShownClass(row.name, tuple(addresses)))
    return shown


def media_of(task: Task) -> list[dict[str, str]]:
    """The media of a task's example."""
    media = [
        {"kind": "text" if kind == "excerpt" else kind, "address": media_address(task, f"m{n}")}
        for n, kind in enumerate(task.media)
    ]
    if not media and task.url is not None:
        return [{"kind": "link", "address": task.url}]
    return media


def medium_named(task: Task, part: str, classes: Mapping[int, Row[Any]]) -> tuple[int, str] | None:
    """The example and the kind of medium that an address of a task means; None if there is none."""
    name, _, number = part[1:].partition("-")
    places = [int(text) for text in (name, number) if text.isascii() and text.isdecimal() and len(text) < 4]
    if part.startswith("m") and len(places) == 1 and places[0] < len(task.media) and not number:
        return task.idx, task.media[places[0]]
    if part.startswith("e") and len(places) == 2 and places[0] < len(task.sides):
        found = exemplars_of(task, places[0], classes)
        return found[places[1]] if places[1] < len(found) else None
    return None


def media_address(task: Task, part: str) -> str:
    """The address of a medium of a task."""
    return here(f"/review/media/{task.code}/{part}")


def task_json(task: Task, classes: Mapping[int, Row[Any]], done: Progress) -> dict[str, Any]:
    """A task as the API sends it."""
    names = {class_id: classes[class_id].name for class_id in task.sides}
    body: dict[str, Any] = {"task": task.code, "kind": task.question.kind}
    shown = [
        {"name": one.name, "exemplars": [address for _, address in one.exemplars]}
        for one in shown_classes(task, classes)
    ]
    if task.question.kind == "pair":
        body |= dict(zip(SIDES, shown, strict=True))
    else:
        body["choices"] = shown
    answers: Sequence[str] = task.question.answers(task.sides, names)
    return body | {
        "media": media_of(task),
        "answers": answers,
        "progress": {"done": done.done, "of": done.of},
    }


#: What a database that is away for a moment raises: raters are asked to try again.
AWAY: Final = (DBAPIError, PoolTimeoutError)


def away() -> Busy:
    """The refusal while the database is away."""
    return Busy("The votes cannot be reached for a moment; nothing was lost. Try again in a few seconds.")
