"""The files that a manifest names: labels, predicted probabilities of one model or several, votes, names."""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import Field, model_validator

from app.evaluation.tables.class_spelling import ClassesAre
from ingest.manifest.fields import InnerPath, InnerPaths, MisfitError, Text, TomlTable

#: What ``pred_probs`` says where the probabilities are the votes of models.
VOTES: Final = "votes"


class Files(TomlTable):
    """The dataset's files, relative to the release folder, with "/" between folders; None for those it lacks."""

    labels: InnerPath | None = None
    pred_probs: InnerPaths = ()  # the parts of one matrix, top to bottom
    pred_probs_of: Mapping[Text, InnerPaths] = Field(default_factory=dict)  # the same of several models, by their names
    provenance: InnerPath | None = None  # how the matrix was made, as `predict` writes it
    predicted: InnerPath | None = None
    votes: InnerPath | None = None
    index: InnerPath | None = None
    label_column: Text | None = None  # the label column of tables, if it has an unusual name
    slices: InnerPath | None = None  # a text for each example: the values of ``slice``, if no table has that column
    groups: InnerPath | None = None  # a text for each example: those of one group belong together, such as one writer's
    classes_are: ClassesAre | None = None  # whether label texts and column names are names or numbers, if ambiguous

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.pred_probs)) < len(self.pred_probs):
            raise MisfitError("pred_probs", f"expected each part once, found {', '.join(self.pred_probs)}")
        if self.pred_probs and self.pred_probs_of:
            raise MisfitError("pred_probs_of", "expected pred_probs of one model or pred_probs_of several, found both")
        named = [path for paths in self.pred_probs_of.values() for path in paths]
        if len(set(named)) < len(named) or not all(self.pred_probs_of.values()):
            raise MisfitError("pred_probs_of", f"expected files for each model, each once, found {', '.join(named)}")
        if self.labels is not None and self.labels == self.predicted:
            raise MisfitError("predicted", f"expected another file than labels, found {self.labels!r} for both")
        return self

    @property
    def models(self) -> Mapping[str, tuple[str, ...]]:
        """The files of predicted probabilities of each model; a single one need not have a name."""
        return self.pred_probs_of or ({"": self.pred_probs} if self.pred_probs and not self.by_vote else {})

    @property
    def by_vote(self) -> bool:
        """Whether the models of ``[answers]`` are the committee whose votes are the predicted probabilities."""
        return self.pred_probs == (VOTES,)

    @property
    def matrices(self) -> tuple[str, ...]:
        """All files of predicted probabilities."""
        return tuple(path for paths in self.models.values() for path in paths)
