"""The sets B, C, U and P of a test set, and model accuracies on them (section 5 of the paper).

Predictions are (n, k) class ids, most probable first, -1 where a model named fewer than k; labels are (n,) class ids.
This module reads no files and does not depend on where predictions come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.review.corrections import Action, Sizes, action
from app.domain.review.verdicts import Category

Labels = NDArray[np.int64]
Ranked = NDArray[np.int32]
Marks = NDArray[np.bool_]

#: How accuracy is measured: against which labels, and whether the label may be among the first five.
KINDS: Final = ("original_top1", "corrected_top1", "original_top5", "corrected_top5")
#: The sets accuracy is measured on, by the names of ``Sizes``.
SETS: Final = ("all", "pruned", "benign", "correctable")
TOP: Final = 5


@dataclass(frozen=True, slots=True)
class Partition:
    """A test set with what reviewers made of its labels, at one agreement threshold.

    ``given`` and ``corrected`` are (n,) labels; outside the correctable set they are the same. ``correctable`` and
    ``unknown`` are (n,) marks of the disjoint sets C and U.
    """

    given: Labels
    corrected: Labels
    correctable: Marks
    unknown: Marks

    @property
    def benign(self) -> Marks:
        """(n,) marks of B, everything else: examples nobody doubted, and those whose label reviewers confirmed."""
        return ~(self.correctable | self.unknown)

    @property
    def pruned(self) -> Marks:
        """(n,) marks of P, everything but U."""
        return ~self.unknown

    @property
    def sizes(self) -> Sizes:
        """|D|, |B|, |C|, |U| and |P|."""
        n, correctable, unknown = len(self.given), int(self.correctable.sum()), int(self.unknown.sum())
        return Sizes(n, n - correctable - unknown, correctable, unknown, n - unknown)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many examples of each set a model predicts right: ``right[set][kind]``, None where that cannot be told.

    By corrected labels nothing can be told on D while U is not empty: what has no known label cannot be right or wrong.
    The corrected accuracy of Definition 2 is that on P, and its like by original labels is that on P as well.
    """

    sizes: Sizes
    right: Mapping[str, Mapping[str, int | None]]

    def n(self, part: str) -> int:
        """How many examples a set has."""
        return int(getattr(self.sizes, part))

    def accuracy(self, part: str, kind: str) -> float | None:
        """A fraction of the set; None for an empty set, and where ``right`` is None."""
        n, right = self.n(part), self.right[part][kind]
        return right / n if n and right is not None else None


def partition(given: Labels, verdicts: Mapping[int, tuple[Category, int | None]]) -> Partition:
    """The sets of section 5 from (n,) given labels and the verdicts on some examples.

    ``verdicts`` maps an example's index to its category and, for a correctable one, its corrected label. Examples
    without a verdict are benign. Raises ValueError for an index outside the test set, or a correction without a label.

    >>> found = partition(np.array([0, 1, 1]), {1: (Category.CORRECTABLE, 0), 2: (Category.NEITHER, None)})
    >>> found.corrected.tolist(), found.benign.tolist(), found.unknown.tolist()
    ([0, 0, 1], [True, False, False], [False, False, True])
    """
    corrected = given.copy()
    correctable, unknown = np.zeros(len(given), np.bool_), np.zeros(len(given), np.bool_)
    for index, (category, label) in verdicts.items():
        if not 0 <= index < len(given):
            raise ValueError(f"a verdict on example {index} of a test set of {len(given)}")
        done = action(category)
        if done is Action.CORRECTED:
            if label is None:
                raise ValueError(f"example {index} is correctable and has no corrected label")
            corrected[index], correctable[index] = label, True
        elif done is Action.REMOVED:
            unknown[index] = True
    return Partition(given, corrected, correctable, unknown)


def right(ranked: Ranked, labels: Labels, top: int) -> Marks:
    """(n,) whether the label is among a model's first ``top`` choices.

    >>> right(np.array([[2, 0], [1, 0]], np.int32), np.array([0, 1]), top=1).tolist()
    [False, True]
    """
    marks: Marks = (ranked[:, :top] == labels[:, None]).any(axis=1)
    return marks


def knows_top(ranked: Ranked, n_classes: int, top: int) -> bool:
    """Whether enough choices are known to tell if a label is among the first ``top``."""
    return bool(ranked.shape[1] >= min(top, n_classes))


def marks_by_kind(test: Partition, ranked: Ranked, n_classes: int) -> dict[str, Marks | None]:
    """(n,) marks of the examples predicted right, by kind; None for top-5 where fewer choices are known.

    Raises ValueError unless there is a prediction for every example.
    """
    if ranked.ndim != 2 or len(ranked) != len(test.given):
        raise ValueError(f"predictions of shape {ranked.shape} for {len(test.given)} examples")
    found: dict[str, Marks | None] = {}
    for kind in KINDS:
        top = TOP if kind.endswith("5") else 1
        labels = test.given if kind.startswith("original") else test.corrected
        found[kind] = right(ranked, labels, top) if knows_top(ranked, n_classes, top) else None
    return found


def tally(test: Partition, marks: Mapping[str, Marks | None]) -> Tally:
    """Right predictions counted on D, P, B and C.

    On C, ``original_top1`` counts how often the model predicts the given label that reviewers overruled, and
    ``corrected_top1`` how often it predicts the corrected one.
    """
    members = {"all": None, "pruned": test.pruned, "benign": test.benign, "correctable": test.correctable}

    def count(part: str, kind: str) -> int | None:
        of_kind, inside = marks[kind], members[part]
        if of_kind is None or (part == "all" and kind.startswith("corrected") and test.unknown.any()):
            return None
        return int((of_kind if inside is None else of_kind & inside).sum())

    return Tally(test.sizes, {part: {kind: count(part, kind) for kind in KINDS} for part in SETS})


def joint_counts(first: Marks, second: Marks, members: Marks) -> tuple[int, int, int, int]:
    """How many members both, only the first, only the second, and neither of two models predict right.

    >>> joint_counts(np.array([True, True, False]), np.array([True, False, False]), np.array([True, True, True]))
    (1, 1, 0, 1)
    """
    both = int((first & second & members).sum())
    one, other = int((first & members).sum()), int((second & members).sum())
    return both, one - both, other - both, int(members.sum()) - one - other + both
