"""Answers of the API about slices."""

from pydantic import Field

from app.openapi.held_back_out import HeldBackField
from app.openapi.model import Count, Model


class SliceScoreOut(Model):
    """How a model does on a slice."""

    model: str
    original: float | None = Field(description="Accuracy on the pruned set by given labels.")
    corrected: float | None = Field(description="The same by corrected labels, like for like.")
    difference: float | None = Field(description="Corrected less original.")
    interval: tuple[float, float] | None = Field(
        description="Of the difference, by pairs; null of an empty pruned set."
    )


class SliceOut(Model):
    """The errors of a slice, and the models' accuracies on it."""

    name: str
    examples: Count
    errors: Count
    error_rate: float
    interval: tuple[float, float] | None = Field(description="Of the error rate.")
    pruned: Count = Field(description="Examples of known label, on which accuracies are compared.")
    correctable: Count
    models: list[SliceScoreOut] = Field(description="Empty while an open review holds examples of the dataset back.")


class SliceList(Model):
    """All slices of a dataset, most errors first."""

    column: str = Field(description="What the dataset calls its slices: the name of their filter.")
    agreement: Count
    items: list[SliceOut]
    total: Count
    held_back: HeldBackField = None
