"""How a dataset's predicted probabilities were made and how good they are, as ingest stores it and pages show it."""

from collections.abc import Collection, Iterable
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

#: Pairs of near-duplicates with different labels that are stored; more are counted.
MOST_PAIRS: Final = 10_000

Text = Annotated[str, Field(max_length=2_000)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class MeasuredQuality(_Part):
    """See ``app.domain.confident_learning.probability_quality``."""

    n: Count
    accuracy: Share
    log_loss: Annotated[float, Field(ge=0, lt=1e6)]
    ece: Share


class TriedModel(MeasuredQuality):
    """A model, how good it was, and whether it is the one."""

    name: Text
    says: Text
    chosen: bool
    deals: Annotated[int, Field(ge=1, le=10_000)] = 1  # of the folds, of which the mean was taken


class GroupReport(_Part):
    """What was kept together; ``by`` is None for near-duplicates alone."""

    by: Text | None
    examples_in_groups: Count
    accuracy_without: Share | None


class Twins(_Part):
    """Two examples that are nearly the same and whose given labels, by id, differ."""

    first: Count
    second: Count
    first_given: Count
    second_given: Count
    similarity: Annotated[float, Field(ge=-1, le=1.01)]


class PredictionReport(_Part):
    """The whole report. ``twins`` are the most alike; ``n_twins`` counts all."""

    made_by: Text
    seed: Count
    train_examples: Count
    quality: MeasuredQuality
    by_fold: Annotated[list[MeasuredQuality], Field(max_length=1_000)]
    models: Annotated[list[TriedModel], Field(max_length=100)]
    groups: GroupReport
    n_near_duplicates: Count
    n_twins: Count
    twins: Annotated[list[Twins], Field(max_length=MOST_PAIRS)]
    few_examples: dict[Text, Count]
    warnings: Annotated[list[Text], Field(max_length=100)]
    remarks: Annotated[list[Text], Field(max_length=100)]

    @property
    def by_own_model(self) -> bool:
        """Whether a model of the user's own, which is named module:factory, is among those that were chosen."""
        return any(":" in one.name for one in self.models if one.chosen)

    @property
    def averaged(self) -> tuple[str, ...]:
        """The names of the models whose mean was taken; none where one was chosen."""
        names = tuple(one.name for one in self.models if one.chosen)
        return names if len(names) > 1 else ()

    def twins_of(self, index: int) -> list[tuple[int, int, float]]:
        """(index, given label id, similarity) of those that are nearly the same as an example, labelled otherwise."""
        found = [(one.second, one.second_given, one.similarity) for one in self.twins if one.first == index]
        return found + [(one.first, one.first_given, one.similarity) for one in self.twins if one.second == index]

    def without(self, indices: Collection[int]) -> "PredictionReport":
        """The same, without the pairs that tell the labels of these examples."""
        left = [one for one in self.twins if one.first not in indices and one.second not in indices]
        return self.model_copy(update={"twins": left})


def labels_beside(report: PredictionReport | None) -> dict[int, list[int]]:
    """By example the given labels of those that are nearly the same and labelled otherwise, the most alike first.

    Where a model agrees with the given label of an example, one of these is what there is to choose beside it.
    """
    found: dict[int, list[int]] = {}
    for one in report.twins if report else ():
        found.setdefault(one.first, []).append(one.second_given)
        found.setdefault(one.second, []).append(one.first_given)
    return found


def guesses_changed(report: PredictionReport | None, reviewed: Iterable[tuple[int, int, int]]) -> int:
    """How many reviewed examples (index, label shown to reviewers, label guessed now) have another guess by now.

    Where reviewers were shown the label of a near-duplicate, no guess was shown that could have changed.
    """
    beside = labels_beside(report)
    return sum(shown != guessed and shown not in beside.get(index, ()) for index, shown, guessed in reviewed)


def report_of(text: str | None) -> PredictionReport | None:
    """The report that a catalogue stores as JSON; None without one. Raises ValueError for another content."""
    return None if text is None else PredictionReport.model_validate_json(text)
