"""What a dispute claims, and what became of it, in words."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.review.dispute_outcome import Claim, Outcome
from app.domain.review.verdicts import Category
from app.issues.reviewed.dispute_log import LoggedDispute


def claim_words(claim: Claim, proposed: Sequence[str]) -> str:
    """What is right, by a dispute.

    >>> claim_words(Claim.OTHER, ["dog"])
    'The right label is dog'
    """
    named = " and ".join(proposed)
    match claim:
        case Claim.GIVEN:
            return "The given label is right"
        case Claim.GUESSED:
            return f"The guessed label, {named}, is right"
        case Claim.OTHER:
            return f"The right label is {named}"
        case Claim.BOTH:
            return "More than one label fits"
        case Claim.NEITHER:
            return "No label fits"
    return "It should not be in the test set"


def outcome_words(outcome: Outcome | None) -> str:
    """What became of a dispute, in a word or two; None is the owner's rejection."""
    if outcome is None:
        return "Rejected"
    return {Outcome.UPHELD: "Upheld", Outcome.NOT_UPHELD: "Not upheld", Outcome.UNDECIDED: "Undecided"}[outcome]


def verdict_words(one: LoggedDispute) -> str:
    """What reviewers did when they were asked again, as the rest of a sentence; "" where they were not asked."""
    match one.category:
        case None:
            return ""
        case Category.NON_ERROR:
            return "said that the given label is right"
        case Category.CORRECTABLE:
            return f"said that the right label is {' and '.join(one.corrected or ())}"
        case Category.MULTI_LABEL:
            return "said that more than one label fits"
        case Category.NEITHER:
            return "said that none of the labels that they could choose fits"
        case Category.NOT_ASKED:
            return "said that the given label is wrong; what is right was not asked"
    return "did not agree"


class ShownDispute(NamedTuple):
    """A decided dispute as pages show it."""

    one: LoggedDispute
    claim: str
    outcome: str
    verdict: str


def shown_disputes(found: Iterable[LoggedDispute]) -> list[ShownDispute]:
    """Disputes with their words."""
    return [
        ShownDispute(one, claim_words(one.claim, one.proposed), outcome_words(one.outcome), verdict_words(one))
        for one in found
    ]
