"""The answers of a round as the owner's figures start from them: all that were not taken back, with who gave them."""

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from app.domain.review.agreement.vote_table import VoteTable
from app.domain.review.stopping import Stopping, StoppingRule
from app.domain.review.verdicts import Answer, Category, Verdict, error_or_not, label_set_verdict, verdict
from app.reviews.elsewhere.vote_import import is_imported
from app.reviews.questions import CANNOT_TELL, Meaning, Question, heard_counts, named
from app.reviews.rounds import Round
from app.reviews.standing import given_votes
from app.reviews.store import Store
from app.reviews.tables import events, items, raters, shelves

GIVEN: Final = "given"
GUESSED: Final = "guessed"
#: What is said of each class where an example has a set of them.
_THERE: Final = ("no", "yes")


@dataclass(frozen=True, slots=True)
class Given:
    """One answer. ``sent`` is what the rater sent, ``rater`` the opaque code."""

    rater: str
    idx: int
    question: Question
    meaning: Meaning
    sent: str
    seconds: float | None
    gold: bool
    repeat: bool
    imported: bool  # given elsewhere, and brought by a file of another tool

    @property
    def is_vote(self) -> bool:
        """Whether it counts, unless its rater is excluded."""
        return not (self.gold or self.repeat or CANNOT_TELL in self.meaning)


@dataclass(frozen=True, slots=True)
class Voted:
    """The votes that stand on one example, first vote first: (rater, meaning)."""

    idx: int
    question: Question
    votes: tuple[tuple[str, Meaning], ...]

    @property
    def meanings(self) -> tuple[Meaning, ...]:
        return tuple(meaning for _, meaning in self.votes)

    def verdict(self, agreement: int, majority: int) -> Verdict:
        """What the votes say at an agreement threshold."""
        question = self.question
        if question.kind == "set":
            heard = heard_counts(question.classes, self.meanings)
            return label_set_verdict(frozenset(question.given), heard, agreement, majority)
        counts: dict[Answer, int] = {}
        for meaning in self.meanings:
            counts[named(meaning)] = counts.get(named(meaning), 0) + 1
        eligible = None if question.eligible is None else frozenset(question.eligible)
        return verdict(question.given[0], counts, agreement, majority, eligible=eligible)

    def category(self, how: Stopping, agreement: int) -> Category:
        """The category at an agreement threshold, or what of it a round knows that stops at whether it is an error."""
        return known_category(self.verdict(agreement, how.majority).category, how)


def known_category(found: Category, how: Stopping) -> Category:
    """A category as far as a round that stops so can know it."""
    return error_or_not(found) if how.rule is StoppingRule.ERROR else found


@dataclass(frozen=True)
class RoundAnswers:
    """All answers of a round in the order in which they were given, its raters, and the names of its classes."""

    round: Round
    answers: Sequence[Given]
    raters: Sequence[Any]  # rows of the raters, in the order in which they were added
    names: Mapping[int, str]

    @property
    def excluded(self) -> frozenset[str]:
        """The codes of the raters whose votes do not stand."""
        return frozenset(rater.code for rater in self.raters if rater.excluded)

    def voted(self, excluded: Collection[str] | None = None) -> list[Voted]:
        """The examples with votes, by index; without those of the raters ``excluded``, by default those who are.

        An example that has more votes than the round asks for keeps the first ones.
        """
        out = self.excluded if excluded is None else excluded
        found: dict[int, list[Given]] = {}
        for one in self.answers:
            if one.is_vote and one.rater not in out:
                found.setdefault(one.idx, []).append(one)
        most = self.round.settings.votes
        return [
            Voted(idx, those[0].question, tuple((one.rater, one.meaning) for one in those[:most]))
            for idx, those in sorted(found.items())
        ]


def answers_of(store: Store, found: Round) -> RoundAnswers:
    """Read the answers of a round."""
    statement = given_votes().add_columns(items.c.idx, items.c.question, items.c.gold, events.c.key)
    statement = statement.join(items, items.c.id == events.c.item_id).where(items.c.round_id == found.id)
    with store.reading() as connection:
        rows = connection.execute(statement.order_by(events.c.id)).all()
        people = connection.execute(select(raters).where(raters.c.round_id == found.id).order_by(raters.c.id)).all()
        shown = connection.execute(select(shelves).where(shelves.c.round_id == found.id))
        names = {row.class_id: row.name for row in shown}
    questions: dict[str, Question] = {}
    given = []
    for row in rows:
        question = questions.setdefault(row.question, Question.parse(row.question))
        sent = json.loads(row.answer)
        told = sent if isinstance(sent, str) else json.dumps(sent, sort_keys=True, ensure_ascii=False)
        meaning = json.loads(row.meaning)
        given.append(
            Given(
                row.rater,
                row.idx,
                question,
                meaning,
                told,
                row.seconds,
                bool(row.gold),
                bool(row.occasion),
                is_imported(row.key),
            )
        )
    return RoundAnswers(found, given, people, names)


def options_of_question(question: Question, names: Mapping[int, str]) -> dict[str, Answer]:
    """The answers to a question, by the words that figures use: given and guessed in a pair, else names of classes."""
    if question.kind == "pair":
        found: dict[str, Answer] = {GIVEN: frozenset(question.given), GUESSED: frozenset(question.guessed or ())}
    else:
        found = {names[one]: frozenset({one}) for one in question.classes}
    for word in question.words:
        found.setdefault(word, question.answer_of(word))
    return found


def vote_table(voted: Sequence[Voted], names: Mapping[int, str]) -> tuple[VoteTable, list[Hashable], list[str]]:
    """The votes as a table, the units that its examples are, and the answers in words.

    A unit is the index of an example, or (index, class) where raters say of each class whether it is there.
    """
    rows: list[tuple[Hashable, str, str]] = []
    answers: dict[str, None] = {}
    for one in voted:
        if one.question.kind == "set":
            answers |= dict.fromkeys(_THERE)
            for rater, meaning in one.votes:
                rows += [((one.idx, each), rater, _THERE[each in meaning["heard"]]) for each in one.question.classes]
            continue
        options = options_of_question(one.question, names)
        answers |= dict.fromkeys(options)
        words = {answer: word for word, answer in reversed(options.items())}
        rows += [(one.idx, rater, words[named(meaning)]) for rater, meaning in one.votes]
    units = list(dict.fromkeys(unit for unit, _, _ in rows))
    people = sorted({rater for _, rater, _ in rows})
    return VoteTable.of(rows, units, people, list(answers)), units, list(answers)


def raters_of_table(voted: Sequence[Voted]) -> list[str]:
    """The raters in the order in which ``vote_table`` numbers them."""
    return sorted({rater for one in voted for rater, _ in one.votes})
