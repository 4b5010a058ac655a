"""Response models of the API about second opinions and controls, for its documentation."""

from typing import Annotated

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, Model
from app.openapi.opinion_models import PriorOut

Fraction = Annotated[float, Field(ge=0, le=1)]
Coefficient = Annotated[float, Field(ge=-1, le=1)]
CoefficientInterval = tuple[Coefficient, Coefficient]


class StanceCounts(Model):
    """Reviewed examples by what the opinion holds of the given and of the guessed label.

    "guessed" is the corrected label where there is one.
    """

    given: Count = Field(description="It holds the given label and not the guessed one.")
    guessed: Count = Field(description="It holds the guessed label and not the given one.")
    both: Count
    other: Count
    silent: Count


class CrossTable(Model):
    """Stances by what reviewers decided."""

    non_error: StanceCounts
    correctable: StanceCounts
    multi_label: StanceCounts
    neither: StanceCounts
    non_agreement: StanceCounts
    not_asked: StanceCounts | None = Field(default=None, description="Not there without such errors.")


class AgreementByVotes(Model):
    """How far the opinion agrees with the given label, by how many reviewers named that one."""

    votes: Count
    n: Count
    share: Fraction | None = Field(description="Mean share of its raters, or how often it is among its labels.")


class MissedExample(Model):
    index: Count
    given: Count
    held: list[Count]
    share: Fraction | None = Field(description="Of the raters, for the first class held; null if none are counted.")


class Missed(Model):
    """Examples that nobody flagged or reviewed and whose given label the opinion does not hold."""

    n: Count
    of: Count = Field(description="Covered examples that nobody flagged or reviewed.")
    examples: list[MissedExample]


class OpinionOut(Model):
    """An independent relabelling, and what it says of this dataset."""

    name: str
    title: str
    licence: str
    independent: bool = Field(description="Made without knowledge of the verdicts; others are shown, not counted.")
    covered: Count = Field(description="Examples that it names a class for.")
    agreeing: Fraction = Field(description="Share of these for which it holds the given label.")
    table: CrossTable
    by_votes: list[AgreementByVotes]
    missed: Missed


class OpinionsOut(Model):
    """The second opinions on a dataset."""

    agreement: Count
    sources: list[OpinionOut]
    held_back: HeldBackField = None


class CountsOfModel(Model):
    """First choices of a model on one set of examples."""

    platform: str
    name: str
    given: Count
    guessed: Count
    neither: Count


class TopFive(Model):
    tau: Coefficient | None
    tau_interval: CoefficientInterval | None


class TurnoverOut(Model):
    """How a ranking by the given label and one by the guessed label agree.

    Null below five examples: so few say nothing of a ranking.
    """

    n: Count
    tau: Coefficient | None = Field(description="Kendall's tau-b of right-by-given and right-by-guess, first choices.")
    tau_interval: CoefficientInterval | None
    top5: TopFive
    models: list[CountsOfModel] | None
    too_few: str | None = Field(description="Why there is no ranking, where examples are too few; else null.")


class FlaggerAgreement(Model):
    platform: str
    name: str
    agreement: Fraction = Field(description="Share of all examples on which it predicts what the flagging model does.")
    accuracy: Fraction
    marked: bool = Field(description="It agrees more than two standard deviations above what its accuracy explains.")


class ChanceOut(Model):
    """The observed tau against corrected labels drawn at random."""

    observed: Coefficient | None
    mean: Coefficient | None
    interval: CoefficientInterval | None
    at_most: Fraction | None = Field(description="p-value of draws at most as large; the observed one is counted.")
    draws: Count


class CorrelationOut(Model):
    tau: Coefficient | None
    interval: CoefficientInterval | None


class CapacityOnSet(Model):
    given: CorrelationOut
    guessed: CorrelationOut


class CapacityOut(Model):
    """Rank correlation of the number of parameters with right predictions; null below five examples."""

    known: Count = Field(description="Models whose number of parameters is known.")
    of: Count
    sets: dict[str, CapacityOnSet | None]


class ConfusedPair(Model):
    given: Count
    corrected: Count
    n: Count


class SystematicOut(Model):
    """How far confusions gather in a few ordered pairs of classes, against shuffled corrected labels.

    Null where the most frequent pairs are all there can be.
    """

    n: Count
    pairs: Count
    share: Fraction | None
    shuffled: Fraction | None = Field(description="The mean share over shuffles.")
    p: Fraction | None
    most: list[ConfusedPair]
    too_few: str | None = Field(description="Why nothing is told, where different confusions are too few; else null.")


class ControlOut(Model):
    """The same measurement where label errors should have no effect, or where chance decides."""

    agreement: Count
    corrected: TurnoverOut = Field(description="On C, to compare with.")
    non_errors: TurnoverOut = Field(description="Flagged examples whose given label reviewers kept.")
    confirmed: dict[str, TurnoverOut] = Field(description="The part of C that an independent opinion confirms.")
    opposed: dict[str, TurnoverOut] = Field(description="The part of C that it opposes.")
    flagger: list[FlaggerAgreement] | None
    random: ChanceOut | None
    capacity: CapacityOut | None
    systematic: SystematicOut | None
    held_back: HeldBackField = None


class LevelsOut(Model):
    """Corrections at one agreement threshold."""

    n: Count = Field(description="Corrections with a confidence.")
    at_least: dict[str, Count] = Field(description="Those with at least so much, by confidence.")


class BrierOut(Model):
    """Mean squared distance from what turned out, lower is better."""

    share: Fraction = Field(description="Of the plain share of votes for the correction.")
    confidence: Fraction
    base: Fraction = Field(description="Of saying the same of all: the share confirmed in the other half.")
    right: Fraction = Field(description="Of the learnt probability.")


class GainOut(Model):
    difference: Coefficient = Field(description="Brier score of the other less that of what is judged.")
    interval: CoefficientInterval = Field(description="95 %, over examples resampled in pairs; above 0 it is better.")


class ReliabilityPoint(Model):
    n: Count
    said: Fraction = Field(description="Mean probability.")
    right: Fraction = Field(description="Share that is confirmed.")
    interval: tuple[Fraction, Fraction]


class RightOut(Model):
    """Whether corrections are right, learnt from second opinions; figures only where that was possible."""

    why_not: str | None = Field(
        default=None,
        description="no_opinion, no_confidence, or few: too few corrections on which independent opinions are clear.",
    )
    sources: list[str] = Field(description="The independent second opinions.")
    agreement: Count | None = Field(default=None, description="The threshold of the corrections that are judged.")
    clear: Count | None = Field(default=None, description="Corrections that the opinions confirm or oppose.")
    confirmed: Count | None = None
    brier: BrierOut | None = None
    gains: dict[str, GainOut] | None = None
    confidence_gain: GainOut | None = Field(default=None, description="Of the confidence over the share of votes.")
    reliability: dict[str, list[ReliabilityPoint]] | None = None


class DatasetConfidenceOut(Model):
    """How sure a dataset's corrections are."""

    method: str | None = Field(description="beta_binomial or dawid_skene; null where there is no confidence.")
    why_not: str | None = Field(description="Why there is none, as a sentence.")
    prior: PriorOut | None = Field(description="Fitted to the votes; null without, and where votes are weighed.")
    fitted: Count = Field(description="Examples, or classes of examples, that it was fitted to.")
    corrections: dict[str, LevelsOut] = Field(description="By agreement threshold.")
    right: RightOut
    held_back: HeldBackField = None
