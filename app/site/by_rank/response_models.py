"""Response models of the API about errors by rank, for its documentation."""

from typing import Annotated

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, Model
from app.site.by_rank.context import NoForecast

Fraction = Annotated[float, Field(ge=0, le=1)]
Interval = Annotated[tuple[Fraction, Fraction], Field(description="95 % interval.")]


class RankBinOut(Model):
    """Some consecutive ranks; 1 is the most suspicious example."""

    first: Count
    last: Count
    checked: Count = Field(description="Examples of these ranks that reviewers checked.")
    errors: Count = Field(description="Errors among the checked.")
    share: Fraction | None = Field(description="errors / checked; null where none was checked.")
    interval: Interval | None = Field(description="Wilson's 95 % interval of the share.")
    fitted: Fraction | None = Field(description="The fitted share at the middle rank; null without a forecast.")
    checked_so_far: Count = Field(description="Checked examples of these and lower ranks.")
    errors_so_far: Count = Field(description="Errors of these and lower ranks.")
    recall: Fraction | None = Field(
        description="The share of all errors up to this rank; null where not every example was judged."
    )
    precision: Fraction | None = Field(
        description="The share of examples up to this rank that are errors; null where not every example was judged."
    )


class ForecastOut(Model):
    """What the next examples, the unchecked ones of lowest rank, probably hold."""

    first: Count = Field(description="The lowest rank among them.")
    last: Count = Field(description="The highest rank among them.")
    examples: Count = Field(description="How many they are: 100, or all that are left.")
    expected: float = Field(description="Errors to expect among them.")
    interval: tuple[Count, Count] = Field(description="95 % interval of the number of errors.")


class FewFromOut(Model):
    share: Fraction
    rank: Count | None = Field(description="Null where the fitted share is nowhere so small.")


class ErrorsFlaggedOut(Model):
    """How many errors of one kind the model had flagged."""

    kind: str = Field(description="``any error``, or what the one expert called it.")
    errors: Count = Field(description="Errors of this kind.")
    flagged: Count = Field(description="Those of them that were flagged.")
    of_flagged: Count = Field(description="All flagged examples.")
    recall: Fraction = Field(description="flagged / errors.")
    recall_interval: Interval
    precision: Fraction | None = Field(description="flagged / of_flagged.")
    precision_interval: Interval


class ErrorsByRankOut(Model):
    """Errors by rank at an agreement threshold. Ranks are among the examples that are not held back."""

    agreement: Count
    checked: Count = Field(description="Checked examples that have a rank.")
    errors: Count = Field(description="Errors among them.")
    without_rank: Count = Field(description="Checked examples that have no rank and are not counted here.")
    checked_throughout: Count = Field(description="The first so many ranks were all checked.")
    last_checked: Count = Field(description="The highest rank that was checked; 0 if none was.")
    bins: list[RankBinOut]
    forecast: ForecastOut | None
    no_forecast: NoForecast | None = Field(description="Why there is no forecast; null where there is one.")
    few_from: FewFromOut | None = Field(
        description="The rank from which on the fitted share of errors is below ``share``; null without a forecast."
    )
    flags: list[ErrorsFlaggedOut] | None = Field(
        description="How many errors were flagged, by kind; null where not every example was judged."
    )
    held_back: HeldBackField = None
