"""Turn reviewers' votes into a category and, where they agree, a corrected label.

Section 4 of the paper. A vote names classes: the given one, another, several, or none. The verdict follows from these
classes alone, so it does not change when the model is retrained. Neither the spelling of votes in a dataset's files
(``ingest.labels.vote_files``) nor the class the model guessed matters here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: What is said of a dataset without votes, among what its catalogue lacks.
NO_VOTES: Final = "Nobody has reviewed these issues, so none is confirmed and nothing can be corrected."


class Category(StrEnum):
    """What became of an issue."""

    CORRECTABLE = "correctable"
    MULTI_LABEL = "multi_label"
    NEITHER = "neither"
    NON_AGREEMENT = "non_agreement"
    NOT_ASKED = "not_asked"  # an error of which nobody asked what is right instead
    NON_ERROR = "non_error"
    UNREVIEWED = "unreviewed"

    @property
    def is_error(self) -> bool:
        """True for the categories of errors."""
        return self not in (Category.NON_ERROR, Category.UNREVIEWED)


#: The categories of errors: the four of Table 2 of the paper, and errors without a category.
ERROR_CATEGORIES = (
    Category.CORRECTABLE,
    Category.MULTI_LABEL,
    Category.NEITHER,
    Category.NON_AGREEMENT,
    Category.NOT_ASKED,
)


#: What a reviewer answered: the classes that the answer names, or a word that names none, such as "off-topic".
Answer = frozenset[int] | str

#: The answer that none of the classes in question is there.
NONE_OF_THEM: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A category and the classes that reviewers agreed on.

    ``agreed`` is the corrected label of a correctable example and all classes of a multi-label one; None for others.
    """

    category: Category
    agreed: frozenset[int] | None = None

    @property
    def corrected(self) -> frozenset[int] | None:
        """The corrected label; None for examples that have none."""
        return self.agreed if self.category is Category.CORRECTABLE else None


def error_or_not(found: Category) -> Category:
    """What a category tells where raters were asked only until it was settled whether the label is an error.

    >>> error_or_not(Category.CORRECTABLE), error_or_not(Category.NON_ERROR)
    (<Category.NOT_ASKED: 'not_asked'>, <Category.NON_ERROR: 'non_error'>)
    """
    return Category.NOT_ASKED if found.is_error else found


def majority_of(raters: int) -> int:
    """The smallest number of raters that is more than half of them: 3 of 5, 2 of 3."""
    return raters // 2 + 1


def verdict(
    given: int,
    votes: Mapping[Answer, int],
    agreement: int,
    majority: int = 3,
    *,
    eligible: frozenset[int] | None = None,
) -> Verdict:
    """The verdict on an example with one label, from how many reviewers gave which answer (section 4; Table 2).

    An example is an error when fewer than ``majority`` reviewers name its given class and no other. An error is
    *correctable*, *multi-label* or *neither* when at least ``agreement`` reviewers give one and the same answer that
    names one other class, several, or none; else, or where the answer is a word, it is *non-agreement*.

    ``majority`` stays at 3 of 5 whatever ``agreement`` is: asking for more agreement makes fewer errors correctable and
    never makes an error a non-error. ``eligible`` are the classes that can become a corrected label, None for all; the
    paper corrects to the guessed class only, whatever else reviewers could say.

    Raises ValueError unless ``1 <= majority <= agreement`` and ``majority`` is more than half of the votes: otherwise
    two answers could both win.

    >>> cat, dog, both = frozenset({3}), frozenset({5}), frozenset({3, 5})
    >>> verdict(3, {cat: 1, dog: 3, both: 1}, agreement=3)
    Verdict(category=<Category.CORRECTABLE: 'correctable'>, agreed=frozenset({5}))
    >>> verdict(3, {cat: 1, dog: 3, both: 1}, agreement=4).category
    <Category.NON_AGREEMENT: 'non_agreement'>
    >>> verdict(3, {cat: 3, dog: 2}, agreement=5).category
    <Category.NON_ERROR: 'non_error'>
    """
    _require_order(agreement, majority)
    total = sum(votes.values())
    if total >= 2 * majority:
        raise ValueError(f"{majority} is no majority of {total} votes: expected at least {majority_of(total)}")
    if votes.get(frozenset({given}), 0) >= majority:
        return Verdict(Category.NON_ERROR)
    return agreed_on(next((answer for answer, n in votes.items() if n >= agreement), None), eligible)


def agreed_on(winner: Answer | None, eligible: frozenset[int] | None = None) -> Verdict:
    """The verdict on an error by the answer that reviewers agree on; None where they agree on none.

    ``eligible`` are the classes that can become a corrected label, None for all.
    """
    if winner is None or isinstance(winner, str):
        return Verdict(Category.NON_AGREEMENT)
    if winner == NONE_OF_THEM:
        return Verdict(Category.NEITHER)
    if len(winner) > 1:
        return Verdict(Category.MULTI_LABEL, winner)
    if eligible is not None and not winner <= eligible:
        return Verdict(Category.NON_AGREEMENT)
    return Verdict(Category.CORRECTABLE, winner)


def label_set_verdict(given: frozenset[int], votes: Mapping[int, int], agreement: int, majority: int = 3) -> Verdict:
    """The verdict on an example with a set of labels, from how many reviewers named each class.

    The majority set holds the classes with at least ``majority`` votes; the example is a non-error when that is exactly
    the given set. Otherwise it is an error, and the classes with at least ``agreement`` votes are its corrected set,
    unless there are none, or asking for more votes has led back to the given set on the way: then reviewers agree on no
    other label, and it is *non-agreement*. The paper counts AudioSet's errors this way and leaves them without
    categories. As with single labels, asking for more agreement never makes an error correctable.

    Raises ValueError unless ``1 <= majority <= agreement``.

    >>> label_set_verdict(frozenset({7}), {7: 1, 9: 4}, agreement=3)
    Verdict(category=<Category.CORRECTABLE: 'correctable'>, agreed=frozenset({9}))
    >>> label_set_verdict(frozenset({7}), {7: 1, 9: 4}, agreement=5).category
    <Category.NON_AGREEMENT: 'non_agreement'>
    """
    _require_order(agreement, majority)
    if _chosen(votes, majority) == given:
        return Verdict(Category.NON_ERROR)
    corrected = _chosen(votes, agreement)
    led_back = any(_chosen(votes, n) == given for n in range(majority, agreement + 1))
    if led_back or not corrected:
        return Verdict(Category.NON_AGREEMENT)
    return Verdict(Category.CORRECTABLE, corrected)


def _chosen(votes: Mapping[int, int], at_least: int) -> frozenset[int]:
    return frozenset(label for label, n in votes.items() if n >= at_least)


def _require_order(agreement: int, majority: int) -> None:
    if not 1 <= majority <= agreement:
        raise ValueError(
            f"agreement threshold {agreement} with majority {majority}: expected 1 <= majority <= agreement"
        )
