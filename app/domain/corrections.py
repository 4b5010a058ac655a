"""A policy -> what happens to each example of a test set, and how large the sets of section 5 then are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.verdicts import Category


class Action(StrEnum):
    """What a corrected test set does with an example."""

    KEPT = "kept"  # with its given label
    CORRECTED = "corrected"  # with the label reviewers agreed on
    REMOVED = "removed"  # no label is known to be right


_ACTIONS: Mapping[Category, Action] = {
    Category.NON_ERROR: Action.KEPT,
    Category.UNREVIEWED: Action.KEPT,
    Category.CORRECTABLE: Action.CORRECTED,
    Category.MULTI_LABEL: Action.REMOVED,
    Category.NEITHER: Action.REMOVED,
    Category.NON_AGREEMENT: Action.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the sets of section 5: all, benign, correctable, unknown-label and pruned."""

    all: int  # |D|
    benign: int  # |B|
    correctable: int  # |C|
    unknown: int  # |U|
    pruned: int  # |P|

    @property
    def noise_prevalence(self) -> float:
        """N = |C| / |P| (Definition 6); 0 for an empty pruned set.

        >>> round(sizes(50_000, {Category.CORRECTABLE: 1_428, Category.NEITHER: 1_488}).noise_prevalence, 4)
        0.0294
        """
        return self.correctable / self.pruned if self.pruned else 0.0


def action(category: Category) -> Action:
    """What the paper's corrected test sets do with an example of a category (section 5).

    Examples that nobody reviewed, or whose given label reviewers confirmed, keep it; correctable ones get the corrected
    label; the others form the unknown-label set and are removed.

    >>> action(Category.MULTI_LABEL)
    <Action.REMOVED: 'removed'>
    """
    return _ACTIONS[category]


def sizes(n_examples: int, categories: Mapping[Category, int]) -> Sizes:
    """Sizes of D, B, C, U and P from the number of issues of each category (section 5).

    ``categories`` may leave out the categories that stay benign. Raises ValueError when more examples were corrected
    and removed than there are.

    >>> sizes(10, {Category.CORRECTABLE: 2, Category.NEITHER: 1, Category.NON_ERROR: 4})
    Sizes(all=10, benign=7, correctable=2, unknown=1, pruned=9)
    """
    by_action = dict.fromkeys(Action, 0)
    for kind, n in categories.items():
        by_action[action(kind)] += n
    corrected, removed = by_action[Action.CORRECTED], by_action[Action.REMOVED]
    if corrected + removed > n_examples:
        raise ValueError(f"{corrected} corrected and {removed} removed examples in a test set of {n_examples}")
    return Sizes(
        all=n_examples,
        benign=n_examples - corrected - removed,
        correctable=corrected,
        unknown=removed,
        pruned=n_examples - removed,
    )
