"""What a round has found: a record an example with votes, and the raw table with a row an answer."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from app.domain.review.verdicts import Answer
from app.reviews.questions import CANNOT_TELL, NEITHER, Meaning, Question, heard_counts, named
from app.reviews.rounds import Round
from app.reviews.standing import given_votes, why_excluded
from app.reviews.store import Store
from app.reviews.tables import events, items, leases, raters, shelves

#: The columns of the raw table, in order.
RATING_COLUMNS: Final = (
    "round",
    "example",
    "rater",
    "kind",
    "a",
    "answer",
    "classes",
    "seconds",
    "gold",
    "repeat",
    "excluded",
    "why",
)


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes that stand on one example: what was asked, and what each answer meant, first answer first.

    ``raters`` are who gave them, by their opaque names.
    """

    idx: int
    question: Question
    meanings: tuple[Meaning, ...]
    raters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a round is. ``done`` are examples that need no more votes, ``lent`` those that somebody looks at."""

    examples: int
    done: int
    votes: int
    needed: int
    raters: int
    lent: int


def tallies(store: Store, found: Round) -> list[Tally]:
    """The examples of a round with votes that stand, in the order of their index; gold items and practice apart.

    An example that has more votes than the round asks for, because a rater was excluded and taken in again, keeps the
    first ones.
    """
    statement = given_votes().add_columns(items.c.idx, items.c.question, items.c.gold)
    statement = statement.join(items, items.c.id == events.c.item_id).where(items.c.round_id == found.id)
    given: dict[int, list[tuple[Meaning, str]]] = defaultdict(list)
    questions: dict[int, str] = {}
    with store.reading() as connection:
        for row in connection.execute(statement.order_by(events.c.id)):
            meaning = json.loads(row.meaning)
            if row.occasion or row.excluded or row.gold or CANNOT_TELL in meaning:
                continue
            questions[row.idx] = row.question
            given[row.idx].append((meaning, row.rater))
    most = found.settings.votes
    return [
        Tally(idx, Question.parse(questions[idx]), *zip(*those[:most], strict=True))
        for idx, those in sorted(given.items())
    ]


def shelf_names(store: Store, found: Round) -> dict[int, str]:
    """The classes that a round asks about, as they were called when it was opened, by id."""
    with store.reading() as connection:
        here = shelves.c.round_id == found.id
        return {row.class_id: row.name for row in connection.execute(select(shelves).where(here))}


def vote_records(store: Store, found: Round) -> list[dict[str, Any]]:
    """A record an example with votes, in the form of a dataset's votes file."""
    names = shelf_names(store, found)
    return [_record(tally, names) for tally in tallies(store, found)]


def _record(tally: Tally, names: dict[int, str]) -> dict[str, Any]:
    question = tally.question
    if question.kind == "set":
        return {
            "id": tally.idx,
            "given_original_labels": [names[one] for one in question.given],
            "our_guessed_labels": [names[one] for one in question.guessed or ()],
            "mturk": {names[one]: n for one, n in heard_counts(question.classes, tally.meanings).items()},
        }
    record: dict[str, Any] = {"id": tally.idx, "given_original_label": question.given[0]}
    record["given_original_label_name"] = names[question.given[0]]
    if question.guessed:
        record |= {"our_guessed_label": question.guessed[0], "our_guessed_label_name": names[question.guessed[0]]}
    return record | {"mturk": _counts(tally, names)}


def _counts(tally: Tally, names: dict[int, str]) -> dict[str, int]:
    """The votes by option: "given" and "guessed" in a pair, names of classes among several, and words."""
    question = tally.question
    spelled: dict[Answer, str] = {frozenset({one}): names[one] for one in question.classes}
    if question.kind == "pair":
        spelled = {frozenset(question.given): "given", frozenset(question.guessed or ()): "guessed"}
    for word in question.words:
        of_names = question.kind == "options" and word == NEITHER  # where votes go to names, this is "other"
        spelled.setdefault(question.answer_of(word), "other" if of_names else word)
    counts = dict.fromkeys(spelled.values(), 0)
    for meaning in tally.meanings:
        counts[spelled[named(meaning)]] += 1
    return counts


def ratings(store: Store, found: Round) -> Iterator[dict[str, Any]]:
    """The raw table: a row an answer that was not taken back, in the order in which they were given."""
    names = shelf_names(store, found)
    with store.reading() as connection:
        reasons = why_excluded(connection, found.id)
        statement = given_votes().add_columns(items.c.idx, items.c.question, items.c.gold)
        statement = statement.join(items, items.c.id == events.c.item_id).where(items.c.round_id == found.id)
        rows: Sequence[Any] = connection.execute(statement.order_by(events.c.id)).all()
    for row in rows:
        question = Question.parse(row.question)
        meaning = json.loads(row.meaning)
        answer = json.loads(row.answer)
        yield {
            "round": found.name,
            "example": row.idx,
            "rater": row.rater,
            "kind": question.kind,
            "a": names[json.loads(row.sides)[0]] if question.kind == "pair" else None,
            "answer": answer if isinstance(answer, str) else json.dumps(answer, sort_keys=True, ensure_ascii=False),
            "classes": _named(meaning, names),
            "seconds": row.seconds,
            "gold": bool(row.gold),
            "repeat": bool(row.occasion),
            "excluded": bool(row.excluded),
            "why": reasons.get(row.rater) if row.excluded else None,
        }


def _named(meaning: Meaning, names: dict[int, str]) -> str | None:
    classes = meaning.get("classes", meaning.get("heard"))
    return None if classes is None else json.dumps([names[one] for one in classes], ensure_ascii=False)


def standing(store: Store, found: Round) -> Standing:
    """How far a round is; gold items and practice apart."""
    now = store.clock()
    ordinary = (items.c.round_id == found.id, items.c.gold.is_(False), items.c.practice.is_(False))
    with store.reading() as connection:

        def number(statement: Any) -> int:
            return int(connection.scalar(statement) or 0)

        held = leases.join(items, items.c.id == leases.c.item_id)
        lent = select(func.count(func.distinct(leases.c.item_id))).select_from(held)
        return Standing(
            examples=number(select(func.count()).where(*ordinary)),
            done=number(select(func.count()).where(*ordinary, items.c.wanted == 0)),
            votes=number(select(func.sum(items.c.n_votes)).where(*ordinary)),
            needed=number(select(func.sum(items.c.wanted)).where(*ordinary)),
            raters=number(select(func.count()).where(raters.c.round_id == found.id)),
            lent=number(lent.where(*ordinary, leases.c.answered.is_(False), leases.c.until > now)),
        )
