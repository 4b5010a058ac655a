"""Check that votes belong to the examples they name; refuse files of another dataset or shifted by a line.

Each record contains the given label of its example, and the label a model guessed at the time of the review. A
different given label is always refused. A different guess is legitimate if the model has changed since, but then the
guesses of all records must agree with the model better than they would on other examples of the same given labels: with
few classes, or examples sorted by class, wrong examples often have the right given label. If there are too few records
to decide, they are accepted with a warning.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.review.chance import chance_of, chance_of_so_few
from ingest.errors import DataError
from ingest.labels.files import LabelSet
from ingest.labels.vote_files import Review
from ingest.manifest.vote_format import Guesses

#: If chance explains the agreement with more than this probability, guesses do not show that votes belong here.
_BY_CHANCE: Final = 0.001
#: If a new model that changed half the guesses explains so little agreement only below this, examples are wrong.
_TOO_FEW: Final = 0.01
#: This many final records in a row that agree only by chance are a sign that they are of other examples.
_FEWEST_SLIPPED: Final = 20
_DOUBT: Final = (
    "Of the guesses that reviewers were shown, {same} of {of} are still the model's: too few checked examples to tell "
    "by that whether the votes belong to these examples. Their given labels fit."
)
_WAY_OUT: Final = 'If not, say guesses = "unchecked" in [votes]'


class LabelColumn(Protocol):
    """The label set of each example; ``ids`` are its classes if each example has exactly one."""

    @property
    def ids(self) -> NDArray[np.integer[Any]] | None: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelSet: ...


def require_given(votes: Path, reviews: Sequence[Review], labels: LabelColumn, file: str | None) -> None:
    """Refuse votes if a record states another given label than ``labels``, which were read from ``file``."""
    for review in reviews:
        if labels[review.index] != review.given:
            raise _disagreement(votes, review, "given label", review.given, labels[review.index], file)


def require_guesses(
    votes: Path,
    reviews: Sequence[Review],
    labels: LabelColumn | None,
    guesses: LabelColumn,
    file: str | None,
    rule: Guesses,
) -> str | None:
    """Refuse votes with other guesses than the model's, or, if they may differ, with only chance agreement.

    ``guesses`` are the model's for all examples, from ``file``. Returns a warning for readers if there are too few
    records to decide, else None. Raises DataError naming the first record that differs.
    """
    differing = [review for review in reviews if guesses[review.index] != review.shown]
    if not differing or rule == "unchecked":
        return None
    first = differing[0]
    if rule == "must-match":
        raise _disagreement(votes, first, "guessed label", first.shown, guesses[first.index], file)
    by_index = sorted(reviews, key=lambda review: review.index)
    same = [guesses[review.index] == review.shown for review in by_index]
    expected = _chances(by_index, labels, guesses)
    if chance_of(sum(same), sum(expected), len(same)) > _BY_CHANCE:
        if chance_of_so_few(sum(same), (len(same) + sum(expected)) / 2, len(same)) > _TOO_FEW:
            return _DOUBT.format(same=sum(same), of=len(same))
        finding = (
            f"expected guesses that fit these examples, found {sum(same)} of {len(same)} as in {file}, where "
            f"{sum(expected):.1f} fit other examples of the same given labels. Are the votes of another dataset, or in "
            f"another order? {_WAY_OUT}"
        )
        raise DataError(votes, finding, record=first.record)
    if (place := _slipped(same, expected)) is not None:
        slipped = by_index[place]
        finding = (
            f"expected guesses that fit these examples, found that from example {slipped.index} on they fit no better "
            f"than other examples. Were examples put in or left out before it? {_WAY_OUT}"
        )
        raise DataError(votes, finding, record=slipped.record)
    return None


def _slipped(same: Sequence[bool], expected: Sequence[float]) -> int | None:
    """The record from which on, in example order, guesses agree only by chance although most before it agree.

    Votes look like this if examples were inserted into, or removed from, a dataset sorted by class. A few records in a
    row may legitimately have other guesses, but hardly twenty.
    """
    length = _FEWEST_SLIPPED
    while length < len(same):
        place = len(same) - length
        if 2 * sum(same[:place]) >= place and chance_of(sum(same[place:]), sum(expected[place:]), length) > _BY_CHANCE:
            return place
        length *= 2
    return None


def _chances(reviews: Sequence[Review], labels: LabelColumn | None, guesses: LabelColumn) -> list[float]:
    """The probability, for each record, of the right guess if it belonged to another example of the same given label.

    Frequencies are those of the unreviewed examples, with one example more spread over the classes, because what was
    not seen among a few may still occur.
    """
    others = np.ones(len(guesses), dtype=bool)
    others[[review.index for review in reviews]] = False
    given, of_given = _numbers(labels, [review.given for review in reviews], len(guesses))
    guess, of_guess = _numbers(guesses, [review.shown for review in reviews], len(guesses))
    spread = 1 + int(max(guess.max(initial=0), *of_guess))
    alike = _counts(given[others])
    both = _counts(given[others] * spread + guess[others])
    return [
        (both.get(g * spread + h, 0) + 1 / spread) / (alike.get(g, 0) + 1)
        for g, h in zip(of_given, of_guess, strict=True)
    ]


def _numbers(labels: LabelColumn | None, of_reviews: Sequence[LabelSet], n: int) -> tuple[NDArray[np.int64], list[int]]:
    """(n,) a number for the label of each example, and those of the records' labels; 0 if labels are unknown."""
    if labels is None:
        return np.zeros(n, dtype=np.int64), [0] * len(of_reviews)
    if labels.ids is not None:
        return labels.ids.astype(np.int64, copy=False), [label for (label,) in of_reviews]
    known: dict[LabelSet, int] = {}
    numbers = np.array([known.setdefault(labels[index], len(known)) for index in range(n)], dtype=np.int64)
    return numbers, [known.setdefault(label, len(known)) for label in of_reviews]


def _counts(numbers: NDArray[np.int64]) -> dict[int, int]:
    found, counts = np.unique(numbers, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _disagreement(
    votes: Path, review: Review, what: str, found: LabelSet, expected: LabelSet, file: str | None
) -> DataError:
    def shown(labels: LabelSet) -> str:
        return ", ".join(map(str, labels)) or "none"

    finding = f"expected {what} {shown(expected)} for example {review.index} as in {file}, found {shown(found)}"
    return DataError(votes, finding, record=review.record)
