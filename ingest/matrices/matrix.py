"""An (n, m) matrix of predicted probabilities on disk, in one or several files, read in blocks of rows.

At most a few blocks are in memory at a time. Values are checked as they are read; see ``probabilities``. A matrix can
be sent to another process or machine that sees the same files, because it holds paths, not numbers.
"""

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.row_scores import empty_scores
from app.evaluation.tables.class_spelling import ClassesAre
from ingest.errors import DataError
from ingest.matrices.npy import open_npy, open_npz
from ingest.matrices.probabilities import BlockLocation, divided, looks_like_probabilities, settle, softmax
from ingest.matrices.row_kernel import look
from ingest.matrices.top_classes import TopClassesPart, holds_top_classes, open_top_classes

#: A block should nearly fit a core's own cache, but be long enough for the fixed cost of a block not to matter.
BLOCK_BYTES: Final = 2_000_000

#: A half-precision block is larger by this factor: it holds more rows for its bytes, and each has a fixed cost.
_HALVES: Final = 2

#: The most rows in a block: results for narrow rows should fit a core's own cache.
_ROWS: Final = 1 << 15

_HEAD_ROWS: Final = 1000

#: Text formats would be read several times, slowly, and with fewer digits than stored.
_TEXTS: Final = frozenset({".csv", ".tsv", ".txt", ".json"})


class Part(Protocol):
    """One file or folder with rows of a matrix."""

    @property
    def path(self) -> Path: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def cuts(self) -> tuple[int, ...]:
        """Rows at which reading should begin because rows are packed together, ascending; empty if any will do."""

    def blocks(self, start: int, stop: int, height: int) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows from ``start`` to ``stop``, by rows, at most ``height`` at a time; each valid until the next is
        requested.
        """


@dataclass(frozen=True)
class Matrix:
    """Predicted probabilities; ``rows`` and ``blocks`` yield them checked and normalized, ``raw`` as stored."""

    parts: tuple[Part, ...]
    dtype: np.dtype[Any]  # of the probabilities
    softmax: bool  # the files hold logits
    tolerance: float | None = None  # if stated, all rows are divided by their sums in double precision
    block_bytes: int = BLOCK_BYTES
    models: tuple[str, ...] = ()  # the names of those whose mean it is, if of several

    @property
    def shape(self) -> tuple[int, int]:
        return sum(part.shape[0] for part in self.parts), self.parts[0].shape[1]

    @property
    def members(self) -> "tuple[Matrix, ...]":
        """The matrices of the single models."""
        return (self,)

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(part.path for part in self.parts)

    @property
    def nbytes(self) -> int:
        return sum(part.shape[0] * part.shape[1] * part.dtype.itemsize for part in self.parts)

    @property
    def height(self) -> int:
        """The number of rows of a block."""
        width = max(1, self.shape[1] * self.dtype.itemsize)
        most = self.block_bytes * (_HALVES if self.dtype.itemsize == 2 else 1)
        return min(_ROWS, max(1, most // width))

    def raw(self, start: int, stop: int) -> Iterator[tuple[BlockLocation, NDArray[Any]]]:
        """Rows in blocks, of type ``dtype``, contiguous, and writable by the caller until the next is requested.

        Each comes with its location. Softmax is applied to logits, and rows are divided by their sums if a tolerance is
        stated; otherwise nothing is checked.
        """
        offset = 0
        for part in self.parts:
            n = part.shape[0]
            here = range(max(start - offset, 0), min(stop - offset, n))
            if here:
                for first, block in part.blocks(here.start, here.stop, self.height):
                    place = BlockLocation(part.path, offset + first, offset, part.dtype.itemsize)
                    yield self._typed(replace(place, settled=not _whole(part)), block)
            offset += n

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows in blocks, each with the index of its first row. Raises DataError if they are not probabilities."""
        for place, block in self.raw(start, self.shape[0] if stop is None else stop):
            check(place, block)
            yield place.first, block

    def rows(self, indices: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """(k, m) the rows at ascending ``indices``, checked and normalized."""
        found = np.empty((len(indices), self.shape[1]), self.dtype)
        for start, stop in self._stretches(indices):
            for first, block in self.blocks(start, stop):
                here = slice(*np.searchsorted(indices, [first, first + len(block)]))
                found[here] = block[indices[here] - first]
        return found

    def spans(self, height: int) -> list[tuple[int, int]]:
        """The rows split into ranges of about ``height``, none across two parts or through rows packed together."""
        found, offset = [], 0
        for part in self.parts:
            n = part.shape[0]
            start = 0
            while start < n:
                stop = next((cut for cut in part.cuts if cut >= start + height), n) if part.cuts else start + height
                stop = min(stop, n)
                found.append((offset + start, offset + stop))
                start = stop
            offset += n
        return found

    def _stretches(self, indices: NDArray[np.integer[Any]]) -> Iterator[tuple[int, int]]:
        """Ranges of rows that contain all of ``indices``, leaving out gaps of more than a few rows."""
        if not len(indices):
            return
        if any(part.cuts for part in self.parts):
            # Starting a new read costs as much as reading on.
            for start, stop in self.spans(1):
                here = indices[slice(*np.searchsorted(indices, [start, stop]))]
                if len(here):
                    yield int(here[0]), int(here[-1]) + 1
            return
        gap = max(1, 16_384 // max(1, self.shape[1] * self.dtype.itemsize))
        breaks = np.flatnonzero(np.diff(indices) > gap) + 1
        firsts = indices[np.concatenate([[0], breaks])]
        lasts = indices[np.concatenate([breaks - 1, [len(indices) - 1]])]
        yield from ((int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True))

    def _typed(self, place: BlockLocation, block: NDArray[Any]) -> tuple[BlockLocation, NDArray[Any]]:
        if self.tolerance is not None:
            values, n_beyond = divided(place, block, self.tolerance)
            # From here on, rows are checked with the rounding of double precision.
            return replace(place, itemsize=values.itemsize, n_beyond=n_beyond), values
        values = softmax(place, block) if self.softmax and not place.settled else block
        return place, np.ascontiguousarray(values, dtype=self.dtype)


def check(place: BlockLocation, block: NDArray[Any]) -> None:
    """Normalize a block's rows in place; see ``probabilities``. Raises DataError for rows that cannot be."""
    if place.settled:
        return
    n, m = block.shape
    rows = look(np.zeros(n, np.int64), block, empty_scores(n, m, block.dtype))
    if len(rows):
        settle(place, block, rows)


def open_matrix(
    paths: Sequence[Path],
    n_rows: int,
    n_classes: int,
    *,
    logits: bool = False,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
    classes_are: ClassesAre | None = None,
) -> Matrix:
    """The matrix in one file or several; shape and type are checked now, the values as they are read.

    With ``logits`` a softmax is applied, unless the values turn out to be probabilities already. Table columns named by
    the ``names`` or numbers of the classes are used in class order; ``classes_are`` decides if both are possible. With
    a ``tolerance`` the sums of rows may differ from 1 by so much; logits have none.
    """
    return matrix_of(open_parts(paths, names, classes_are), n_rows, n_classes, logits=logits, tolerance=tolerance)


def matrix_of(
    parts: Sequence[Part], n_rows: int, n_classes: int, *, logits: bool = False, tolerance: float | None = None
) -> Matrix:
    """``open_matrix`` for parts that are open already."""
    for part in parts:
        if len(part.shape) != 2 or part.shape[1] != n_classes:
            raise DataError(part.path, f"expected shape (n, {n_classes}), one column a class, found {part.shape}")
        if not np.issubdtype(part.dtype, np.floating) or part.dtype.itemsize > 8:
            raise DataError(part.path, f"expected floating-point numbers of 16, 32 or 64 bits, found {part.dtype}")
    found = sum(part.shape[0] for part in parts)
    if found != n_rows:
        raise DataError(all_of([part.path for part in parts]), f"expected {n_rows} rows, one an example, found {found}")
    dtype = np.result_type(*(part.dtype for part in parts)).newbyteorder("=")
    applied = logits and not _holds_probabilities(parts[0])
    if applied and dtype.itemsize < 4:
        dtype = np.dtype(np.float32)
    if tolerance is not None:
        dtype = np.dtype(np.float64)
    return Matrix(tuple(parts), dtype, applied, tolerance)


def shape_of(parts: Sequence[Part], names: Sequence[str] | None, named: str) -> tuple[int, int]:
    """The number of rows and columns of all parts together, before any rows are read.

    ``names`` of the classes, if any, must be as many as columns; ``named`` says where they were read. Raises DataError
    if there are no rows or no columns.
    """
    shape = parts[0].shape
    if len(shape) != 2 or shape[1] == 0:
        raise DataError(parts[0].path, f"expected shape (n, m), one column a class, found {shape}")
    if names is not None and shape[1] != len(names):
        finding = f"expected {len(names):,} columns, one for each class of {named}, found {shape[1]:,}"
        raise DataError(parts[0].path, finding)
    n_rows = sum(part.shape[0] for part in parts if part.shape)
    if n_rows == 0:
        paths = [part.path for part in parts]
        raise DataError(all_of(paths), f"expected rows, one an example, found none: shape {shape}")
    return n_rows, shape[1]


def require_each_once(paths: Sequence[Path]) -> None:
    """Refuse a file that is listed twice. Raises DataError."""
    if len({path.resolve() for path in paths}) < len(paths):
        raise DataError(all_of(paths), "expected parts of one matrix, each once, found one of them twice")


def all_of(paths: Sequence[Path]) -> str:
    """The name in messages for all files of a matrix together."""
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} to {paths[-1].name}"


def open_parts(
    paths: Sequence[Path], names: Sequence[str] | None = None, classes_are: ClassesAre | None = None
) -> list[Part]:
    """Open the files of a matrix, one below the other."""
    parts: list[Part] = []
    for path in paths:
        parts.append(open_part(path, names, classes_are, sum(part.shape[0] for part in parts if part.shape)))
    return parts


def open_part(
    path: Path, names: Sequence[str] | None = None, classes_are: ClassesAre | None = None, before: int = 0
) -> Part:
    """Open one file or folder of rows, by the ending of its name: .npz, .parquet, .zarr, or else .npy.

    ``names`` are those of the classes, which table columns may have; ``classes_are`` says what column names are.
    ``before`` is the number of rows in the parts above.
    """
    if holds_top_classes(path):
        return open_top_classes(path, names)
    if path.suffix.lower() == ".npz":
        return open_npz(path)
    if path.suffix.lower() in (".parquet", ".pq"):
        from ingest.matrices.parquet import open_parquet

        return open_parquet(path, names, classes_are, before)
    if path.suffix.lower() in _TEXTS:
        finding = "expected a matrix as .npy, .npz, .parquet or .zarr, found a text; pandas makes one of it: "
        raise DataError(path, f"{finding}pd.read_csv({path.name!r}).to_parquet({path.stem + '.parquet'!r})")
    if path.suffix == ".zarr" or path.is_dir():
        _require_zarr(path)
        from ingest.matrices.zarr import open_zarr

        return open_zarr(path)
    return open_npy(path)


def _require_zarr(path: Path) -> None:
    if importlib.util.find_spec("zarr") is None:
        raise DataError(path, "expected the package zarr, which reads this, found none: pip install -e '.[zarr]'")


def _whole(part: Part) -> bool:
    """Whether rows hold all their probabilities; others were checked when they were read."""
    return not isinstance(part, TopClassesPart)


def _holds_probabilities(part: Part) -> bool:
    if not _whole(part):
        return True
    stop = min(_HEAD_ROWS, part.shape[0])
    return all(
        looks_like_probabilities(head.astype(head.dtype.newbyteorder("="))) for _, head in part.blocks(0, stop, stop)
    )
