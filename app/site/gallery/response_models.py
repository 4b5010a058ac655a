"""Response models of the API about how a dataset's probabilities were predicted, for its documentation."""

from typing import Annotated

from pydantic import Field

from app.openapi.model import Count, LabelOut, Model

Fraction = Annotated[float, Field(ge=0, le=1)]


class QualityOut(Model):
    """How good out-of-sample probabilities are, by the given labels."""

    n: Count = Field(description="Examples.")
    accuracy: Fraction
    log_loss: float
    ece: Fraction = Field(description="Expected calibration error: how far confidence is from accuracy.")


class TriedModelOut(QualityOut):
    name: str
    says: str = Field(description="What it is, for readers.")
    chosen: bool = Field(description="Whether its probabilities are used, of several their mean.")
    deals: Count = Field(description="How often the folds were dealt; the mean of the probabilities is used.")


class GroupsOut(Model):
    by: str | None = Field(description="What was kept together in one fold; null for near-duplicates alone.")
    examples_in_groups: Count = Field(description="Examples that share their group with another.")
    accuracy_without: Fraction | None = Field(description="Accuracy with groups torn apart; null if not measured.")


class TwinOut(Model):
    index: Count
    given: LabelOut


class TwinsOut(Model):
    """Two examples that are nearly the same and whose given labels differ."""

    first: TwinOut
    second: TwinOut
    similarity: float = Field(description="1 for equal ones.")


class NearDuplicatesOut(Model):
    pairs: Count = Field(description="All pairs.")
    n_different: Count = Field(description="Those with different labels.")
    different_labels: list[TwinsOut] = Field(description="These, most alike first, at most 10,000.")


class PredictionReportOut(Model):
    """How probabilities were predicted and how good they are, as ``label-errors predict`` tells it."""

    made_by: str
    seed: Count
    train_examples: Count = Field(description="Further examples that were learnt from in every fold.")
    quality: QualityOut = Field(description="Of the probabilities that are used.")
    by_fold: list[QualityOut]
    models: list[TriedModelOut] = Field(description="All that were tried.")
    groups: GroupsOut
    near_duplicates: NearDuplicatesOut
    few_examples: dict[str, Count] = Field(description="Classes with fewer examples than folds, by name.")
    warnings: list[str]
    remarks: list[str]
