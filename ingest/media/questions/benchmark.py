"""A benchmark of multiple-choice questions as a dataset: labels, judge, models' answers, slices."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ingest.errors import DataError, shown
from ingest.labels.model_answers import ModelAnswers, read_model_answers
from ingest.labels.slices import Slices, read_slices, slices_of
from ingest.labels.vote_files import Review
from ingest.manifest.answers import Answers
from ingest.manifest.model import Manifest
from ingest.matrices.array import open_votes
from ingest.matrices.matrix import Matrix, matrix_of
from ingest.media.questions.judgements import Judgements, judgements
from ingest.media.questions.question_source import QuestionSource
from ingest.media.questions.read_questions import Questions, read_questions


@dataclass(frozen=True)
class Benchmark:
    """The questions of a dataset, and what its judge says of them."""

    questions: Questions
    judged: Judgements | None

    @classmethod
    def read(cls, manifest: Manifest, folder: Path, n_classes: int) -> "Benchmark | None":
        """The questions that a manifest names; None where examples are no questions.

        Raises MissingFileError or DataError naming file and row.
        """
        options = manifest.question_options
        if options is None:
            return None
        found = read_questions(folder, options, n_classes)
        return cls(found, judgements(found) if manifest.votes.dialect == "error-types" else None)

    @property
    def given(self) -> NDArray[Any]:
        """(n,) the given options."""
        return self.questions.given

    @property
    def keys(self) -> list[str] | None:
        return None if self.questions.keys is None else list(self.questions.keys)

    @property
    def files(self) -> list[Path]:
        return [read.file for read in self.questions.files]

    @property
    def reviews(self) -> list[Review] | None:
        """What the judge says; None without a judge in the rows."""
        return None if self.judged is None else self.judged.reviews

    @property
    def source(self) -> QuestionSource:
        """The questions as media."""
        return QuestionSource(self.questions, self.judged)


def answers_of(
    told: Answers, folder: Path, given: NDArray[Any], benchmark: Benchmark | None, n_classes: int
) -> ModelAnswers:
    """The models' answers that a manifest names, checked against the questions in the same places."""
    known = {}
    for column, of_question in told.same.items():
        values = None if benchmark is None else benchmark.questions.column(of_question)
        if of_question == "given":
            values = [str(label) for label in given.tolist()]
        if values is None:
            finding = f"expected a column of the questions, or given, beside {shown(column)}"
            raise DataError(folder / told.file, f"{finding}, found {shown(of_question)}")
        known[column] = values
    return read_model_answers(folder / told.file, told.models, len(given), n_classes, known)


def committee(answers: ModelAnswers | None, n_classes: int) -> Matrix | None:
    """The votes of models as predicted probabilities."""
    if answers is None:
        return None
    return matrix_of([open_votes(answers.file, answers.options, n_classes)], len(answers.options), n_classes)


def slices_of_dataset(manifest: Manifest, folder: Path, size: int | None, benchmark: Benchmark | None) -> Slices | None:
    """The slice of each example; None where the manifest names none."""
    column, files = manifest.slice, manifest.files
    if column is None:
        return None
    values = None if benchmark is None or files.slices else benchmark.questions.column(column)
    if values is not None:
        return slices_of(column, values, folder / str((manifest.media and manifest.media.options.get("path")) or "."))
    name = files.slices or files.labels
    if name is None or size is None:
        raise DataError(manifest.path, f"expected a column {shown(column)} of the examples, found none", record="slice")
    return read_slices(folder / name, column, size)
