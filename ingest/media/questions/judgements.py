"""What one judge says of each question, as reviews: the dialect "error-types" of votes.

The columns are MMLU-Redux's: ``error_type``, and where they are there ``correct_answer``, ``potential_reason`` and
``source``. ``app.domain.review.error_types`` says what a type means for the label.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.review.error_types import ErrorType, judged
from ingest.errors import shown
from ingest.labels.ballots import Verdict, Vote
from ingest.labels.vote_files import Review
from ingest.media.questions.option_lists import Named, Spelling, named_options
from ingest.media.questions.read_questions import Question, Questions

#: Spellings of the types, folded: without capitals, spaces for underscores.
_TYPES: Final[Mapping[str, ErrorType]] = {
    "ok": ErrorType.OK,
    "wrong groundtruth": ErrorType.WRONG_GROUND_TRUTH,
    "wrong ground truth": ErrorType.WRONG_GROUND_TRUTH,
    "multiple correct answers": ErrorType.MULTIPLE_CORRECT_ANSWERS,
    "no correct answer": ErrorType.NO_CORRECT_ANSWER,
    "bad question clarity": ErrorType.BAD_QUESTION_CLARITY,
    "bad options clarity": ErrorType.BAD_OPTIONS_CLARITY,
    "expert": ErrorType.EXPERT,
}
TYPE, ANSWER, REASON, SOURCE = "error_type", "correct_answer", "potential_reason", "source"


@dataclass(frozen=True, slots=True)
class JudgedBallot:
    """The one answer of one judge; see ``ingest.labels.ballots.Ballot``."""

    given: int
    error_type: ErrorType
    named: frozenset[int]  # the options that the judge names as correct

    @property
    def counts(self) -> Mapping[str, int]:
        return {one.value: int(one is self.error_type) for one in ErrorType}

    @property
    def votes(self) -> Sequence[Vote]:
        return [Vote(one.value, one.value, self._classes(one), int(one is self.error_type)) for one in ErrorType]

    @property
    def pattern(self) -> str:
        return "-".join(str(n) for n in self.counts.values())

    @property
    def consensus(self) -> str:
        return self.error_type.value

    @property
    def confirmations(self) -> float:
        return float(self.error_type is ErrorType.OK)

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        return [tuple(self.counts.values())]

    def verdict(self, agreement: int) -> Verdict:  # noqa: ARG002 - of one judge there is one threshold
        found = judged(self.given, self.error_type, self.named)
        return Verdict(found.category, None if found.agreed is None else tuple(sorted(found.agreed)))

    def _classes(self, one: ErrorType) -> tuple[int, ...] | None:
        """The classes that an answer names; () for none of them, None for an answer about the question."""
        if one is ErrorType.OK:
            return (self.given,)
        if one is ErrorType.NO_CORRECT_ANSWER:
            return ()
        if one is not self.error_type:
            return None
        found = judged(self.given, self.error_type, self.named).agreed
        return None if found is None else tuple(sorted(found))


@dataclass(frozen=True)
class Judgements:
    """The reviews of all questions that were judged, and how the judge's answers were written."""

    reviews: list[Review]
    types: Mapping[ErrorType, int]
    spellings: Mapping[Spelling, int]

    def sentences(self) -> list[str]:
        """What had to be interpreted, for the report."""
        types = ", ".join(f"{n:,} {one.value}" for one, n in self.types.items() if n)
        spelled = ", ".join(f"{n:,} {one.value}" for one, n in self.spellings.items() if one is not Spelling.NONE)
        return [f"judged: {types}", f"the judge's own answers: {spelled or 'none'}"]


def judgements(questions: Questions) -> Judgements:
    """One review of each question that has an error type. Raises DataError naming file and row."""
    reviews = []
    types, spelled = Counter[ErrorType](), Counter[Spelling]()
    for index, question in enumerate(questions.questions):
        found = _type_of(question)
        if found is None:
            continue
        named = _named(question, found)
        types[found] += 1
        spelled[named.spelling] += 1
        ballot = JudgedBallot(question.given, found, named.options)
        label = (question.given,)
        url = question.row.text(SOURCE).strip()
        reviews.append(Review(question.row.record, index, label, label, ballot, url or None))
    ordered = {one: types[one] for one in ErrorType}
    return Judgements(reviews, ordered, {one: spelled[one] for one in Spelling if spelled[one]})


def _type_of(question: Question) -> ErrorType | None:
    """The type a judge chose; None for a question that nobody judged."""
    row = question.row
    if TYPE not in row.cells:
        raise row.error(f"expected a column {TYPE!r}, found {shown(list(row.cells), 200)}")
    word = " ".join(row.text(TYPE).replace("_", " ").casefold().split())
    if not word:
        return None
    if word not in _TYPES:
        known = ", ".join(_TYPES)
        raise row.error(f"expected an error type ({known}), found {shown(row.text(TYPE))}")
    return _TYPES[word]


def _named(question: Question, found: ErrorType) -> Named:
    text = question.row.text(ANSWER)
    named = named_options(text, question.options)
    if found is ErrorType.WRONG_GROUND_TRUTH and named.spelling is Spelling.TEXT and text.strip().isdecimal():
        finding = f"expected one of the {len(question.options)} options in {ANSWER!r}, counted from 0, found {text!r}"
        raise question.row.error(finding)
    return named
