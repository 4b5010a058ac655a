"""How far reviewers agree, as the API describes it."""

from pydantic import Field

from app.openapi.model import Count, Model


class WeighedOut(Model):
    """An example by Dawid and Skene's estimate, which weighs votes by how often each reviewer seems to err."""

    category: str
    shares: dict[str, float] = Field(description="The probability of each answer, largest first.")


class RaterAgreementOut(Model):
    """Krippendorff's alpha of the votes: 1 is perfect agreement, 0 what chance gives."""

    alpha: float | None = Field(description="Nominal. Null where all votes are one answer, or no example has two.")
    interval: list[float] | None = Field(description="Central 95 % interval over resampled examples.")
    examples: Count = Field(description="Examples with two votes or more.")
    votes: Count = Field(description="Votes on them.")
    measured: str = Field(
        description='"options": which of the answers that votes are counted by. "classes": each class, there or not.'
    )
    raters_known: bool = Field(
        description="Who gave each vote is known, so that `rule=dawid_skene` is offered for the corrected labels."
    )
