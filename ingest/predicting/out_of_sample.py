"""Cross-validated probabilities of a user's dataset: read it, deal out folds, learn, write the matrix and its story.

The matrix is written in place, fold by fold, so it may be larger than memory. Killed at any moment, a run goes on with
the folds that are finished, and nothing that was there before is replaced until the very end.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock, Timeout

from app.domain.confident_learning.probability_quality import Tally
from ingest.datasets.load import load
from ingest.datasets.suspects import averaged_models
from ingest.errors import DataError, IngestError, ManifestError
from ingest.flagging.cautions import cautions
from ingest.flagging.cores import available
from ingest.flagging.engine import FlagResult, flag
from ingest.manifest.model import Manifest
from ingest.manifest.parse import read_manifest
from ingest.matrices.matrix import open_matrix
from ingest.predicting import provenance
from ingest.predicting.cross_validation import OutOfSample, cross_validated
from ingest.predicting.examples import Examples, Rows
from ingest.predicting.folds import FILE, Plan, dealt, write_folds
from ingest.predicting.groups import duplicates_alone, group_warning, groups_of
from ingest.predicting.manifest_entry import enter_files, require_room
from ingest.predicting.material import Material, Options
from ingest.predicting.matrix_writer import mean_rows, temperatures, write_matrix
from ingest.predicting.models import Model, chosen_models
from ingest.predicting.near_duplicates import (
    Pair,
    are_coincidences,
    differently_labelled,
    near_duplicates,
)
from ingest.progress import Progress

MATRIX: Final = "pred_probs.npy"
#: The folder of unfinished work, beside the matrix.
WORK: Final = "pred_probs.unfinished"
_ENTRIES: Final = {"pred_probs": MATRIX, "provenance": provenance.FILE}


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
        self._material = Material(manifest, folder, media, options, progress)
        self._n_folds = options.n_folds

    def run(self) -> Prediction:
        options = self._options
        inputs = load(_bare(self._manifest), self._folder, self._progress, complete=True)
        material = self._material
        material.read |= {source.path: source.sha256 for source in inputs.sources}
        examples, alike = material.looked_at(inputs)
        models = chosen_models(options.models, examples.kind)
        material.remarks += [model.remark for model in models if model.remark]
        for path in [path for model in models for path in model.begins_with()]:
            material.note(path)
        material.note_files()
        pairs = self._pairs(alike)
        groups = groups_of(options.groups, examples, self._manifest, self._folder, pairs, material.source)
        train = material.train(inputs, examples)
        self._n_folds = min(options.n_folds, len(np.unique(groups.of)))
        if self._n_folds < min(options.n_folds, len(examples)):
            self._material.remarks.append(
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
        warnings = material.warnings + group_warning(groups, quality.accuracy, ungrouped)
        warnings += cautions(
            flagging, inputs.classes.names, unseen=True, ours=not any(one.model.is_own for one in chosen)
        )
        result = provenance.Result(
            inputs=material.read,
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
            remarks=material.remarks,
        )
        provenance.write_provenance(work / provenance.FILE, result, part, (len(examples), plan.n_classes))
        self._finish(work)
        return Prediction(self._folder / MATRIX, result, flagging)

    def _pairs(self, alike: Examples) -> list[Pair]:
        pairs = near_duplicates(alike) if self._options.near_duplicates else _equal(alike)
        n = len(differently_labelled(pairs, alike.labels, alike))
        if not are_coincidences(n, len(pairs)):
            return pairs
        self._material.remarks.append(
            f"Of {len(pairs):,} pairs of examples that are the same, or nearly, {n:,} have different labels, which is "
            "more than wrong labels explain. So they are not taken for duplicates: none is kept together or listed."
        )
        return []

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
