"""The examples whose media are read, as ascending numbers: millions of them are no objects each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WantedExamples(Mapping[int, str | None]):
    """Index in the test set -> the dataset's own key, or None without one; in ascending order.

    >>> wanted = WantedExamples(np.array([2, 5]), ["a", "b", "c", "d", "e", "f"])
    >>> dict(wanted), 5 in wanted, 4 in wanted, len(wanted)
    ({2: 'c', 5: 'f'}, True, False, 2)
    """

    def __init__(self, indices: NDArray[np.integer[Any]], keys: Sequence[str] | None) -> None:
        """``indices`` ascend; ``keys`` are those of all examples, or None if media are not found by them."""
        self._indices = indices
        self._keys = keys

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self._indices.tolist())

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int | np.integer):
            return False
        place = int(np.searchsorted(self._indices, index))
        return place < len(self._indices) and bool(self._indices[place] == index)

    def __getitem__(self, index: int) -> str | None:
        if index not in self:
            raise KeyError(index)
        return None if self._keys is None else self._keys[index]
