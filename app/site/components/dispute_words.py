"""What a dispute claims, and what became of it, in words."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.review.dispute_outcome import Claim
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


def outcome_words(became: str) -> str:
    """What became of a dispute, in a few words.

    >>> outcome_words("not_upheld")
    'Not upheld'
    """
    return {"reopened": "Taken up again"}.get(became, became.replace("_", " ").capitalize())


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
    """A dispute as pages show it; ``claim`` is "" while it is held back, ``history`` is (what, when, why)."""

    one: LoggedDispute
    claim: str
    outcome: str
    verdict: str
    history: list[tuple[str, str, str | None]]


def shown_disputes(found: Iterable[LoggedDispute]) -> list[ShownDispute]:
    """Disputes with their words."""
    return [
        ShownDispute(
            one,
            "" if one.claim is None else claim_words(one.claim, one.proposed),
            outcome_words(one.became),
            verdict_words(one),
            [(outcome_words(past.what), past.at, past.why) for past in one.history],
        )
        for one in found
    ]
