"""Votes of reviewers -> a category and, where they agree on one, a corrected label.

Section 4 of the paper. Nothing here knows how a dataset spells its votes; ``ingest.mturk`` ends that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """What became of an issue."""

    CORRECTABLE = "correctable"
    MULTI_LABEL = "multi_label"
    NEITHER = "neither"
    NON_AGREEMENT = "non_agreement"
    NON_ERROR = "non_error"
    UNREVIEWED = "unreviewed"

    @property
    def is_error(self) -> bool:
        """True for the four categories of confirmed errors."""
        return self not in (Category.NON_ERROR, Category.UNREVIEWED)


#: The categories of confirmed errors, in the order of Table 2 of the paper.
ERROR_CATEGORIES = (Category.CORRECTABLE, Category.MULTI_LABEL, Category.NEITHER, Category.NON_AGREEMENT)


@dataclass(frozen=True, slots=True)
class Votes:
    """How many reviewers chose what.

    ``given``, ``guessed``, ``both`` and ``neither`` are the four answers of the paper's worker interface (Figure 2).
    ``elsewhere`` holds answers that support no category of their own, by their word: ``{"neutral": 2}``.
    """

    given: int
    guessed: int
    both: int = 0
    neither: int = 0
    elsewhere: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.given + self.guessed + self.both + self.neither + sum(self.elsewhere.values())

    @property
    def consensus(self) -> str | None:
        """The one answer that more than half of the reviewers gave, by its word, or None.

        >>> Votes(given=1, guessed=0, elsewhere={"neutral": 4}).consensus
        'neutral'
        >>> Votes(given=2, guessed=2, both=1).consensus is None
        True
        """
        answers = {"given": self.given, "guessed": self.guessed, "both": self.both, "neither": self.neither}
        majority = majority_of(self.total)
        return next((word for word, n in (answers | dict(self.elsewhere)).items() if n >= majority), None)


@dataclass(frozen=True, slots=True)
class MultiLabelVerdict:
    """A category and, for correctable examples, the set of classes that reviewers heard."""

    category: Category
    corrected: frozenset[int] | None


def majority_of(raters: int) -> int:
    """The smallest number of raters that is more than half of them: 3 of 5, 2 of 3."""
    return raters // 2 + 1


def category(votes: Votes, agreement: int, majority: int = 3) -> Category:
    """The category of a reviewed example (section 4; Table 2).

    An example is an error when fewer than ``majority`` reviewers confirm its given label. An error is then
    *correctable*, *multi-label* or *neither* when at least ``agreement`` reviewers say so, else it is *non-agreement*.

    ``majority`` stays at 3 of 5 whatever ``agreement`` is: asking for more agreement makes fewer errors correctable and
    never makes an error a non-error.

    Raises ValueError unless ``1 <= majority <= agreement``: with less agreement two answers could both win.

    >>> category(Votes(given=1, guessed=3, both=1), agreement=3)
    <Category.CORRECTABLE: 'correctable'>
    >>> category(Votes(given=1, guessed=3, both=1), agreement=4)
    <Category.NON_AGREEMENT: 'non_agreement'>
    >>> category(Votes(given=3, guessed=2), agreement=5)
    <Category.NON_ERROR: 'non_error'>
    """
    _require_order(agreement, majority)
    if votes.given >= majority:
        return Category.NON_ERROR
    if votes.guessed >= agreement:
        return Category.CORRECTABLE
    if votes.both >= agreement:
        return Category.MULTI_LABEL
    if votes.neither >= agreement:
        return Category.NEITHER
    return Category.NON_AGREEMENT


def multi_label_verdict(
    given: frozenset[int], votes: Mapping[int, int], agreement: int, majority: int = 3
) -> MultiLabelVerdict:
    """The verdict on an example with a set of labels, from the votes each label got.

    The majority set holds the labels with at least ``majority`` votes; the example is a non-error when that is exactly
    the given set. Otherwise it is an error, and the labels with at least ``agreement`` votes are its corrected set,
    unless there are none, or asking for more votes has led back to the given set on the way: then reviewers agree on no
    other label, and it is *non-agreement*. The paper counts AudioSet's errors this way and leaves them without
    categories. As with single labels, asking for more agreement never makes an error correctable.

    Raises ValueError unless ``1 <= majority <= agreement``.

    >>> multi_label_verdict(frozenset({7}), {7: 1, 9: 4}, agreement=3)
    MultiLabelVerdict(category=<Category.CORRECTABLE: 'correctable'>, corrected=frozenset({9}))
    >>> multi_label_verdict(frozenset({7}), {7: 1, 9: 4}, agreement=5).category
    <Category.NON_AGREEMENT: 'non_agreement'>
    """
    _require_order(agreement, majority)
    if _chosen(votes, majority) == given:
        return MultiLabelVerdict(Category.NON_ERROR, None)
    corrected = _chosen(votes, agreement)
    led_back = any(_chosen(votes, n) == given for n in range(majority, agreement + 1))
    if led_back or not corrected:
        return MultiLabelVerdict(Category.NON_AGREEMENT, None)
    return MultiLabelVerdict(Category.CORRECTABLE, corrected)


def _chosen(votes: Mapping[int, int], at_least: int) -> frozenset[int]:
    return frozenset(label for label, n in votes.items() if n >= at_least)


def _require_order(agreement: int, majority: int) -> None:
    if not 1 <= majority <= agreement:
        raise ValueError(
            f"agreement threshold {agreement} with majority {majority}: expected 1 <= majority <= agreement"
        )
