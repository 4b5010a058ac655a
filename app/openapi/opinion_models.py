"""Response models of what second opinions say of one issue, and of how sure its correction is."""

from pydantic import Field

from app.openapi.model import Count, LabelOut, Model


class WeightOut(LabelOut):
    weight: Count = Field(description="Raters who chose it; 1 where none are counted.")


class SecondOpinionOut(Model):
    """What an independent relabelling says of an issue."""

    source: str
    title: str
    independent: bool
    stance: str | None = Field(description="given, guessed, both, other or silent; null where nobody looked.")
    classes: list[WeightOut] = Field(description="The classes it names, the most weight first.")


class PriorOut(Model):
    """Beta(a, b): how the share of raters who choose the label beside the given one varies over examples."""

    a: float
    b: float


class ConfidenceOut(Model):
    """What the confidence of a correction follows from."""

    method: str = Field(description="beta_binomial: counts of votes; dawid_skene: votes weighed by rater.")
    chosen: Count | None = Field(description="Votes for the correction; null where labels are sets.")
    asked: Count | None = Field(description="All votes, likewise.")
    prior: PriorOut | None
    expected_share: float | None = Field(description="Of unlimited raters, who would probably make the correction.")
