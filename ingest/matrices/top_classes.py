"""The most probable classes of each example as a part of a matrix, where a model's other probabilities were not stored.

Two files beside each other hold them, as github.com/cgnorthcutt/benchmarking-keras-pytorch publishes its models:
``NAME_top5preds.npy`` has (n, 5) class ids and ``NAME_top5probs.npy``, which is the one to name, their probabilities.
Any other number of classes will do as well. A class that is not among them counts as 0: what is left to it is not
known, and scaling the rest up to 1 would make the model surer than it was. So rows sum to 1 or less.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError, MissingFileError
from ingest.matrices.npy import NpyPart, open_npy
from ingest.matrices.probabilities import SUM_TOLERANCE

_STORE: Final = re.compile(r"(_top\d+)(probs|preds)(\.npy)$")


@dataclass(frozen=True)
class TopClassesPart:
    """(n, m) probabilities, of which the k largest of each row are stored, in any order."""

    probabilities: NpyPart  # (n, k)
    classes: NpyPart  # (n, k)
    m: int

    @property
    def path(self) -> Path:
        return self.probabilities.path

    @property
    def shape(self) -> tuple[int, ...]:
        return self.probabilities.shape[0], self.m

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.probabilities.dtype

    @property
    def cuts(self) -> tuple[int, ...]:
        """Rows at which reading should begin: none, because any row is as good."""
        return ()

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Whole rows from ``start`` to ``stop``, at most ``height`` at a time.

        Raises DataError for a row of something else than different classes and their probabilities.
        """
        for first in range(start, stop, height):
            last = min(first + height, stop)
            ((_, values),) = self.probabilities.blocks(first, last, last - first)
            ((_, ids),) = self.classes.blocks(first, last, last - first)
            self._require_classes(first, ids)
            self._require_probabilities(first, values)
            block = np.zeros((last - first, self.m), self.dtype.newbyteorder("="))
            # Rounding may leave a number a little outside; adding 0 turns -0 into 0.
            np.put_along_axis(block, ids.astype(np.intp), np.clip(values, 0, 1) + values.dtype.type(0), axis=1)
            yield first, block

    def _require_classes(self, first: int, ids: NDArray[Any]) -> None:
        outside = (ids < 0) | (ids >= self.m)
        ascending = np.sort(ids, axis=1)
        wrong = np.flatnonzero(outside.any(axis=1) | (ascending[:, 1:] == ascending[:, :-1]).any(axis=1))
        if len(wrong):
            row = int(wrong[0])
            finding = f"expected different classes from 0 to {self.m - 1}, found {ids[row].tolist()}"
            raise DataError(self.classes.path, finding, record=f"row {first + row}")

    def _require_probabilities(self, first: int, values: NDArray[Any]) -> None:
        tolerance = SUM_TOLERANCE[values.itemsize]
        safe = np.where(np.isfinite(values), values.astype(np.float64), 2.0)  # too large for any row
        good = np.asarray((safe >= -tolerance).all(axis=1) & (safe.sum(axis=1) <= 1 + tolerance))
        if not good.all():
            row = int(np.flatnonzero(~good)[0])
            finding = f"expected probabilities from 0 on that sum to 1 or less, found {values[row].tolist()}"
            raise DataError(self.path, finding, record=f"row {first + row}")


def twin_of(name: str) -> str | None:
    """The name of the classes that go with probabilities of this name; None for a file that holds whole rows.

    >>> twin_of("vgg11_bn_top5probs.npy"), twin_of("pred_probs.npy")
    ('vgg11_bn_top5preds.npy', None)
    """
    found = _STORE.search(name)
    return _STORE.sub(r"\1preds\3", name) if found and found[2] == "probs" else None


def with_twins(names: Sequence[str]) -> tuple[str, ...]:
    """These names of files, each with that of the classes that go with it, if it has such a twin.

    >>> with_twins(["a.npy", "b_top3probs.npy"])
    ('a.npy', 'b_top3probs.npy', 'b_top3preds.npy')
    """
    return tuple(one for name in names for one in (name, twin_of(name)) if one is not None)


def holds_top_classes(path: Path) -> bool:
    """Whether a file is one of the two, by its name."""
    return _STORE.search(path.name) is not None


def open_top_classes(path: Path, names: Sequence[str] | None) -> TopClassesPart:
    """The part that these probabilities and the classes beside them make, of as many classes as there are ``names``.

    Raises MissingFileError without the other file, and DataError for files that do not go together.
    """
    twin = twin_of(path.name)
    if twin is None:
        wanted = _STORE.sub(r"\1probs\3", path.name)
        raise DataError(path, f"expected the file of probabilities, {wanted}, with which this one of classes is read")
    probabilities = open_npy(path)
    if not path.with_name(twin).is_file():
        raise MissingFileError(path.with_name(twin), f"expected the classes that go with {path.name}, found none")
    classes = open_npy(path.with_name(twin))
    if names is None:
        finding = "expected the names of all classes (--classes of the command flag, classes= in Python)"
        raise DataError(path, f"{finding}: it holds the most probable ones, which do not say how many there are")
    shape = probabilities.shape
    if len(shape) != 2 or not 1 <= shape[1] <= len(names):
        raise DataError(path, f"expected shape (n, k), of k of {len(names):,} classes, found {shape}")
    if classes.shape != shape or classes.dtype.kind not in "iu":
        found = f"{classes.shape} of {classes.dtype}"
        raise DataError(classes.path, f"expected whole numbers of shape {shape}, as {path.name} has, found {found}")
    if probabilities.dtype.kind != "f" or probabilities.dtype.itemsize > 8:
        finding = f"expected floating-point numbers of 16, 32 or 64 bits, found {probabilities.dtype}"
        raise DataError(path, finding)
    return TopClassesPart(probabilities, classes, len(names))
