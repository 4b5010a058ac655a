"""Cross-validated probabilities of a user's dataset: read it, deal out folds, learn, write the matrix and its story.

The matrix is written in place, fold by fold, so it may be larger than memory. Killed at any moment, a run goes on with
the folds that are finished, and nothing that was there before is replaced until the very end.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from app.domain.confident_learning.probability_quality import Tally
from ingest.datasets import averaged_models
from ingest.datasets.example_labels import Labels
from ingest.datasets.load import Inputs, load
from ingest.datasets.train_rows import manifest_of_train, read_train_rows
from ingest.errors import ArgumentError, DataError, IngestError, ManifestError
from ingest.flagging.cautions import cautions
from ingest.flagging.cores import available
from ingest.flagging.engine import FlagResult, flag
from ingest.manifest.model import Manifest
from ingest.manifest.parse import read_manifest
from ingest.matrices.matrix import open_matrix
from ingest.media import MediaSource, fingerprint
from ingest.predicting import provenance
from ingest.predicting.contents import read_features, read_media
from ingest.predicting.cross_validation import OutOfSample, cross_validated
from ingest.predicting.examples import Examples, Rows
from ingest.predicting.folds import FILE, Plan, dealt, write_folds
from ingest.predicting.groups import Side, duplicates_alone, group_warning, groups_of, in_looked_at_groups
from ingest.predicting.manifest_entry import enter_files, require_room
from ingest.predicting.matrix_writer import mean_rows, temperatures, write_matrix
from ingest.predicting.models import Model, chosen_models
from ingest.predicting.near_duplicates import (
    Pair,
    are_coincidences,
    differently_labelled,
    near_duplicates,
    twins,
)
from ingest.progress import Progress

MATRIX: Final = "pred_probs.npy"
#: The folder of unfinished work, beside the matrix.
WORK: Final = "pred_probs.unfinished"
_ENTRIES: Final = {"pred_probs": MATRIX, "provenance": provenance.FILE}


@dataclass(frozen=True)
class Options:
    """What a user may choose; ``groups`` is described in ``groups_of``."""

    models: tuple[str, ...] = ("auto",)
    n_folds: int = 10
    deals: int | None = None  # how often they are dealt; None for as often as suits the model
    seed: int = 0
    threads: int | None = None
    groups: str | None = None
    near_duplicates: bool = True
    features: Path | None = None
    train_features: Path | None = None  # the same of the examples of ``[train]``
    calibrate: bool = False
    replace: bool = False  # a matrix that something else made


@dataclass(frozen=True)
class Prediction:
    """What was written, and what is to be told of it."""

    matrix: Path
    result: provenance.Result
    flagging: FlagResult

    @property
    def n_flagged_as_twins(self) -> int:
        """How many examples are suspects only because a near-duplicate has another label."""
        twins = {index for pair in self.result.listed for index in (pair.first, pair.second)}
        return len(twins.difference(self.flagging.flagged.tolist()))


def predict(manifest_path: Path, folder: Path, media: Path, options: Options, progress: Progress) -> Prediction:
    """Write ``pred_probs.npy``, ``pred_probs.json`` and ``folds.parquet`` into ``folder`` and enter them in the
    manifest.

    Raises IngestError naming file and record, also if another process is at the same; nothing is replaced then.
    """
    manifest = read_manifest(manifest_path)
    if manifest.files.pred_probs_of:
        finding = "expected none where predict is to enter pred_probs, found probabilities of models: take them out"
        raise ManifestError(manifest_path, finding, record="files.pred_probs_of")
    require_room(manifest_path, _ENTRIES)
    with _alone(folder):
        if not options.replace:
            provenance.require_own(folder / MATRIX, folder / provenance.FILE, folder / WORK / provenance.FILE)
        return _Run(manifest, folder, media, options, progress).run()


class _Run:
    def __init__(self, manifest: Manifest, folder: Path, media: Path, options: Options, progress: Progress) -> None:
        self._manifest = manifest
        self._folder = folder
        self._media = media
        self._options = options
        self._progress = progress
        self._name = manifest.name
        self._read: dict[str, str] = {}
        self._remarks: list[str] = []
        self._source: MediaSource | None = None
        self._train_source: MediaSource | None = None
        self._warnings: list[str] = []
        self._n_folds = options.n_folds

    def run(self) -> Prediction:
        options = self._options
        inputs = load(_bare(self._manifest), self._folder, self._progress, complete=True)
        self._read |= {source.path: source.sha256 for source in inputs.sources}
        examples, alike = self._examples(inputs)
        models = chosen_models(options.models, examples.kind)
        self._remarks += [model.remark for model in models if model.remark]
        for path in [path for model in models for path in model.begins_with()]:
            self._note(path)
        self._note_files()
        pairs = self._pairs(alike)
        groups = groups_of(options.groups, examples, self._manifest, self._folder, pairs, self._source)
        train = self._without_groups(self._train(inputs, examples), examples)
        train = self._without_twins(train, examples)
        self._n_folds = min(options.n_folds, len(np.unique(groups.of)))
        if self._n_folds < min(options.n_folds, len(examples)):
            self._remarks.append(
                f"There are {self._n_folds:,} groups, and so as many folds: a model learns from the others alone."
            )
        plans = self._plans(examples, groups.of, len(inputs.classes), train, max(map(self._deals, models)))
        plan, work = plans[0], self._folder / WORK
        write_folds(work / FILE, [one.folds for one in plans], groups.of)
        tried = [self._cross_validated(model, plans, model.name) for model in models]
        chosen = [max(tried, key=lambda one: one.quality.accuracy)] if "auto" in options.models else tried
        ungrouped = None
        if groups.said is not None:
            ungrouped = self._ungrouped(plan, pairs, chosen)
        scaled_by = temperatures(chosen, plan) if options.calibrate else None
        part = work / MATRIX
        quality, by_fold = write_matrix(part, chosen, plan, scaled_by)
        flagging = self._flagging(part, examples, len(inputs.classes))
        warnings = self._warnings + group_warning(groups, quality.accuracy, ungrouped)
        warnings += cautions(
            flagging, inputs.classes.names, unseen=True, ours=not any(one.model.is_own for one in chosen)
        )
        result = provenance.Result(
            inputs=self._read,
            seed=options.seed,
            threads=plan.threads,
            versions=provenance.versions(),
            n_train=0 if plan.train is None else len(plan.train),
            tried=tried,
            chosen=chosen,
            quality=quality,
            by_fold=by_fold,
            temperatures=scaled_by,
            groups=groups,
            ungrouped_accuracy=ungrouped,
            pairs=pairs,
            different=differently_labelled(pairs, examples.labels, alike),
            few=_few(examples, inputs.classes.names, plan.n_folds),
            warnings=warnings,
            remarks=self._remarks,
        )
        provenance.write_provenance(work / provenance.FILE, result, part, (len(examples), plan.n_classes))
        self._finish(work)
        return Prediction(self._folder / MATRIX, result, flagging)

    def _note(self, path: Path, name: str | None = None) -> None:
        """Remember what was read: by its name, or by its whole path where another file has this name."""
        digest, told = fingerprint(path)[0], name or path.name
        self._read[told if self._read.get(told, digest) == digest else path.as_posix()] = digest

    def _note_medium(self, path: Path) -> None:
        name = path.relative_to(self._media).as_posix()
        self._note(path, path.resolve().name if name == "." else name)

    def _note_files(self) -> None:
        """Of the files that are not looked at with the labels: groups, and what tells of examples to learn from."""
        train, asked = self._manifest.train, self._options.groups
        groups = asked if asked is not None and asked.endswith(".json") else self._manifest.files.groups
        of_train = () if train is None else (train.labels, train.index, train.groups)
        for name in filter(None, (groups, *of_train)):
            path = self._folder / name if (self._folder / name).is_file() else Path(name)
            self._note(path, name)

    def _examples(self, inputs: Inputs) -> tuple[Examples, Examples]:
        """What models take, and what near-duplicates are sought in: the same, unless features were given."""
        features = None
        if self._options.features is not None:
            features = read_features(self._options.features, inputs)
            self._note(self._options.features)
        if features is not None and self._manifest.media is None:
            return features, features
        try:
            examples, self._source = read_media(inputs, self._media, self._progress)
        except DataError:
            if features is None:
                raise
            self._remarks.append("The examples' own files were not read; near-duplicates are those of equal features.")
            return features, features
        for path in self._source.sources:
            self._note_medium(path)
        if self._manifest.modality == "audio" and features is None:
            self._remarks.append(
                "A model of spectra is weak: expect it to miss most errors. Features of a trained network (--features) "
                "find far more."
            )
        return (examples if features is None else features), examples

    def _pairs(self, alike: Examples) -> list[Pair]:
        pairs = near_duplicates(alike) if self._options.near_duplicates else _equal(alike)
        n = len(differently_labelled(pairs, alike.labels, alike))
        if not are_coincidences(n, len(pairs)):
            return pairs
        self._remarks.append(
            f"Of {len(pairs):,} pairs of examples that are the same, or nearly, {n:,} have different labels, which is "
            "more than wrong labels explain. So they are not taken for duplicates: none is kept together or listed."
        )
        return []

    def _train(self, inputs: Inputs, examples: Examples) -> Examples | None:
        """The examples of ``[train]``, as models take them."""
        given = self._options.train_features
        rows = read_train_rows(self._manifest, self._folder, inputs.classes)
        if given is not None and (rows is None or self._options.features is None):
            lacking = "--features as well" if rows is not None else "[train] in the manifest"
            raise ArgumentError("--train-features", f"expected {lacking}, found none")
        if rows is None:
            return None
        own = replace(inputs, labels=Labels(rows.labels), keys=rows.keys, size=len(rows))
        if given is not None:
            return self._train_features(given, own, examples)
        if self._options.features is not None:
            self._remarks.append("The training set was not used: its features were not given (--train-features).")
            return None
        own = replace(own, manifest=manifest_of_train(self._manifest))
        found, source = read_media(own, self._media, self._progress)
        self._train_source = source
        for path in source.sources:
            self._note_medium(path)
        if examples.kind == "images" and found.inputs.shape[1:] != examples.inputs.shape[1:]:
            raise DataError(source.sources[0], "expected pictures of the size and colours of the others, found others")
        return found

    def _without_groups(self, train: Examples | None, examples: Examples) -> Examples | None:
        """The examples to learn from but those of a group that is looked at too."""
        if train is None:
            return None
        looked_at = Side(examples, self._manifest, self._source)
        learnt = Side(train, manifest_of_train(self._manifest), self._train_source)
        same = in_looked_at_groups(self._options.groups, looked_at, learnt, self._folder)
        if same is None:
            self._warnings.append(
                f"The groups of the {len(train):,} examples to learn from are not known, so some may be of a group "
                "that is looked at and tell its label. groups in [train] of the manifest says which are."
            )
            return train
        return self._without(train, same, "of a group that is looked at too")

    def _without_twins(self, train: Examples | None, examples: Examples) -> Examples | None:
        """The examples to learn from but those that are looked at too."""
        if train is None:
            return None
        nearly = " or nearly the same" if self._options.near_duplicates else ""
        same = twins(train, examples, near=self._options.near_duplicates)
        return self._without(train, same, f"the same{nearly} as one that is looked at")

    def _without(self, train: Examples, same: NDArray[np.bool_], why: str) -> Examples | None:
        """The examples to learn from but some, which would tell a label."""
        if not same.any():
            return train
        self._remarks.append(
            f"Of the {len(train):,} examples to learn from {same.sum():,} are {why}. They were not learnt from, "
            "because they would tell its label."
        )
        return None if same.all() else train.only(~same)

    def _train_features(self, path: Path, inputs: Inputs, examples: Examples) -> Examples:
        found = read_features(path, inputs)
        self._note(path)
        if (width := found.inputs.shape[1]) != (expected := examples.inputs.shape[1]):
            raise DataError(path, f"expected {expected:,} columns, as --features has, found {width:,}")
        return found

    def _deals(self, model: Model) -> int:
        return self._options.deals or model.deals

    def _plans(
        self, examples: Examples, groups: Rows, n_classes: int, train: Examples | None, deals: int
    ) -> list[Plan]:
        """A plan for each deal of the folds."""
        options, threads = self._options, self._options.threads or available()
        (self._folder / WORK).mkdir(exist_ok=True)
        # Seeds of further deals are none that a user can state.
        seeds = [options.seed + (deal << 32) for deal in range(deals)]
        of_deals = [dealt(examples.labels, groups, examples.order, self._n_folds, seed) for seed in seeds]
        return [
            Plan(examples, n_classes, folds, (options.seed + deal) % (1 << 32), threads, train, deal)
            for deal, folds in enumerate(of_deals)
        ]

    def _cross_validated(self, model: Model, plans: Sequence[Plan], what: str) -> OutOfSample:
        work = self._folder / WORK
        return cross_validated(model, plans[: self._deals(model)], work, self._progress, f"{self._name}: {what}")

    def _ungrouped(self, plan: Plan, pairs: Sequence[Pair], chosen: Sequence[OutOfSample]) -> float:
        """The accuracy of the same models, of as many folds, where groups are torn apart."""
        apart = duplicates_alone(len(plan.examples), pairs).of
        plans = self._plans(plan.examples, apart, plan.n_classes, plan.train, max(len(one.deals) for one in chosen))
        again = [
            self._cross_validated(one.model, plans, f"{one.model.name} without groups, to compare") for one in chosen
        ]
        tally = Tally()
        for fold in range(plans[0].n_folds):
            tally.add(mean_rows(again, fold), plan.examples.labels[plans[0].held_out(fold)])
        return tally.quality.accuracy

    def _flagging(self, matrix: Path, examples: Examples, m: int) -> FlagResult:
        return flag(examples.labels, open_matrix([matrix], len(examples), m), self._manifest.flag, lambda _: None)

    def _finish(self, work: Path) -> None:
        """Move what was written into place, what tells of the matrix last, and enter both in the manifest.

        Ended in between, what tells of the new matrix is still in the folder of unfinished work, and makes it ours.
        """
        for name in (FILE, averaged_models.FILE, MATRIX, provenance.FILE):
            if (work / name).exists():
                (work / name).replace(self._folder / name)
            else:  # of one model, whose guesses the matrix tells
                (self._folder / name).unlink(missing_ok=True)
        enter_files(self._manifest.path, _ENTRIES)
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    if not folder.is_dir():
        raise DataError(folder, "expected a folder with the dataset's files, found none")
    lock = FileLock(folder / f".{WORK}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise IngestError(f"{folder}: another predict is at work there; wait for it or stop it") from error
    try:
        yield
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _bare(manifest: Manifest) -> Manifest:
    """The manifest without what a model would make, or must not see."""
    files = manifest.files.model_copy(update={"pred_probs": (), "predicted": None, "votes": None, "provenance": None})
    return manifest.model_copy(update={"files": files, "words": None})


def _equal(examples: Examples) -> list[Pair]:
    """Examples that are the same are never torn apart, whatever is asked for."""
    plain = Examples("features", None, examples.labels, examples.contents, examples.keys)
    return near_duplicates(plain)


def _few(examples: Examples, names: Sequence[str], n_folds: int) -> dict[str, int]:
    counts = np.bincount(examples.labels, minlength=len(names))
    return {names[label]: int(n) for label, n in enumerate(counts.tolist()) if n < n_folds}
