"""Take votes that were given elsewhere into a round: all of them, or none."""

import json
import secrets
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from app.reviews.questions import BOTH, CANNOT_TELL, NEITHER, Meaning, Question
from app.reviews.raters import LONGEST_NAME, kept_name, rater_row
from app.reviews.rounds import Round
from app.reviews.standing import Kind, count_anew, standing_meanings
from app.reviews.store import Store
from app.reviews.tables import events, items, leases, raters, shelves

#: Makes the key of an imported vote, so that the same file read twice is counted once.
_SPACE: Final = uuid.UUID("8f0f3d5c-31a5-4a40-8c52-6a1f3a5f7f3e")
#: The version of such a UUID.
_BY_NAME: Final = 5


def is_imported(key: str) -> bool:
    """Whether the key of a vote was made here, from names, and not drawn by a page at random."""
    return uuid.UUID(key).version == _BY_NAME


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """A vote of a file. ``answer`` is a class by name, a word of the question, or the classes that are there.

    ``where`` says where in the file it is, for messages.
    """

    idx: int
    rater: str
    answer: str | tuple[str, ...]
    where: str
    seconds: float | None = None


class VoteImportError(ValueError):
    """A vote that cannot be taken: what was expected and found; ``where`` in the file."""

    def __init__(self, where: str, finding: str) -> None:
        super().__init__(f"{where}: {finding}")
        self.where = where
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken: votes, those that were here already, raters that are new, examples voted on.

    Of the votes taken, ``surplus`` came after those that the round asks for, and ``excluded`` are of raters who are
    left out: they are kept, and count as soon as others no longer do, or their rater does again.
    """

    taken: int
    known: int
    new_raters: int
    examples: int
    surplus: int
    excluded: int


def import_votes(store: Store, found: Round, votes: Sequence[ImportedVote]) -> Imported:
    """Take votes into a round. Raises VoteImportError for the first that does not fit; nothing is taken then."""
    if found.closed:
        raise VoteImportError(found.name, "expected an open round; `review reopen` opens it")
    with store.writing() as connection:
        return _Import(connection, store.clock(), found).take(votes)


class _Import:
    def __init__(self, connection: Connection, now: float, found: Round) -> None:
        self._connection = connection
        self._now = now
        self._round = found
        here = (items.c.round_id == found.id, items.c.gold.is_(False), items.c.practice.is_(False))
        self._items = {row.idx: row for row in connection.execute(select(items).where(*here))}
        shown = connection.execute(select(shelves).where(shelves.c.round_id == found.id))
        self._names = {row.class_id: row.name for row in shown}
        people = connection.execute(select(raters).where(raters.c.round_id == found.id).order_by(raters.c.id)).all()
        self._raters: dict[str, Row[Any]] = {}
        for row in people:
            self._raters.setdefault(row.name, row)
        self._several = {row.name for row in people if self._raters[row.name].id != row.id}
        self._n_new = 0

    def take(self, votes: Sequence[ImportedVote]) -> Imported:
        seen: dict[tuple[int, int], str] = {}
        touched: dict[int, Row[Any]] = {}
        counting: Counter[int] = Counter()  # item -> votes of this file that count, were there room for all
        taken = known = excluded = 0
        for vote in votes:
            rater = self._rater(vote)
            before = seen.setdefault((vote.idx, rater.id), vote.where)
            if before != vote.where:
                finding = f"expected one answer of {vote.rater!r} to example {vote.idx}, found another at {before}"
                raise VoteImportError(vote.where, finding)
            item = self._items.get(vote.idx)
            if item is None:
                finding = f"expected an example of {self._round.name}, found {vote.idx}, which it does not ask about"
                raise VoteImportError(vote.where, finding)
            meaning = self._meaning(Question.parse(item.question), vote)
            if not self._enter(item, rater, meaning, vote):
                known += 1
                continue
            taken += 1
            touched[item.id] = item
            excluded += bool(rater.excluded)
            counting[item.id] += not rater.excluded and CANNOT_TELL not in meaning
        surplus = sum(min(counting[item.id], self._count(item)) for item in touched.values())
        return Imported(taken, known, self._n_new, len({vote.idx for vote in votes}), surplus, excluded)

    def _count(self, item: Row[Any]) -> int:
        """Count the votes on an example anew; how many there are beyond those that the round asks for."""
        count_anew(self._connection, item, self._round.settings.stopping)
        return max(0, len(standing_meanings(self._connection, item.id)) - self._round.settings.votes)

    def _rater(self, vote: ImportedVote) -> Row[Any]:
        # As it is kept: a name that is kept otherwise than it is looked for would be a new rater each time.
        name = kept_name(vote.rater).strip()
        if not name or len(vote.rater) > LONGEST_NAME:
            raise VoteImportError(vote.where, f"expected the name of a rater, found {name[:40]!r}")
        if name in self._several:
            raise VoteImportError(vote.where, f"expected a rater of one name, found several called {name!r}")
        if name not in self._raters:
            self._connection.execute(insert(raters), [rater_row(self._round, name, self._now)])
            newest = select(raters).where(raters.c.round_id == self._round.id).order_by(raters.c.id.desc()).limit(1)
            self._raters[name] = self._connection.execute(newest).one()
            self._n_new += 1
        return self._raters[name]

    def _meaning(self, question: Question, vote: ImportedVote) -> Meaning:
        if isinstance(vote.answer, str) and vote.answer.strip().lower() in (CANNOT_TELL, "cannot tell"):
            return {CANNOT_TELL: True}
        names = {self._names[one]: one for one in question.classes}
        if question.kind == "set":
            heard = (vote.answer,) if isinstance(vote.answer, str) else vote.answer
            unknown = [name for name in heard if name not in names]
            if unknown:
                raise VoteImportError(vote.where, _expected(unknown[0], [*names, CANNOT_TELL]))
            return {"heard": sorted(names[name] for name in heard)}
        words = self._words(question, names)
        answer = vote.answer if isinstance(vote.answer, str) else ", ".join(vote.answer)
        if isinstance(vote.answer, tuple) and set(vote.answer) == set(names) and len(vote.answer) == 2:
            answer = BOTH  # two boxes ticked
        meaning = words.get(answer.strip()) or words.get(answer.strip().lower())
        if meaning is None:
            raise VoteImportError(vote.where, _expected(answer, [*words, CANNOT_TELL]))
        return meaning

    def _words(self, question: Question, names: Mapping[str, int]) -> dict[str, Meaning]:
        found: dict[str, Meaning] = {name: {"classes": [one]} for name, one in names.items()}
        if question.kind == "pair" and question.guessed is not None:
            found.setdefault("given", {"classes": list(question.given)})
            found.setdefault("guessed", {"classes": list(question.guessed)})
        for word in question.words:
            answer = question.answer_of(word)
            found.setdefault(word, {"word": word} if isinstance(answer, str) else {"classes": sorted(answer)})
        if NEITHER in question.words:
            found.setdefault("none", found[NEITHER])
        return found

    def _enter(self, item: Row[Any], rater: Row[Any], meaning: Meaning, vote: ImportedVote) -> bool:
        """Enter a vote; False if it was taken before."""
        here = (leases.c.item_id == item.id, leases.c.rater_id == rater.id, leases.c.occasion == 0)
        lease = self._connection.execute(select(leases).where(*here)).one_or_none()
        mine = select(events.c.meaning, events.c.key).where(events.c.lease_id == (lease.id if lease else None))
        before = self._connection.execute(mine.where(events.c.kind == Kind.VOTE.value).order_by(events.c.id)).all()
        if lease is not None and lease.answered:
            last = before[-1]
            if last.key == self._key(vote, rater, len(before) - 1) and json.loads(last.meaning) == meaning:
                return False
            finding = f"{vote.rater!r} has voted on example {vote.idx} already, otherwise or on this site"
            raise VoteImportError(vote.where, f"expected no vote yet, found that {finding}")
        lease_id = self._lease(item, rater, lease)
        row = {"at": self._now, "kind": Kind.VOTE.value, "round_id": self._round.id, "rater_id": rater.id}
        key = self._key(vote, rater, len(before))
        row |= {"item_id": item.id, "lease_id": lease_id, "key": key, "seconds": vote.seconds}
        told = vote.answer if isinstance(vote.answer, str) else list(vote.answer)
        self._connection.execute(insert(events), [row | {"answer": json.dumps(told), "meaning": json.dumps(meaning)}])
        return True

    def _key(self, vote: ImportedVote, rater: Row[Any], number: int) -> str:
        """The key of a rater's vote on an example; ``number`` counts those that were taken back before it."""
        return str(uuid.uuid5(_SPACE, f"{self._round.name} {vote.idx} {rater.id} {number}"))

    def _lease(self, item: Row[Any], rater: Row[Any], lease: Row[Any] | None) -> int:
        if lease is not None:
            self._connection.execute(update(leases).where(leases.c.id == lease.id).values(answered=True))
            return int(lease.id)
        values = {"code": secrets.token_urlsafe(16), "item_id": item.id, "rater_id": rater.id, "occasion": 0}
        values |= {"sides": json.dumps(Question.parse(item.question).classes), "answered": True}
        values |= {"lent_at": self._now, "until": self._now}
        self._connection.execute(insert(leases), [values])
        return int(self._connection.scalars(select(leases.c.id).where(leases.c.code == values["code"])).one())


def _expected(found: str, known: Sequence[str]) -> str:
    return f"expected {', '.join(known)}, found {found!r:.80}"
