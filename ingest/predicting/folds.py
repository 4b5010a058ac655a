"""Plans of what is learnt, and the folds that examples are dealt out into; the same whatever their order.

Each class is dealt out evenly, each group into one fold. Groups are dealt out first, largest first, each into the fold
that lacks its classes most; single examples then even out what is left. Everything goes by the canonical order and a
seed.
"""

import hashlib
import heapq
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app import __version__
from ingest.errors import ArgumentError
from ingest.predicting.examples import Examples, Rows, digest
from ingest.predicting.models import Model

FILE: Final = "folds.parquet"


def dealt(labels: NDArray[np.int64], groups: Rows, order: Rows, n_folds: int, seed: int) -> Rows:
    """(n,) the fold of each example, from 0.

    Raises ArgumentError if there are fewer groups than folds, or fewer than two folds.

    >>> labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> folds = dealt(labels, np.array([0, 1, 2, 2, 4, 5, 6, 7]), np.arange(8), 2, seed=0)
    >>> bool(folds[2] == folds[3]), [sorted(labels[folds == fold].tolist()) for fold in (0, 1)]
    (True, [[0, 0, 1, 1], [0, 0, 1, 1]])
    """
    n_groups = len(np.unique(groups))
    if not 2 <= n_folds <= n_groups:
        found = f"found {n_folds}" if n_groups >= 2 else "found all in one group"
        raise ArgumentError("--folds", f"expected 2 to {n_groups:,} folds, for so many groups of examples; {found}")
    drawn = [digest(seed, place) for place in range(len(order))]
    shuffled = [int(order[place]) for place in sorted(range(len(order)), key=drawn.__getitem__)]
    together: dict[int, list[int]] = {}
    for index in shuffled:
        together.setdefault(int(groups[index]), []).append(index)
    counts = np.zeros((n_folds, int(labels.max()) + 1), np.int64)
    folds = np.empty(len(labels), np.int64)
    several = sorted((one for one in together.values() if len(one) > 1), key=len, reverse=True)
    for members in several:
        classes, numbers = np.unique(labels[members], return_counts=True)
        lacking = counts[:, classes] @ numbers
        totals = counts.sum(axis=1)
        fold = min(range(n_folds), key=lambda one: (int(lacking[one]), int(totals[one]), one))
        folds[members] = fold
        counts[fold, classes] += numbers
    singles = [one[0] for one in together.values() if len(one) == 1]
    _even_out(folds, counts, labels, singles)
    return folds


def _even_out(folds: Rows, counts: NDArray[np.int64], labels: NDArray[np.int64], singles: Sequence[int]) -> None:
    """Put each example into the fold with the fewest of its class, of these the one with the fewest in all."""
    totals = counts.sum(axis=1)
    by_class: dict[int, list[int]] = {}
    for index in singles:
        by_class.setdefault(int(labels[index]), []).append(index)
    for label in sorted(by_class):
        heap = [(int(counts[fold, label]), int(totals[fold]), fold) for fold in range(len(counts))]
        heapq.heapify(heap)
        for index in by_class[label]:
            n, total, fold = heap[0]
            folds[index] = fold
            totals[fold] += 1
            heapq.heapreplace(heap, (n + 1, total + 1, fold))


@dataclass(frozen=True)
class Plan:
    """What is learnt, from what, and how: the same plan gives the same bytes."""

    examples: Examples
    n_classes: int
    folds: Rows  # (n,) the fold of each example
    seed: int
    threads: int
    train: Examples | None = None  # further examples to learn from in every fold
    deal: int = 0  # which of the deals of the folds it is
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
            "deal": self.deal,
            "threads": self.threads,
            "classes": self.n_classes,
            "folds": _digest(self.folds[self.order], self.examples, self.order),
            "train": None if self.train is None else _digest(np.zeros(0), self.train, self.train.order),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def write_folds(path: Path, deals: Sequence[Rows], groups: Rows) -> None:
    """Write index, fold and group of each example, and fold_2 and so on of further deals, in one step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = path.with_name(f".{path.name}.part")
    table = {"index": np.arange(len(groups)), "fold": deals[0].astype(np.int32), "group": groups}
    further = {f"fold_{number}": folds.astype(np.int32) for number, folds in enumerate(deals[1:], 2)}
    pq.write_table(pa.table(table | further), part, compression="zstd", store_schema=False)
    part.replace(path)


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
