"""What a visitor can claim of an example, and whether the votes of reviewers who knew nothing of it bear the claim out.

Labels are sets of names of classes here: a claim outlives the numbers that classes have in one catalogue.
"""

from enum import StrEnum

from app.domain.review.verdicts import Category


class Claim(StrEnum):
    """What is right, in the eyes of who disputes."""

    GIVEN = "given"  # the given label
    GUESSED = "guessed"  # the guessed label
    OTHER = "other"  # a class that is neither given nor guessed
    BOTH = "both"  # several labels, the given one among them
    NEITHER = "neither"  # no label at all
    UNFIT = "unfit"  # the example should not be in the test set


class Outcome(StrEnum):
    """What reviewers made of a claim."""

    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"
    UNDECIDED = "undecided"


#: The one category that bears out a claim which names no class.
_BORNE_OUT = {
    Claim.GIVEN: Category.NON_ERROR,
    Claim.BOTH: Category.MULTI_LABEL,
    Claim.NEITHER: Category.NEITHER,
    Claim.UNFIT: Category.NEITHER,
}


def outcome(
    claim: Claim,
    proposed: frozenset[str],
    category: Category,
    corrected: frozenset[str] | None,
    *,
    asked: bool = True,
) -> Outcome:
    """What a verdict makes of a claim. ``proposed`` are the classes that a claim of a guessed or other label names.

    Where reviewers did not agree nothing is decided. That an example should not be in the test set is upheld where no
    label fits it: reviewers are asked about labels alone. ``asked`` is whether reviewers could choose the proposed
    class. Where they were asked about two others, a third one is upheld if they see neither.

    >>> outcome(Claim.OTHER, frozenset({"dog"}), Category.CORRECTABLE, frozenset({"dog"}))
    <Outcome.UPHELD: 'upheld'>
    >>> outcome(Claim.GIVEN, frozenset(), Category.CORRECTABLE, frozenset({"dog"}))
    <Outcome.NOT_UPHELD: 'not_upheld'>
    >>> outcome(Claim.GIVEN, frozenset(), Category.NON_AGREEMENT, None)
    <Outcome.UNDECIDED: 'undecided'>
    """
    if category in (Category.NON_AGREEMENT, Category.UNREVIEWED):
        return Outcome.UNDECIDED
    if category is Category.NOT_ASKED:  # an error, and no more is known
        return Outcome.NOT_UPHELD if claim is Claim.GIVEN else Outcome.UNDECIDED
    if claim in _BORNE_OUT:
        held = category is _BORNE_OUT[claim]
    elif claim is Claim.OTHER and not asked:
        held = category is Category.NEITHER
    elif claim is Claim.OTHER:
        held = bool(proposed & (corrected or frozenset()))
    else:
        held = corrected == proposed
    return Outcome.UPHELD if held else Outcome.NOT_UPHELD


def says_already(claim: Claim, proposed: frozenset[str], category: Category, corrected: frozenset[str] | None) -> bool:
    """Whether the present verdict is what is claimed, so that there is nothing to dispute.

    >>> says_already(Claim.GIVEN, frozenset(), Category.NON_ERROR, None)
    True
    """
    return outcome(claim, proposed, category, corrected) is Outcome.UPHELD and claim is not Claim.UNFIT
