"""The mean of several models' predicted probabilities of the same examples, as one matrix, read in one pass.

Probabilities are averaged, not margins or ranks: their mean is a distribution again, so thresholds, the confident
joint, guesses and margins keep their meaning, and the lead over one other class is the mean of the models' leads.
Models that err independently rarely agree on the same wrong class, so the mean is steadier than each.

Each model's rows are checked, and normalized where need be, as if it were alone; their mean is used as it is. It is
formed in double precision, with the rounding errors of the additions added at the end, so it does not depend on the
order of the models. Of each model a block is in memory at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.evaluation.tables.class_spelling import ClassesAre
from ingest.errors import DataError, shown
from ingest.matrices.class_columns import cores, named_order
from ingest.matrices.matrix import Matrix, Part, all_of, check, matrix_of, open_parts
from ingest.matrices.probabilities import BlockLocation


@dataclass(frozen=True)
class MeanMatrix(Matrix):
    """The mean of ``members``, (n, m) each; ``parts`` are those of the member that says where reading may begin."""

    of: tuple[Matrix, ...] = ()

    @property
    def members(self) -> tuple[Matrix, ...]:
        return self.of

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(path for member in self.members for path in member.paths)

    @property
    def nbytes(self) -> int:
        return sum(member.nbytes for member in self.members)

    def raw(self, start: int, stop: int) -> Iterator[tuple[BlockLocation, NDArray[Any]]]:
        """The mean of rows in blocks, each with the number of rows of all models beyond the usual tolerance.

        Raises DataError naming the file and row of a model that are no probabilities.
        """
        streams = [_Rows(replace(member, block_bytes=self.block_bytes), start, stop) for member in self.members]
        first, stop = start, min(stop, self.shape[0])
        while first < stop:
            n = min(self.height, *(stream.n_ready() for stream in streams))
            mean = _mean([stream.take(n) for stream in streams])
            n_beyond = sum(stream.take_beyond() for stream in streams)
            yield BlockLocation(self.paths[0], first, n_beyond=n_beyond, settled=True), mean
            first += n


class _Rows:
    """The rows of one model, checked, in pieces of any size."""

    def __init__(self, matrix: Matrix, start: int, stop: int) -> None:
        self._blocks = matrix.raw(start, stop)
        self._block = np.empty((0, matrix.shape[1]), matrix.dtype)
        self._beyond = 0

    def n_ready(self) -> int:
        """How many rows can be taken; more are read if there are none."""
        if not len(self._block):
            place, self._block = next(self._blocks)
            check(place, self._block)
            self._beyond += place.n_beyond
        return len(self._block)

    def take(self, n: int) -> NDArray[Any]:
        taken, self._block = self._block[:n], self._block[n:]
        return taken

    def take_beyond(self) -> int:
        """The rows beyond the usual tolerance that were read since the last call."""
        beyond, self._beyond = self._beyond, 0
        return beyond


def _mean(blocks: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """The mean of blocks in double precision. What each addition rounds off is found (Knuth's TwoSum) and added last.

    >>> one, small = np.array([[0.5]]), np.array([[2.0**-54]])
    >>> _mean([one, small, small]).tolist() == _mean([small, small, one]).tolist()
    True
    """
    total = blocks[0].astype(np.float64)
    lost = np.zeros_like(total)
    for block in blocks[1:]:
        added = block.astype(np.float64, copy=False)
        found = total + added
        rest = found - total
        lost += (total - (found - rest)) + (added - rest)
        total = found
    total += lost
    total /= len(blocks)
    return total


def mean_of(members: Mapping[str, Matrix]) -> Matrix:
    """The mean of the matrices of several models, by their names; of one, the matrix itself.

    All have the same shape.
    """
    matrices = tuple(members.values())
    if len(matrices) == 1:
        return matrices[0]
    packed = max(matrices, key=lambda matrix: sum(len(part.cuts) for part in matrix.parts))
    return MeanMatrix(
        packed.parts,
        np.dtype(np.float64),
        softmax=any(matrix.softmax for matrix in matrices),
        tolerance=matrices[0].tolerance,
        models=tuple(members),
        of=matrices,
    )


def open_models(
    models: Mapping[str, Sequence[Path]],
    n_rows: int,
    n_classes: int,
    *,
    logits: bool = False,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
    classes_are: ClassesAre | None = None,
) -> Matrix:
    """``open_matrix`` for the files of several models: the mean of their probabilities.

    With ``logits``, softmax is applied to each model whose values are not probabilities already. Raises DataError,
    naming two files, if models differ in their rows, their classes, or the order of these as far as columns have names,
    and if a file is named twice.
    """
    opened = {name: open_parts(paths, names, classes_are) for name, paths in models.items()}
    how: dict[str, Any] = {"logits": logits, "tolerance": tolerance}
    return mean_of_parts(opened, n_rows, n_classes, names=names, classes_are=classes_are, **how)


def mean_of_parts(
    models: Mapping[str, Sequence[Part]],
    n_rows: int,
    n_classes: int,
    *,
    logits: bool = False,
    names: Sequence[str] | None = None,
    tolerance: float | None = None,
    classes_are: ClassesAre | None = None,
) -> Matrix:
    """``open_models`` for parts that are open already, or in memory."""
    require_same_examples(models)
    if len(models) > 1:
        _require_same_columns([part for parts in models.values() for part in parts], names, classes_are)
    how: dict[str, Any] = {"logits": logits, "tolerance": tolerance}
    return mean_of({name: matrix_of(parts, n_rows, n_classes, **how) for name, parts in models.items()})


def require_same_examples(models: Mapping[str, Sequence[Part]]) -> None:
    """Refuse models of different numbers of rows or columns, and a file named twice. Raises DataError naming both."""
    require_separate([part.path for parts in models.values() for part in parts])
    first, *others = models.values()
    for parts in others:
        _require_as_wide(first, parts)
        n_first, n = (sum(part.shape[0] for part in some) for some in (first, parts))
        if n != n_first:
            finding = f"expected {n_first:,} rows, as {_named(first)} has, for the mean of models of the same examples"
            raise DataError(_named(parts), f"{finding}; found {n:,}")
        _require_same_order(first, parts)


def _require_same_order(first: Sequence[Part], parts: Sequence[Part]) -> None:
    """Refuse tables whose rows are named alike in different orders. Raises DataError naming both."""
    columns: list[set[str]] = [set(getattr(part, "others", ())) for part in (*first, *parts)]
    if both := sorted(set.intersection(*columns)):
        from ingest.matrices.parquet_order import require_same_order  # a module of Parquet

        require_same_order([part.path for part in first], [part.path for part in parts], both)


def require_separate(paths: Sequence[Path]) -> None:
    """Refuse a file that two models, or one twice, are read from. Raises DataError."""
    seen: set[Path] = set()
    for path in paths:
        if (whole := path.resolve()) in seen:
            raise DataError(path, "expected each file once, of one model alone, found it twice: it would count double")
        seen.add(whole)


def _require_as_wide(first: Sequence[Part], parts: Sequence[Part]) -> None:
    wide, known = ([part.shape[1] if len(part.shape) == 2 else None for part in some] for some in (parts, first))
    wrong = next((place for place, m in enumerate(wide) if m is not None and m != known[0]), None)
    if wrong is not None and known[0] is not None:
        finding = f"expected {known[0]:,} columns, one a class, as {first[0].path} has, found {wide[wrong]:,}"
        raise DataError(parts[wrong].path, finding)


def _named(parts: Sequence[Part]) -> str:
    return all_of([part.path for part in parts])


def _require_same_columns(parts: Sequence[Part], names: Sequence[str] | None, classes_are: ClassesAre | None) -> None:
    """Refuse tables whose columns are not called by classes, and are called differently or in different orders."""
    unnamed = [
        (part.path, columns)
        for part in parts
        if (columns := _columns(part)) and named_order(part.path, columns, names, classes_are) is None
    ]
    for path, columns in unnamed[1:]:
        known_path, known = unnamed[0]
        place = next(
            (k for k, pair in enumerate(zip(cores(columns), cores(known), strict=True)) if len({*pair}) > 1), None
        )
        if place is not None:
            finding = (
                f"expected columns in the order of those of {known_path}, which has {shown(known[place])} at place "
            )
            finding += f"{place}, found {shown(columns[place])}; where columns are called by the classes, naming these "
            raise DataError(path, finding + "(--classes, or [classes] in a manifest) puts them in order")


def _columns(part: Part) -> tuple[str, ...]:
    """The names of the columns of a table, one a class; none for an array."""
    # Not by their types: the modules of Parquet and pandas are only loaded where they are used.
    columns: tuple[str, ...] = () if getattr(part, "lists", True) else getattr(part, "columns", ())
    return columns
