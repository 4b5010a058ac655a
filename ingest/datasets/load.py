"""Read and check everything a manifest and a folder provide for one dataset.

Files may be absent: ``missing`` lists what pages cannot show because of it. Files that are present must be valid and
consistent with each other. Nothing is written and no media are read; see ``build`` and ``media`` for these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from app.domain.review.verdicts import NO_VOTES
from app.schema.prediction_report import PredictionReport
from ingest.datasets.example_labels import Labels, ModelGuesses
from ingest.datasets.facts import NO_INDEX, NO_JOINT_OF_SETS, NO_LABELS, NO_MATRIX, NO_WEIGHTS
from ingest.datasets.fingerprints import Fingerprints, Role, Source
from ingest.datasets.matrix_report import OTHER_MATRIX, by_guesses, read_matrix_report
from ingest.datasets.suspects.averaged_models import AveragedModels, averaged_models
from ingest.datasets.train_rows import read_groups, read_train_rows
from ingest.datasets.word_weights import WordWeights, read_word_weights
from ingest.errors import DataError, MissingFileError
from ingest.flagging.engine import FlagResult, flag
from ingest.flagging.executors import Executor
from ingest.flagging.multi_label import SetFlagResult, flag_sets
from ingest.git_pointers import refuse_pointers
from ingest.labels.class_names import ClassNames, read_classes
from ingest.labels.files import keys_of, read_index
from ingest.labels.flag_input import read_given_labels
from ingest.labels.label_sets import read_label_sets
from ingest.labels.model_answers import ModelAnswers
from ingest.labels.record_location import SEPARATED
from ingest.labels.slices import Slices
from ingest.labels.vote_files import Review, read_reviews
from ingest.labels.vote_joins import require_given, require_guesses
from ingest.manifest.model import Manifest
from ingest.manifest.named_files import VOTES
from ingest.matrices.matrix import Matrix, open_parts
from ingest.matrices.mean import open_models
from ingest.matrices.top_classes import with_twins
from ingest.media.questions.benchmark import Benchmark, answers_of, committee, slices_of_dataset
from ingest.progress import Progress


@dataclass(frozen=True)
class Inputs:
    """Everything that was found for one dataset."""

    manifest: Manifest
    classes: ClassNames
    size: int | None
    labels: Labels | None
    guesses: Labels | ModelGuesses | None  # the guessed label of every example; None without any model's guesses
    keys: list[str] | None
    urls: list[str] | None
    matrix: Matrix | None
    flagging: FlagResult | None
    set_flagging: SetFlagResult | None  # the same for multi-label examples
    reviews: list[Review]
    benchmark: Benchmark | None  # where examples are questions
    answers: ModelAnswers | None  # models' answers that come with the labels
    slices: Slices | None
    evidence: WordWeights | None  # a linear model's weights, if examples are texts
    report: PredictionReport | None  # how the matrix was made and how good it is
    averaged: AveragedModels | None  # the models whose mean it is
    missing: tuple[str, ...]
    sources: tuple[Source, ...]


def load(
    manifest: Manifest, folder: Path, progress: Progress, *, complete: bool = False, executor: Executor | None = None
) -> Inputs:
    """Read one dataset. With ``complete``, every file that the manifest names must exist; ``executor`` flags.

    Raises MissingFileError or DataError naming the file and the record.
    """
    with Fingerprints() as sources:
        return _Loader(manifest, folder, progress, sources, executor, complete).load()


@dataclass(frozen=True)
class _Loader:
    _manifest: Manifest
    _folder: Path
    _progress: Progress
    _sources: Fingerprints
    _executor: Executor | None
    _complete: bool
    _missing: list[str] = field(default_factory=list)

    def load(self) -> Inputs:
        manifest, files = self._manifest, self._manifest.files
        weights = () if manifest.words is None else (manifest.words.weights,)
        others = (*weights, files.labels, files.predicted, files.votes, files.index)
        named = (*manifest.classes.files, *with_twins(files.matrices), *filter(None, others))
        refuse_pointers(self._folder / name for name in named)
        classes = read_classes(manifest.classes, self._folder, manifest.path)
        if classes.source is not None:
            self._note(classes.source, "classes")
        benchmark = self._benchmark(len(classes))
        in_rows = None if benchmark is None else Labels(benchmark.given)
        labels = self._labels(files.labels, "labels", classes, NO_LABELS) if in_rows is None else in_rows
        size = self._size(labels)
        if self._complete:
            # Only training uses them, but a user whose file of groups is wrong wants to know before it.
            read_groups(manifest, self._folder, size)
            read_train_rows(manifest, self._folder, classes)
        predicted = self._labels(files.predicted, "predicted", classes, None)
        self._require_length(files.predicted, predicted, size)
        entries = self._entries(size)
        keys = None if benchmark is None else benchmark.keys
        if entries is not None:
            keys = keys_of(entries, manifest.examples.key, self._folder / (files.index or ""))
        answers = self._answers(labels, benchmark, len(classes))
        slices = slices_of_dataset(manifest, self._folder, size, benchmark)
        matrix = committee(answers, len(classes)) if files.by_vote else self._matrix(labels, classes)
        self._missing.extend([NO_MATRIX] if files.by_vote and answers is None else [])
        judged = None if benchmark is None else benchmark.reviews
        reviews = self._reviews(classes, size, keys) if judged is None else judged
        self._require_agreement(reviews, labels, entries)
        flagging = self._flagging(labels, matrix)
        if flagging is not None:
            self._require_argmax(predicted, flagging)
        set_flagging = self._set_flagging(labels, predicted, matrix)
        guesses = self._guesses(predicted, flagging or set_flagging)
        report = None if matrix is None or labels is None else self._report(labels)
        averaged, lacking = averaged_models(report, self._folder / (files.provenance or ""), matrix)
        self._missing.extend(lacking)
        if judged is not None and guesses is not None:
            # A judge answers a question whatever a model guessed, so the guess beside the answer is the model's own.
            reviews = [replace(review, shown=guesses[review.index]) for review in judged]
        elif guesses is not None and reviews:
            self._require_guesses(by_guesses(reviews, report), labels, guesses, predicted)
        return Inputs(
            manifest=manifest,
            classes=classes,
            size=size,
            labels=labels,
            guesses=guesses,
            keys=keys,
            urls=entries if manifest.examples.urls == "index" else None,
            # Multi-label rows do not sum to 1 and are not shown as if they did.
            matrix=None if manifest.labels == "multiple" else matrix,
            flagging=flagging,
            set_flagging=set_flagging,
            reviews=reviews,
            benchmark=benchmark,
            answers=answers,
            slices=slices,
            evidence=self._evidence(size, len(classes)),
            report=report,
            averaged=averaged,
            missing=tuple(self._missing),
            sources=self._sources.all(),
        )

    def _found(self, name: str | None, role: Role, without: str | None, *, needed: bool = False) -> Path | None:
        """The path of a file, recorded as a source; if absent, None, and ``without`` is added to what is missing."""
        if name is not None and (path := self._folder / name).is_file():
            self._note(name, role)
            return path
        if name is not None and (needed or self._complete):
            finding = f"expected the file of {role} that the manifest names, found none"
            raise MissingFileError(self._folder / name, finding)
        if without is not None:
            self._missing.append(without)
        return None

    def _benchmark(self, n_classes: int) -> Benchmark | None:
        found = Benchmark.read(self._manifest, self._folder, n_classes)
        for path in () if found is None else found.files:
            self._note(path.relative_to(self._folder).as_posix(), "labels")
        return found

    def _answers(self, labels: Labels | None, benchmark: Benchmark | None, n_classes: int) -> ModelAnswers | None:
        told = self._manifest.answers
        if told is None or labels is None or labels.ids is None or self._found(told.file, "answers", None) is None:
            return None
        return answers_of(told, self._folder, labels.ids, benchmark, n_classes)

    def _note(self, name: str, role: Role) -> None:
        self._sources.add(self._folder / name, name, role)

    def _labels(self, name: str | None, role: Role, classes: ClassNames, without: str | None) -> Labels | None:
        path = self._found(name, role, without)
        if path is None:
            return None
        said = self._manifest.files.classes_are
        column = self._manifest.files.label_column if role == "labels" else None
        n = self._n_rows(path, classes)
        if self._manifest.labels == "multiple":
            return Labels(read_label_sets(path, len(classes), classes.names, said, column=column, n=n))
        labels = read_given_labels(path, len(classes), classes.names, said, column=column, n=n)
        # A copy: what is mapped would end the process if the file became shorter.
        return Labels(labels.astype(np.min_scalar_type(len(classes) - 1)))

    def _n_rows(self, path: Path, classes: ClassNames) -> int | None:
        """The required number of rows of a label table, by the manifest or the matrix; None if neither says."""
        files = self._manifest.files
        parts = [self._folder / name for name in next(iter(files.models.values()), ())]
        told = self._manifest.size is not None or path.suffix.lower() not in SEPARATED
        if told or not parts or not all(part.is_file() for part in parts):
            return self._manifest.size
        return sum(part.shape[0] for part in open_parts(parts, classes.names, files.classes_are) if part.shape)

    def _size(self, labels: Labels | None) -> int | None:
        size = self._manifest.size
        if labels is None:
            return size
        if size is not None and len(labels) != size:
            file = self._folder / (self._manifest.files.labels or "")
            raise DataError(file, f"expected the labels of {size} examples, found {len(labels)}")
        return len(labels)

    def _require_length(self, name: str | None, things: Sequence[object] | Labels | None, size: int | None) -> None:
        if things is not None and size is not None and len(things) != size:
            raise DataError(self._folder / (name or ""), f"expected {size} examples, found {len(things)}")

    def _entries(self, size: int | None) -> list[str] | None:
        name = self._manifest.files.index
        path = self._found(name, "index", NO_INDEX if name else None, needed=self._manifest.examples.records == "key")
        if path is None:
            return None
        entries = read_index(path)
        self._require_length(name, entries, size)
        return entries

    def _matrix(self, labels: Labels | None, classes: ClassNames) -> Matrix | None:
        names = with_twins(self._manifest.files.matrices)
        paths = [self._folder / name for name in names]
        there = [path for path in paths if path.is_file()]
        if not there and not (names and self._complete):
            self._missing.append(NO_MATRIX)
            return None
        if len(there) < len(paths):
            absent = next(path for path in paths if path not in there)
            part = f"part {paths.index(absent) + 1} of {len(paths)} of " * (len(self._manifest.files.pred_probs) > 1)
            raise MissingFileError(absent, f"expected {part}the predicted probabilities, found none")
        if labels is None:
            self._missing.append(NO_MATRIX)
            return None
        if self._manifest.labels == "multiple":
            self._missing.append(NO_JOINT_OF_SETS)
        for name in names:
            self._note(name, "pred_probs")
        told, are, shape = self._manifest, self._manifest.files.classes_are, (len(labels), len(classes))
        models = {model: [self._folder / name for name in parts] for model, parts in told.files.models.items()}
        return open_models(
            models, *shape, logits=told.logits, names=classes.names, tolerance=told.tolerance, classes_are=are
        )

    def _evidence(self, size: int | None, n_classes: int) -> WordWeights | None:
        words = self._manifest.words
        path = None if words is None else self._found(words.weights, "words", NO_WEIGHTS)
        return None if words is None or path is None else read_word_weights(path, size, n_classes, words)

    def _report(self, labels: Labels) -> PredictionReport | None:
        path = self._found(self._manifest.files.provenance, "provenance", None)
        report = None if path is None else read_matrix_report(path, self._sources.all(), labels.ids)
        self._missing.extend([OTHER_MATRIX] if path is not None and report is None else [])
        return report

    def _flagging(self, labels: Labels | None, matrix: Matrix | None) -> FlagResult | None:
        if matrix is None or labels is None or labels.ids is None:
            return None
        with self._progress.task(f"{self._manifest.name}: confident learning", len(labels), "rows") as advance:
            return flag(labels.ids, matrix, self._manifest.flag, advance, self._executor)

    def _set_flagging(
        self, labels: Labels | None, predicted: Labels | None, matrix: Matrix | None
    ) -> SetFlagResult | None:
        if matrix is None or labels is None or labels.sets is None:
            return None
        with self._progress.task(f"{self._manifest.name}: confident learning", len(labels), "rows") as advance:
            guesses = None if predicted is None else predicted.sets
            return flag_sets(labels.sets, matrix, self._manifest.flag, advance, guesses)

    def _reviews(self, classes: ClassNames, size: int | None, keys: list[str] | None) -> list[Review]:
        path = self._found(self._manifest.files.votes, "votes", NO_VOTES)
        return [] if path is None else read_reviews(path, self._manifest, classes, size, keys)

    def _guesses(
        self, predicted: Labels | None, flagging: FlagResult | SetFlagResult | None
    ) -> Labels | ModelGuesses | None:
        """The guessed label of every example, published or from the matrix; None without either."""
        if predicted is not None or flagging is None:
            return predicted
        return ModelGuesses(flagging) if isinstance(flagging, FlagResult) else Labels(flagging.guesses)

    def _require_agreement(self, reviews: list[Review], labels: Labels | None, entries: list[str] | None) -> None:
        """Check that each record states the same given label and address of its example as the other files."""
        files = self._manifest.files
        votes = self._folder / (files.votes or "")
        if labels is not None:
            require_given(votes, reviews, labels, files.labels)
        if self._manifest.examples.urls != "index" or entries is None:
            return
        for review in reviews:
            if review.url != entries[review.index]:
                finding = f"expected url {entries[review.index]!r} as in {files.index}, found {review.url!r}"
                raise DataError(votes, finding, record=review.record)

    def _require_argmax(self, predicted: Labels | None, flagging: FlagResult) -> None:
        """Check that the published predictions are those of the matrix."""
        if predicted is None or predicted.ids is None:
            return
        wrong = np.flatnonzero(predicted.ids != (guesses := ModelGuesses(flagging).ids))
        if len(wrong):
            file = self._folder / (self._manifest.files.predicted or "")
            finding = f"expected the most probable class, {guesses[wrong[0]]}, found class {predicted.ids[wrong[0]]}"
            raise DataError(file, finding, record=f"example {wrong[0]}")

    def _require_guesses(
        self, reviews: list[Review], labels: Labels | None, guesses: Labels | ModelGuesses, predicted: Labels | None
    ) -> None:
        """Check that the guesses in records are the model's, or an earlier model's if the manifest allows it."""
        files, how = self._manifest.files, self._manifest.votes.guesses
        file = next(iter(files.matrices), VOTES) if predicted is None else files.predicted
        doubt = require_guesses(self._folder / (files.votes or ""), reviews, labels, guesses, file, how)
        self._missing.extend([] if doubt is None else [doubt])
