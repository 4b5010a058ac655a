"""What a rater is asked about an example, the answers there are, and what each answer means.

A question is one of three kinds. ``pair``: one of two classes, both, neither, or a word that names no class.
``options``: one class of a short list, or such a word. ``set``: for each class, whether it is there. To each belongs
"cannot tell", which is no vote.

An answer is stored as the classes that it names: ``{"classes": [3]}``, ``{"word": "off-topic"}``, ``{"heard": [1, 4]}``
or ``{"cannot_tell": true}``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from app.domain.review.stopping import Choice, Stopping, fewest_more, fewest_more_of_sets
from app.domain.review.verdicts import NONE_OF_THEM, Answer

QuestionKind = Literal["pair", "options", "set"]
CANNOT_TELL: Final = "cannot_tell"
BOTH: Final = "both"
NEITHER: Final = "neither"
#: What the two classes of a pair are called until it is told which they are.
SIDES: Final = ("a", "b")

Meaning = Mapping[str, Any]


class AnswerError(ValueError):
    """An answer that a question does not have, and which it has, in a sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one example. ``given`` and ``guessed`` are label sets; nothing sent to a rater tells them.

    ``words`` are the answers beside the classes: "both", "neither", or words that name no class. ``eligible`` are the
    classes that can become the corrected label, None for all.
    """

    kind: QuestionKind
    given: tuple[int, ...]
    guessed: tuple[int, ...] | None
    classes: tuple[int, ...]
    words: tuple[str, ...]
    eligible: tuple[int, ...] | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The question of a row of ``items``."""
        found = json.loads(text)
        optional = {name: None if found[name] is None else tuple(found[name]) for name in ("guessed", "eligible")}
        given, classes, words = (tuple(found[name]) for name in ("given", "classes", "words"))
        return cls(found["kind"], given, optional["guessed"], classes, words, optional["eligible"])

    def text(self) -> str:
        """The question as a row of ``items`` holds it."""
        names = ("kind", "given", "guessed", "classes", "words", "eligible")
        return json.dumps({name: getattr(self, name) for name in names}, separators=(",", ":"))

    def answer_of(self, word: str) -> Answer:
        """What a word beside the classes means.

        >>> question = Question("pair", (3,), (5,), (3, 5), ("both", "neither"))
        >>> sorted(question.answer_of("both")), question.answer_of("neither") == frozenset()
        ([3, 5], True)
        """
        if word == BOTH:
            return frozenset(self.classes)
        return NONE_OF_THEM if word == NEITHER else word

    def choice(self) -> Choice:
        """The question as the stopping rules know it."""
        answers = (*(frozenset({one}) for one in self.classes), *map(self.answer_of, self.words))
        eligible = None if self.eligible is None else frozenset(self.eligible)
        return Choice(self.given[0] if len(self.given) == 1 else -1, answers, eligible)

    def fewest_more(self, meanings: Sequence[Meaning], how: Stopping) -> int:
        """The further votes needed at least, after the votes that stand (see ``app.domain.review.stopping``)."""
        if self.kind == "set":
            heard = heard_counts(self.classes, meanings)
            return fewest_more_of_sets(frozenset(self.given), heard, len(meanings), how)
        votes: dict[Answer, int] = {}
        for meaning in meanings:
            answer = named(meaning)
            votes[answer] = votes.get(answer, 0) + 1
        return fewest_more(self.choice(), votes, how)

    def meaning(self, answer: object, sides: Sequence[int], names: Mapping[int, str]) -> Meaning:
        """What an answer means, with the classes on these sides and called by these names.

        Raises AnswerError for an answer that is none of this question's.
        """
        if answer == CANNOT_TELL:
            return {CANNOT_TELL: True}
        if self.kind == "set":
            return self._heard(answer, names)
        if isinstance(answer, str):
            by_word = self._by_word(sides, names)
            if answer in by_word:
                return by_word[answer]
        raise AnswerError(f"answer is {_shown(answer)}; expected {', '.join(self.answers(sides, names))}.")

    def answers(self, sides: Sequence[int], names: Mapping[int, str]) -> list[str]:
        """The answers there are, in the order to show."""
        if self.kind == "set":
            return [CANNOT_TELL]
        return [*self._by_word(sides, names), CANNOT_TELL]

    def _by_word(self, sides: Sequence[int], names: Mapping[int, str]) -> dict[str, Meaning]:
        spelled = SIDES if self.kind == "pair" else [names[one] for one in sides]
        found: dict[str, Meaning] = {
            word: {"classes": [one]} for word, one in zip(spelled, sides, strict=self.kind == "pair")
        }
        for word in self.words:
            answer = self.answer_of(word)
            found.setdefault(word, {"word": word} if isinstance(answer, str) else {"classes": sorted(answer)})
        return found

    def _heard(self, answer: object, names: Mapping[int, str]) -> Meaning:
        asked = {names[one]: one for one in self.classes}
        if not isinstance(answer, dict) or not all(isinstance(told, bool) for told in answer.values()):
            raise AnswerError(f"answer is {_shown(answer)}; expected true or false for each of {', '.join(asked)}.")
        if set(answer) != set(asked):
            wrong = sorted(set(asked) ^ set(map(str, answer)))
            raise AnswerError(f"answer must tell of each of {', '.join(asked)}, and of no other; see {wrong[0]!r:.80}.")
        return {"heard": sorted(asked[name] for name, told in answer.items() if told)}


def named(meaning: Meaning) -> Answer:
    """The classes that a stored answer names, or its word."""
    return str(meaning["word"]) if "word" in meaning else frozenset(meaning["classes"])


def heard_counts(classes: Sequence[int], meanings: Sequence[Meaning]) -> dict[int, int]:
    """Class -> how many raters found it in the example."""
    return {one: sum(one in meaning["heard"] for meaning in meanings) for one in classes}


def _shown(answer: object) -> str:
    return repr(answer) if len(repr(answer)) <= 80 else repr(answer)[:77] + "..."
