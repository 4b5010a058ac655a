"""Whether votes belong to the examples that they name: a file of another dataset, or one shifted by a line, is refused.

Each record tells the given label of its example, and what a model guessed when reviewers looked. A given label that
differs is refused always. The guess differs honestly where the model is another by now, but the guesses of all records
must then agree with the model's better than they would on other examples of the same given labels: where there are few
classes, or examples stand class by class, the wrong examples often have the right given label.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.chance import chance_of
from ingest.description import Guesses
from ingest.errors import DataError
from ingest.mturk import Review
from ingest.readers import LabelSet

#: Guesses that agree as well by chance more often than this are no sign that the votes belong to the examples.
_MOST_BY_CHANCE: Final = 0.001


class LabelColumn(Protocol):
    """The label set of each example; ``ids`` are its classes where each has one."""

    ids: NDArray[np.int64] | None

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LabelSet: ...


def require_given(votes: Path, reviews: Sequence[Review], labels: LabelColumn, file: str | None) -> None:
    """Refuse votes of which a record tells another given label than ``labels``, which were read from ``file``."""
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
) -> None:
    """Refuse votes whose guesses are not the model's, or, where they may differ, agree with it no better than chance.

    ``guesses`` are the model's for all examples, from ``file``. Raises DataError naming the first record that differs.
    """
    differing = [review for review in reviews if guesses[review.index] != review.shown]
    if not differing or rule == "unchecked":
        return
    first = differing[0]
    if rule == "must-match":
        raise _disagreement(votes, first, "guessed label", first.shown, guesses[first.index], file)
    same = len(reviews) - len(differing)
    expected = _expected_by_chance(reviews, labels, guesses)
    if chance_of(same, expected) > _MOST_BY_CHANCE:
        raise DataError(
            votes,
            f"expected guesses that tell these examples from others, found {same} of {len(reviews)} as in {file}, and "
            f"{expected:.1f} of other examples of the same given labels are. Are the votes of another dataset, or in "
            'another order? If not, say guesses = "unchecked" in [votes]',
            record=first.record,
        )


def _expected_by_chance(reviews: Sequence[Review], labels: LabelColumn | None, guesses: LabelColumn) -> float:
    """How many records would tell the right guess if each were of another example with the same given label.

    Shares are those of the examples nobody reviewed, with one example more spread over the classes, since what was not
    seen among a few may still be.
    """
    others = np.ones(len(guesses), dtype=bool)
    others[[review.index for review in reviews]] = False
    given, of_given = _numbers(labels, [review.given for review in reviews], len(guesses))
    guess, of_guess = _numbers(guesses, [review.shown for review in reviews], len(guesses))
    spread = 1 + int(max(guess.max(initial=0), *of_guess))
    alike = _counts(given[others])
    both = _counts(given[others] * spread + guess[others])
    return sum(
        (both.get(g * spread + h, 0) + 1 / spread) / (alike.get(g, 0) + 1)
        for g, h in zip(of_given, of_guess, strict=True)
    )


def _numbers(labels: LabelColumn | None, of_reviews: Sequence[LabelSet], n: int) -> tuple[NDArray[np.int64], list[int]]:
    """(n,) a number for the label of each example, and those of the records' labels; 0 where labels are not known."""
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
