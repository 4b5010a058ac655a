"""Find label errors in multi-label datasets, block by block.

The rule is in ``app.domain.confident_learning.multi_label``. Rows of such matrices need not sum to 1; every entry must
be a probability by itself. This module reads no file itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.flag_choice import FlagChoice, number_asked, percent
from app.domain.confident_learning.joint import suspicion_order
from app.domain.confident_learning.multi_label import disjoint, flagged_sets, guessed_sets, indicators, set_scores
from ingest.labels.files import LabelSet
from ingest.matrices.matrix import Matrix
from ingest.matrices.probabilities import BlockLocation

#: How far outside [0, 1] a number may be because of rounding.
_TOLERANCE: Final = 1e-4

#: The maximum bytes of a block; intermediate results take many times as much.
_BLOCK_BYTES: Final = 500_000

#: Without a number to flag: candidates more likely wrong than right, over the labels in question.
_EVEN: Final = 0.5


@dataclass(frozen=True)
class SetFlagResult:
    """The result for one multi-label dataset; arrays are (n,)."""

    self_confidence: NDArray[np.float64]  # pooled over the labels in question
    guesses: Sequence[LabelSet]
    flagged: NDArray[np.intp]  # lowest self-confidence first
    rule: FlagChoice | None
    n_candidates: int

    @property
    def n_flagged(self) -> int:
        return len(self.flagged)

    @cached_property
    def margins(self) -> NDArray[np.float64]:
        """NaN: label sets have no normalized margin."""
        return np.full(len(self.self_confidence), np.nan)

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Each example's rank by self-confidence, from 1."""
        ranks = np.empty(len(self.self_confidence), dtype=np.int64)
        ranks[suspicion_order(self.self_confidence)] = np.arange(1, len(ranks) + 1)
        return ranks

    def sentence(self) -> str:
        """The flag rule used, as a sentence for readers."""
        number = "their self-confidence is below one half"
        if isinstance(self.rule, Decimal):
            number = f"{percent(self.rule)} of all examples, rounded down, were asked for"
        elif isinstance(self.rule, int):
            number = "the number was given"
        return (
            f"The {self.n_flagged:,} examples of lowest self-confidence, pooled over the labels given or guessed, are "
            f"flagged out of {self.n_candidates:,} whose given and guessed labels do not overlap; {number}."
        )


def flag_sets(
    labels: Sequence[LabelSet],
    matrix: Matrix,
    rule: FlagChoice | None,
    advance: Callable[[int], None],
    guesses: Sequence[LabelSet] | None = None,
) -> SetFlagResult:
    """Score every example and flag the lowest: ``rule`` of them if it is a number, that part of all if it is a share.

    ``guesses``, if published, replace the matrix's own.

    Raises DataError naming the row if an entry is not a probability.
    """
    n, m = matrix.shape
    matrix = replace(matrix, block_bytes=min(matrix.block_bytes, _BLOCK_BYTES))
    scores, apart = np.empty(n), np.empty(n, dtype=np.bool_)
    guessed: list[LabelSet] = []
    for place, raw in matrix.raw(0, n):
        here = slice(place.first, place.first + len(raw))
        block = checked(place, raw)
        given = indicators(labels[here], m)
        sets = guessed_sets(block) if guesses is None else indicators(guesses[here], m)
        scores[here], apart[here] = set_scores(given, block, sets), disjoint(given, sets)
        guessed += [tuple(np.flatnonzero(row).tolist()) for row in sets]
        advance(len(block))
    k = number_asked(rule, n) if isinstance(rule, int | Decimal) else int((apart & (scores < _EVEN)).sum())
    return SetFlagResult(scores, guessed, flagged_sets(scores, apart, k), rule, int(apart.sum()))


def checked(place: BlockLocation, block: NDArray[Any]) -> NDArray[np.float64]:
    """A block whose entries are all probabilities; rounding errors are corrected. Raises DataError for others."""
    values = block.astype(np.float64)
    # A comparison with NaN is false, so this finds NaN as well.
    right = (values >= -_TOLERANCE) & (values <= 1 + _TOLERANCE)
    if not right.all():
        row, column = np.argwhere(~right)[0]
        finding = f"expected probabilities from 0 to 1, found {values[row, column]:g} for class {column}"
        raise place.error(int(row), finding)
    return np.clip(values, 0.0, 1.0)
