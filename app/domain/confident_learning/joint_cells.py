"""The non-empty cells of a joint of given and latent labels, and how they are counted.

With many classes nearly all cells are empty: the table of 21,841 classes would take 3.8 GB, its non-empty cells at most
16 bytes for each example. What is computed from the cells is the same to the last bit as from the table.
"""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.label_quality import Labels

Value = TypeVar("Value", np.int64, np.float64)

#: A joint of so many cells is counted in a table, which is faster; of more, by sorting.
TABLE_CELLS: Final = 1 << 21


@dataclass(frozen=True, eq=False, slots=True)
class JointCells(Generic[Value]):
    """The non-empty cells of an (m, m) joint, rows by given label, columns by latent label.

    ``cell`` is (k,) given * m + latent, ascending; ``value`` is (k,): a count or a share.

    >>> counts = JointCells.of(np.array([[2, 1], [0, 4]]))
    >>> counts.given.tolist(), counts.latent.tolist(), counts.value.tolist()
    ([0, 0, 1], [0, 1, 1], [2, 1, 4])
    >>> counts.dense().tolist(), counts.total, counts.off_diagonal.total
    ([[2, 1], [0, 4]], 7, 1)
    """

    m: int
    cell: NDArray[np.int64]
    value: NDArray[Value]

    @staticmethod
    def of(dense: NDArray[Value]) -> "JointCells[Value]":
        """The cells of an (m, m) table that are not zero."""
        flat = dense.reshape(-1)
        # Looking for what is true is several times faster than for what is not zero.
        cell = np.flatnonzero(flat != 0).astype(np.int64)
        return JointCells(len(dense), cell, flat[cell])

    def __len__(self) -> int:
        return len(self.cell)

    def __getitem__(self, places: Any) -> "JointCells[Value]":
        return JointCells(self.m, self.cell[places], self.value[places])

    @property
    def given(self) -> NDArray[np.int64]:
        return self.cell // self.m

    @property
    def latent(self) -> NDArray[np.int64]:
        return self.cell % self.m

    @property
    def total(self) -> Any:
        """The sum of all cells, an int of counts."""
        return self.value.sum().item()

    @property
    def by_given(self) -> NDArray[np.float64]:
        """(m,) the sum of each row; exact for counts."""
        sums: NDArray[np.float64] = np.bincount(self.given, weights=self.value, minlength=self.m).astype(np.float64)
        return sums

    @property
    def off_diagonal(self) -> "JointCells[Value]":
        """The cells whose given and latent labels differ."""
        return self[self.cell % (self.m + 1) != 0]

    def at(self, cell: NDArray[np.int64]) -> NDArray[Value]:
        """The values of these cells, (k,), of which all that are not empty must be among them; ascending.

        >>> JointCells.of(np.array([[2, 1], [0, 4]])).at(np.array([0, 1, 2, 3])).tolist()
        [2, 1, 0, 4]
        """
        found = np.zeros(len(cell), self.value.dtype)
        found[np.searchsorted(cell, self.cell)] = self.value
        return found

    def dense(self) -> NDArray[Value]:
        """The (m, m) table."""
        table = np.zeros(self.m * self.m, self.value.dtype)
        table[self.cell] = self.value
        return table.reshape(self.m, self.m)

    def with_diagonal(self, classes: NDArray[np.integer[Any]], value: NDArray[Value]) -> "JointCells[Value]":
        """These cells and the diagonal ones of some classes, ascending, which must be empty here."""
        cell = classes.astype(np.int64) * (self.m + 1)
        places = np.searchsorted(self.cell, cell)
        return JointCells(self.m, np.insert(self.cell, places, cell), np.insert(self.value, places, value))


class JointCounter:
    """Counts examples by given and latent label, in a table if it is small, else by sorting what is counted.

    >>> counter = JointCounter(2)
    >>> counter.add(np.array([0, 0, 1]), np.array([1, -1, 1]))
    >>> counter.add_diagonal(np.array([3, 0]))
    >>> counter.counted().dense().tolist()
    [[3, 1], [0, 1]]
    """

    def __init__(self, m: int) -> None:
        self._m = m
        self._diagonal = np.zeros(m, np.int64)
        self._table = np.zeros((m, m), np.int64) if m * m <= TABLE_CELLS else None
        self._code = np.uint32 if m * m <= 1 << 32 else np.int64
        self._codes: list[NDArray[Any]] = []

    def add_diagonal(self, counts: NDArray[np.int64]) -> None:
        """Count as many examples of each class, (m,), for their given label; negative numbers take back."""
        self._diagonal += counts

    def add(self, labels: Labels, latent: NDArray[np.int64]) -> None:
        """Count rows whose latent classes are known, (n,); negative ones are not counted."""
        if self._table is not None:
            _count_in(self._table, labels, latent)
            return
        given = labels.astype(np.int64)
        self._diagonal += np.bincount(given[given == latent], minlength=self._m)
        off = (latent >= 0) & (given != latent)
        self._codes.append((given[off] * self._m + latent[off]).astype(self._code))

    def counted(self) -> JointCells[np.int64]:
        """The confident joint of all that was counted."""
        if self._table is not None:
            self._table[np.diag_indices(self._m)] += self._diagonal
            self._diagonal = np.zeros(self._m, np.int64)
            return JointCells.of(self._table)
        codes = np.concatenate([*self._codes, np.zeros(0, self._code)])
        self._codes = [codes]
        codes.sort()
        starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] + self._code(1)))
        off = JointCells(self._m, codes[starts].astype(np.int64), np.diff(starts, append=len(codes)).astype(np.int64))
        classes = np.flatnonzero(self._diagonal)
        return off.with_diagonal(classes, self._diagonal[classes])


def _count_in(table: NDArray[np.int64], labels: Labels, latent: NDArray[np.int64]) -> None:
    """Add counts to a table in place; for few rows no whole table is made."""
    m = len(table)
    if len(labels) * 8 > table.size:
        # Two columns more, for what is not counted, cost less than picking out what is.
        cells = labels.astype(np.int64)
        cells *= m + 2
        cells += np.maximum(latent, -2)
        cells += 2
        table += np.bincount(cells, minlength=m * (m + 2)).reshape(m, m + 2)[:, 2:]
    else:
        counted = latent >= 0
        np.add.at(table.reshape(-1), labels[counted].astype(np.intp) * m + latent[counted], 1)
