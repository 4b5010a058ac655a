"""Fit a model on all folds but one, and let it predict that one; each fold is a file, so a killed run goes on.

A fold's file is complete or absent. Files of another run, of other contents, labels, folds, models, versions or
threads, are not taken up.
"""

import copy
import hashlib
import importlib.metadata
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app import __version__
from app.domain.confident_learning.probability_quality import Quality, quality
from ingest.errors import shown, writing
from ingest.predicting.examples import Examples, Rows, joined, take
from ingest.predicting.models import Model, failures_told
from ingest.progress import Progress

#: How far the sum of a row may be from 1.
_TOLERANCE: Final = 1e-3
#: What a user's own model raised, in the folder of unfinished work.
LOG: Final = "model-error.txt"
#: What is learnt from in every fold, and its labels, if there is any.
Train = tuple[Any, NDArray[np.int64]] | None


@dataclass(frozen=True)
class Plan:
    """What is learnt, from what, and how: the same plan gives the same bytes."""

    examples: Examples
    n_classes: int
    folds: Rows  # (n,) the fold of each example
    seed: int
    threads: int
    train: Examples | None = None  # further examples to learn from in every fold
    #: In canonical order; rows of one fold are a part of it.
    order: Rows = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", self.examples.order)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    def held_out(self, fold: int) -> Rows:
        """The indices of a fold, in canonical order."""
        rows: Rows = self.order[self.folds[self.order] == fold]
        return rows

    def learnt_from(self, fold: int) -> Rows:
        """The indices of all other folds, in canonical order."""
        rows: Rows = self.order[self.folds[self.order] != fold]
        return rows

    def fingerprint(self, model: Model) -> str:
        """A name for the results of a model under this plan, whatever the order of the examples."""
        told = {
            "versions": [__version__, *(_version(name) for name in ("numpy", "scipy", "scikit-learn", "torch"))],
            "model": [model.name, *(_sha256(path) for path in model.begins_with())],
            "seed": self.seed,
            "threads": self.threads,
            "classes": self.n_classes,
            "folds": _digest(self.folds[self.order], self.examples, self.order),
            "train": None if self.train is None else _digest(np.zeros(0), self.train, self.train.order),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class OutOfSample:
    """The probabilities of one model: a file for each fold, and how good they are by the given labels."""

    model: Model
    files: tuple[Path, ...]
    by_fold: tuple[Quality, ...]

    @property
    def accuracy(self) -> float:
        """The accuracy over all examples."""
        return overall(self.by_fold).accuracy

    def rows(self, fold: int) -> NDArray[np.float32]:
        """(k, m) the probabilities of a fold, in canonical order; read from the file as needed."""
        found: NDArray[np.float32] = np.load(self.files[fold], mmap_mode="r", allow_pickle=False)
        return found


def overall(parts: Sequence[Quality]) -> Quality:
    """The quality over several folds, each weighted by its examples; of ECE the mean.

    >>> overall([Quality(1, 1.0, 0.0, 0.2), Quality(3, 0.0, 1.0, 0.2)])
    Quality(n=4, accuracy=0.25, log_loss=0.75, ece=0.2)
    """
    n = sum(part.n for part in parts)

    def mean(values: Iterator[float]) -> float:
        return sum(part.n * value for part, value in zip(parts, values, strict=True)) / n

    return Quality(
        n,
        round(mean(part.accuracy for part in parts), 6),
        round(mean(part.log_loss for part in parts), 4),
        round(mean(part.ece for part in parts), 4),
    )


def cross_validated(model: Model, plan: Plan, work: Path, progress: Progress, what: str) -> OutOfSample:
    """The out-of-sample probabilities of a model, a file a fold in ``work``; finished folds are taken as they are.

    Raises DataError if the model gives something else than probabilities.
    """
    folder = work / plan.fingerprint(model)
    folder.mkdir(parents=True, exist_ok=True)
    files = tuple(folder / f"fold-{fold:03}.npy" for fold in range(plan.n_folds))
    open_folds = [fold for fold in range(plan.n_folds) if not _is_whole(files[fold], plan, fold)]
    if len(open_folds) < plan.n_folds:
        progress.say(f"{what}: {plan.n_folds - len(open_folds)} of {plan.n_folds} folds are there already")
    if open_folds:
        with threadpool_limits(1 if model.side_by_side else plan.threads):
            _fit_all(model, plan, files, open_folds, progress, what)
    measured = (
        quality(np.load(files[f], mmap_mode="r"), plan.examples.labels[plan.held_out(f)]) for f in range(plan.n_folds)
    )
    return OutOfSample(model, files, tuple(measured))


def _fit_all(
    model: Model, plan: Plan, files: Sequence[Path], open_folds: Sequence[int], progress: Progress, what: str
) -> None:
    log = files[0].parent.parent / LOG
    log.unlink(missing_ok=True)
    with failures_told(model, "prepare", log=log):
        inputs, train = _prepared(model, plan, progress)
    with failures_told(model, "pretrain", log=log):
        pretrained = _pretrained(model, plan, train, progress)
    at_once = min(plan.threads, len(open_folds)) if model.side_by_side else 1
    began = time.monotonic()
    # Threads of scikit-learn set the filters of warnings, which are those of all threads, and would restore others'.
    quiet = warnings.catch_warnings(record=True) if at_once > 1 else nullcontext()
    with quiet, progress.task(what, len(open_folds), "folds") as advance, ThreadPoolExecutor(at_once) as pool:
        waiting = {
            pool.submit(_fit, model, plan, inputs, train, pretrained, fold, files[fold], progress): fold
            for fold in open_folds
        }
        try:
            for done, fold in enumerate(_as_finished(waiting), 1):
                advance(1)
                left = (time.monotonic() - began) / done * (len(open_folds) - done)
                if left >= 1:
                    progress.say(f"{what}: fold {fold + 1} of {plan.n_folds} is done; about {_told(left)} left")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _as_finished(waiting: dict[Future[None], int]) -> Iterator[int]:
    left = set(waiting)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        for one in sorted(done, key=waiting.__getitem__):  # of two that failed, the first is told
            one.result()
            yield waiting[one]


def _prepared(model: Model, plan: Plan, progress: Progress) -> tuple[Any, Train]:
    """What the model takes of all examples, and of those to learn from, in canonical order, with their labels."""
    estimator, train = _made(model, plan, progress), plan.train
    extra = None if train is None else (take(train.inputs, train.order), train.labels[train.order])
    if not hasattr(estimator, "prepare"):
        return plan.examples.inputs, extra
    if extra is None or train is None:
        return estimator.prepare(plan.examples.inputs), None
    n = len(plan.examples)
    both = estimator.prepare(joined(plan.examples.inputs, extra[0]))
    return take(both, np.arange(n)), (take(both, np.arange(n, n + len(train))), extra[1])


def _made(model: Model, plan: Plan, progress: Progress) -> Any:
    """A new estimator; one that takes minutes and can tell how far it is does so."""
    estimator = model.make(plan.seed, 1 if model.side_by_side else plan.threads)
    if not model.side_by_side and getattr(estimator, "progress", progress) is None:
        estimator.progress = progress
    return estimator


def _pretrained(model: Model, plan: Plan, train: Train, progress: Progress) -> Any:
    """An estimator that has learnt from what is not looked at, which each fold begins with; None if it cannot."""
    if train is None:
        return None
    estimator = _made(model, plan, progress)
    if not hasattr(estimator, "pretrain"):
        return None
    estimator.pretrain(*train)
    return estimator


def _fit(
    model: Model, plan: Plan, inputs: Any, train: Train, pretrained: Any, fold: int, file: Path, progress: Progress
) -> None:
    """Fit a new estimator on all other folds, predict this one and write its file."""
    known, held_out = plan.learnt_from(fold), plan.held_out(fold)
    learnt, labels = take(inputs, known), plan.examples.labels[known]
    if pretrained is not None:
        estimator = copy.deepcopy(pretrained)
    else:
        estimator = _made(model, plan, progress)
        if train is not None:
            learnt, labels = joined(learnt, train[0]), np.concatenate([labels, train[1]])
    found = np.zeros((len(held_out), plan.n_classes), np.float32)
    classes = np.unique(labels)
    if len(classes) == 1:
        found[:, classes[0]] = 1  # nothing to tell apart
    else:
        record, log = f"fold {fold + 1} of {plan.n_folds}", file.parent.parent / LOG
        with failures_told(model, "fit", record=record, log=log):
            estimator.fit(learnt, labels)
        with failures_told(model, "predict_proba", record=record, log=log):
            probabilities = np.asarray(estimator.predict_proba(take(inputs, held_out)))
        columns = _columns(model, estimator, plan.n_classes, record)
        _require_probabilities(model, probabilities, len(held_out), columns, record)
        found[:, columns] = probabilities
    part = file.with_name(f".{file.name}.part")
    with writing(file), part.open("wb") as stream:
        np.save(stream, found, allow_pickle=False)
    part.replace(file)


def _columns(model: Model, estimator: Any, n_classes: int, record: str) -> NDArray[np.int64]:
    """The class ids of an estimator's columns. Raises DataError if it does not say: their order would be a guess."""
    said = getattr(estimator, "classes_", None)
    columns = np.asarray([] if said is None else said)
    whole = columns.ndim == 1 and len(columns) > 0 and columns.dtype.kind in "iuf" and (columns % 1 == 0).all()
    if not whole or not 0 <= columns.min() <= columns.max() < n_classes or len(np.unique(columns)) < len(columns):
        expected = f"expected classes_ after fit, the class ids of its columns, from 0 to {n_classes - 1}, each once"
        raise model.error(f"{expected}, found {shown(said)}", record=record)
    return columns.astype(np.int64)


def _require_probabilities(model: Model, found: NDArray[Any], n: int, columns: NDArray[np.int64], record: str) -> None:
    if found.shape != (n, len(columns)) or found.dtype.kind not in "iuf":
        expected = f"expected {n} x {len(columns)} probabilities, a column a class that it has learnt"
        finding = f"{' x '.join(map(str, found.shape)) or 'one value'} of {found.dtype}"
        raise model.error(f"{expected}, found {finding}", record=record)
    sums = found.sum(axis=1)
    unfit = ~np.isfinite(found).all(axis=1) | (found < 0).any(axis=1) | ~(abs(sums - 1) <= _TOLERANCE)
    if unfit.any():
        row = found[int(unfit.argmax())]
        expected = "expected probabilities of 0 or more that sum to 1 in each row"
        such = f"found {int(unfit.sum()):,} of {n:,} rows with others, such as {shown(row.tolist())}"
        raise model.error(f"{expected}, {such}", record=record)


def _is_whole(file: Path, plan: Plan, fold: int) -> bool:
    try:
        shape = np.load(file, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError, EOFError):
        return False
    return bool(shape == (len(plan.held_out(fold)), plan.n_classes))


def _digest(folds: NDArray[Any], examples: Examples, order: Rows) -> str:
    found = hashlib.sha256(folds.tobytes())
    found.update(examples.labels[order].tobytes())
    for index in order.tolist():
        found.update(examples.contents[index])
    return found.hexdigest()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
