"""Votes as three arrays, which all formulas about raters start from."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class VoteTable:
    """A row a vote: which example, which rater, which answer, each numbered from 0; shapes (v,).

    Raises ValueError for arrays that do not fit together, and where a rater votes on an example twice: the second vote
    would agree with the first for no good reason.
    """

    example: Numbers
    rater: Numbers
    answer: Numbers
    n_examples: int
    n_raters: int
    n_answers: int

    def __post_init__(self) -> None:
        if not self.example.shape == self.rater.shape == self.answer.shape == (len(self.example),):
            shapes = f"{self.example.shape}, {self.rater.shape} and {self.answer.shape}"
            raise ValueError(f"votes of shapes {shapes}: expected one example, rater and answer a vote")
        for name, values, n in (
            ("example", self.example, self.n_examples),
            ("rater", self.rater, self.n_raters),
            ("answer", self.answer, self.n_answers),
        ):
            if len(values) and not 0 <= values.min() <= values.max() < n:
                raise ValueError(f"{name} {values.min()} to {values.max()}: expected numbers from 0 to {n - 1}")
        pairs = np.sort(self.example * self.n_raters + self.rater)
        again = np.flatnonzero(pairs[1:] == pairs[:-1])
        if len(again):
            example, rater = divmod(int(pairs[again[0]]), self.n_raters)
            raise ValueError(f"rater {rater} has two votes on example {example}: expected one")

    @classmethod
    def of(
        cls,
        votes: Iterable[tuple[Hashable, Hashable, Hashable]],
        examples: Sequence[Hashable],
        raters: Sequence[Hashable],
        answers: Sequence[Hashable],
    ) -> Self:
        """The table of votes (example, rater, answer), numbered by their places in the three lists.

        >>> VoteTable.of([(7, "ann", "cat"), (7, "bob", "dog")], [7], ["ann", "bob"], ["cat", "dog"]).counts().tolist()
        [[1, 1]]
        """
        places = [{one: place for place, one in enumerate(known)} for known in (examples, raters, answers)]
        rows = [[place[one] for place, one in zip(places, vote, strict=True)] for vote in votes]
        example, rater, answer = np.array(rows, np.int64).reshape(-1, 3).T
        return cls(example, rater, answer, len(examples), len(raters), len(answers))

    def counts(self) -> Numbers:
        """(examples, answers) how often each answer was given."""
        cells = np.bincount(self.example * self.n_answers + self.answer, minlength=self.n_examples * self.n_answers)
        return cells.astype(np.int64).reshape(self.n_examples, self.n_answers)
