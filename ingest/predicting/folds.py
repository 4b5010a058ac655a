"""Deal examples out into folds: each class evenly, each group into one fold; the same whatever their order.

Groups are dealt out first, largest first, each into the fold that lacks its classes most; single examples then even
out what is left. Everything goes by the canonical order and a seed.
"""

import heapq
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ArgumentError
from ingest.predicting.examples import Rows, digest

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


def write_folds(path: Path, folds: Rows, groups: Rows) -> None:
    """Write index, fold and group of each example, replacing the file in one step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    part = path.with_name(f".{path.name}.part")
    table = pa.table({"index": np.arange(len(folds)), "fold": folds.astype(np.int32), "group": groups})
    pq.write_table(table, part, compression="zstd", store_schema=False)
    part.replace(path)
