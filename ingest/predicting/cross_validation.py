"""Fit a model on all folds but one, and let it predict that one; each fold is a file, so a killed run goes on.

A fold's file is complete or absent. Files of another run, of other contents, labels, folds, models, versions or
threads, are not taken up.
"""

import copy
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from app.domain.confident_learning.probability_quality import Quality, Tally
from ingest.errors import shown, writing
from ingest.predicting.examples import Rows, joined, take
from ingest.predicting.folds import Plan
from ingest.predicting.models import Model, failures_told
from ingest.progress import Progress

#: How far the sum of a row may be from 1.
_TOLERANCE: Final = 1e-3
#: What a user's own model raised, in the folder of unfinished work.
LOG: Final = "model-error.txt"
#: What is learnt from in every fold, and its labels, if there is any.
Train = tuple[Any, NDArray[np.int64]] | None


class Deal(NamedTuple):
    """One deal of the folds, and the file of each."""

    plan: Plan
    files: tuple[Path, ...]

    def rows(self, indices: Rows) -> NDArray[np.float32]:
        """(k, m) the probabilities of examples, whatever folds they are in."""
        found = np.empty((len(indices), self.plan.n_classes), np.float32)
        folds = self.plan.folds[indices]
        for fold in np.unique(folds).tolist():
            of_fold, members = folds == fold, self.plan.held_out(fold)
            by_index = np.argsort(members)
            places = by_index[np.searchsorted(members[by_index], indices[of_fold])]
            found[of_fold] = np.load(self.files[fold], mmap_mode="r", allow_pickle=False)[places]
        return found


@dataclass(frozen=True)
class OutOfSample:
    """The probabilities of one model, by one deal of the folds or several, and how good they are by the given labels.

    By several deals each example is judged as often, by models that did not learn from it, and the mean is taken: a
    model that happened to learn from little like it, or from other wrong labels, has less of a say.
    """

    model: Model
    deals: tuple[Deal, ...]
    quality: Quality

    def rows(self, fold: int) -> NDArray[np.float32]:
        """(k, m) the probabilities of a fold of the first deal, in canonical order; read from files as needed."""
        return _mean_rows(self.deals, fold)


def _mean_rows(deals: Sequence[Deal], fold: int) -> NDArray[np.float32]:
    first: NDArray[np.float32] = np.load(deals[0].files[fold], mmap_mode="r", allow_pickle=False)
    if len(deals) == 1:
        return first
    total, indices = first.astype(np.float64), deals[0].plan.held_out(fold)
    for deal in deals[1:]:
        total += deal.rows(indices)
    return (total / len(deals)).astype(np.float32)


def cross_validated(model: Model, plans: Sequence[Plan], work: Path, progress: Progress, what: str) -> OutOfSample:
    """The out-of-sample probabilities of a model, the mean of those by each plan, which differ in their folds alone.

    There is a file a fold in ``work``; finished folds are taken as they are. Raises DataError if the model gives
    something else than probabilities.
    """
    deals, begun = [], _Begun(model, plans[0], work / LOG, progress)
    for place, plan in enumerate(plans):
        told = what if len(plans) == 1 else f"{what}, deal {place + 1} of {len(plans)}"
        folder = work / plan.fingerprint(model)
        folder.mkdir(parents=True, exist_ok=True)
        files = tuple(folder / f"fold-{fold:03}.npy" for fold in range(plan.n_folds))
        open_folds = [fold for fold in range(plan.n_folds) if not _is_whole(files[fold], plan, fold)]
        if len(open_folds) < plan.n_folds:
            progress.say(f"{told}: {plan.n_folds - len(open_folds)} of {plan.n_folds} folds are there already")
        if open_folds:
            with threadpool_limits(1 if model.side_by_side else plan.threads):
                _fit_all(begun, plan, files, open_folds, told)
        deals.append(Deal(plan, files))
    first, tally = plans[0], Tally()
    for fold in range(first.n_folds):
        tally.add(_mean_rows(deals, fold), first.examples.labels[first.held_out(fold)])
    return OutOfSample(model, tuple(deals), tally.quality)


class _Begun:
    """What a model makes of all examples, and learns from those that are not looked at: the same for every deal."""

    def __init__(self, model: Model, plan: Plan, log: Path, progress: Progress) -> None:
        self.model = model
        self.progress = progress
        self.log = log
        self._plan = plan

    @cached_property
    def prepared(self) -> tuple[Any, Train]:
        """The inputs, and what is learnt from in every fold."""
        with failures_told(self.model, "prepare", log=self.log):
            return _prepared(self.model, self._plan, self.progress)

    @cached_property
    def pretrained(self) -> Any:
        """The estimator that each fold begins with, if there is one."""
        with failures_told(self.model, "pretrain", log=self.log):
            return _pretrained(self.model, self._plan, self.prepared[1], self.progress)


def _fit_all(begun: _Begun, plan: Plan, files: Sequence[Path], open_folds: Sequence[int], what: str) -> None:
    begun.log.unlink(missing_ok=True)
    model, progress, (inputs, train), pretrained = begun.model, begun.progress, begun.prepared, begun.pretrained
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
    estimator = model.estimator(plan.seed, 1 if model.side_by_side else plan.threads, plan.deal)
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


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
