"""Response models of the API about models, for its documentation."""

from typing import Annotated

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, LabelOut, Model

Fraction = Annotated[float, Field(ge=0, le=1)]
Interval = tuple[Fraction, Fraction]
Key = Annotated[str, Field(description='Platform and name: "pytorch/resnet18".')]


class SetSizes(Model):
    """Sizes of the sets of section 5 of the paper."""

    D: Count = Field(description="All examples.")
    B: Count = Field(description="Benign set.")
    C: Count = Field(description="Correctable set.")
    U: Count = Field(description="Unknown-label set.")
    P: Count = Field(description="Pruned set, B and C.")


class Intervals(Model):
    """95 % intervals; null if the accuracy is null."""

    original_top1: Interval | None
    corrected_top1: Interval | None
    original_top5: Interval | None
    corrected_top5: Interval | None


class Accuracies(Model):
    """Accuracies on one set, as fractions; null for an empty set or if too few ranked choices are known."""

    original_top1: Fraction | None
    corrected_top1: Fraction | None
    original_top5: Fraction | None
    corrected_top5: Fraction | None
    intervals: Intervals


RankInterval = tuple[Count, Count]


TooFew = Annotated[
    str | None,
    Field(description="Why the examples are too few for a ranking, whose figures are then null; null for enough."),
]


class RankIntervals(Model):
    """95 % intervals of ranks; null if the rank is null."""

    original_top1: RankInterval | None
    corrected_top1: RankInterval | None
    original_top5: RankInterval | None
    corrected_top5: RankInterval | None


class RanksOn(Model):
    """Ranks on one set, 1 is best; ties share the best rank."""

    original_top1: Count | None
    corrected_top1: Count | None
    original_top5: Count | None
    corrected_top5: Count | None
    intervals: RankIntervals


class Ranks(Model):
    all: RanksOn
    pruned: RanksOn
    benign: RanksOn
    correctable: RanksOn


class ModelOut(Model):
    """A model and its accuracies on the four sets."""

    platform: str
    name: str
    title: str = Field(description='The platform as a reader knows it: "PyTorch 1.0".')
    parameters: Count | None
    source: str | None
    all: Accuracies = Field(description="On D; by corrected labels null where U is not empty. Compare on P.")
    pruned: Accuracies
    benign: Accuracies
    correctable: Accuracies
    ranks: Ranks


Coefficient = Annotated[float, Field(ge=-1, le=1)]


class CorrelationIntervals(Model):
    """95 % intervals; null if fewer than half of the resampled test sets have a correlation."""

    kendall: tuple[Coefficient, Coefficient] | None
    spearman: tuple[Coefficient, Coefficient] | None


class Correlation(Model):
    """How far the rankings by original and by corrected accuracy agree.

    Null if there is nothing to rank, or too few examples.
    """

    kendall: Coefficient | None
    spearman: Coefficient | None
    intervals: CorrelationIntervals


class Correlations(Model):
    top1: Correlation
    top5: Correlation


class CorrelationsBySet(Model):
    all: Correlations
    pruned: Correlations
    correctable: Correlations


class StabilityOut(Model):
    """How the ranking of a dataset's models depends on its label errors."""

    agreement: Count
    sizes: SetSizes
    noise_prevalence: Fraction = Field(description="|C| / |P|.")
    models: list[ModelOut]
    agreement_of_rankings: CorrelationsBySet
    too_few: TooFew
    held_back: HeldBackField = None


class CrossingAt(Model):
    """The noise prevalence at which two models are equally accurate, with its uncertainty."""

    noise_prevalence: Fraction
    accuracy: Fraction
    first: Key = Field(description="Better at lower noise prevalence.")
    second: Key = Field(description="Better beyond the crossing.")
    interval: Interval | None = Field(description="Middle 95 % of the resampled test sets that have the crossing.")
    share: Fraction = Field(description="Share of the resampled test sets that have the crossing.")


class CrossingOfPair(Model):
    """The crossings of two models by top-1 accuracy; null if they do not cross, or too few examples are corrected."""

    agreement: Count
    first: Key
    second: Key
    original: CrossingAt | None
    corrected: CrossingAt | None
    too_few: TooFew
    held_back: HeldBackField = None


class CrossingPair(Model):
    first: Key
    second: Key
    original: CrossingAt | None
    corrected: CrossingAt | None


class CrossingList(Model):
    items: list[CrossingPair]
    next: str | None
    total: Count
    too_few: TooFew
    held_back: HeldBackField = None


class Rank(Model):
    """A rank among the stored models."""

    rank: Count
    of: Count = Field(description="Models compared, the one that was sent included.")
    tied_with: list[Key]
    interval: RankInterval | None = Field(description="95 % interval; by first choices only.")


class RanksAmong(Model):
    original_top1: Rank | None
    corrected_top1: Rank | None
    original_top5: Rank | None
    corrected_top5: Rank | None


class AllRanksAmong(Model):
    all: RanksAmong
    pruned: RanksAmong
    correctable: RanksAmong


class AllAccuracies(Model):
    all: Accuracies
    pruned: Accuracies
    benign: Accuracies
    correctable: Accuracies


class CrossingWith(Model):
    """A crossing of the uploaded model, called "yours", with a stored one."""

    first: str = Field(description="Better at lower noise prevalence.")
    second: str
    kind: str = Field(description="original_top1 or corrected_top1")
    noise_prevalence: Fraction
    accuracy: Fraction
    interval: Interval | None = Field(description="Middle 95 % of the resampled test sets that have the crossing.")
    share: Fraction = Field(description="Share of the resampled test sets that have the crossing.")


class Change(Model):
    """An example for which the prediction is right by only one of the two labels."""

    index: Count
    key: str | None
    given: LabelOut
    corrected: LabelOut
    predicted: LabelOut
    change: str = Field(description="gained or lost")


class Changes(Model):
    gained: Count = Field(description="Corrected examples that are right only by the corrected label.")
    lost: Count = Field(description="Only by the given label.")
    neither: Count
    examples: list[Change]


class Effects(Model):
    """Rises of top-1 accuracy by cause: each is the difference of two accuracies that differ in nothing else."""

    leaving_out: float | None = Field(description="By the given labels, from all examples D to the pruned set P.")
    correcting: float | None = Field(description="On the pruned set P, from the given to the corrected labels.")


class EvaluationOut(Model):
    """Predictions compared with original and corrected labels. Nothing of them is stored."""

    agreement: Count
    sizes: SetSizes
    noise_prevalence: Fraction
    no_answer: Count = Field(description="Examples to which the model gave no answer, which counts as wrong.")
    accuracy: AllAccuracies
    effects: Effects
    ranks: AllRanksAmong
    crossings: list[CrossingWith]
    changes: Changes
