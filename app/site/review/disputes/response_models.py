"""Response models of the API of disputes, for its documentation."""

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, Model


class DisputeCountsOut(Model):
    """Disputes by what became of them."""

    upheld: Count
    not_upheld: Count
    undecided: Count = Field(description="Reviewers did not agree.")
    rejected: Count = Field(description="By the owner of the site.")
    open: Count = Field(description="Not decided when the log was written; nothing else is public of these.")


class DisputeVerdictOut(Model):
    """What reviewers said when they were asked again; they knew nothing of the dispute."""

    round: str
    category: str
    corrected: list[str] | None = Field(description="Names of classes; null without a corrected label.")


class DisputeLinks(Model):
    issue: str | None = Field(description="Null where the example is no issue any more.")
    page: str | None
    log: str


class PastDecisionOut(Model):
    decided: str
    outcome: str = Field(description="As of the dispute.")
    why: str | None = Field(description="The owner's reason for a rejection; null while the example is in review.")


class DisputeOut(Model):
    """A dispute that is or was decided."""

    dispute: str = Field(description="Its opaque name.")
    index: Count = Field(description="Index of the example in the test set.")
    filed: str = Field(description="The day it was sent.")
    decided: str
    claim: str | None = Field(
        description="What is right, by the dispute: given, guessed, other, both, neither or unfit. Null while an open "
        "review holds the example back, and with it all that tells of the verdict."
    )
    proposed: list[str] = Field(description="The classes that a claim of guessed or other names.")
    outcome: str = Field(
        description="upheld, not_upheld, undecided or rejected; reopened if it is to be decided anew; in_review while "
        "an open review holds the example back."
    )
    why: str | None = Field(description="The owner's reason for a rejection.")
    reason: str | None = Field(description="The visitor's own words; null where the owner rejected them.")
    source: str | None = Field(description="An address that the visitor gave; nobody vouches for what is there.")
    verdict: DisputeVerdictOut | None = Field(description="Null where it was rejected.")
    history: list[PastDecisionOut] = Field(description="Decisions before this one, oldest first; they stay.")
    links: DisputeLinks


class DisputeList(Model):
    items: list[DisputeOut]
    next: str | None = Field(description="Address of the next page, null on the last one.")
    total: Count
    limit: Count
    most: Count = Field(description="The largest limit.")
    counts: DisputeCountsOut
    held_back: HeldBackField = None
