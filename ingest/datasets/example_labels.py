"""The label of every example of a dataset, given or guessed, in as few bytes as they need, and ids of label sets."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.flagging.engine import FlagResult
from ingest.labels.files import LabelSet

Ids = NDArray[np.integer[Any]]

#: Examples worked on at a time, so that what is made of them stays small.
BLOCK: Final = 1 << 20


class Labels:
    """The label set of each example; for single-label datasets, ids alone."""

    def __init__(self, labels: Ids | Sequence[LabelSet]) -> None:
        self.ids = labels if isinstance(labels, np.ndarray) else None
        self.sets = None if isinstance(labels, np.ndarray) else labels
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> LabelSet:
        return self._labels[index] if self.ids is None else (int(self.ids[index]),)

    def several(self) -> set[LabelSet]:
        """The label sets in use that are not single classes."""
        return set() if self.sets is None else {labels for labels in self.sets if len(labels) != 1}

    def ids_at(self, indices: NDArray[np.integer[Any]]) -> Ids:
        """(k,) the classes of some examples. Raises ValueError if examples have label sets."""
        if self.ids is None:
            raise ValueError("expected single labels, found label sets")
        found: Ids = self.ids[indices]
        return found

    def class_counts(self, n_classes: int) -> NDArray[np.int64]:
        """(m,) the number of examples that carry each class."""
        counts = np.zeros(n_classes, np.int64)
        if self.ids is None:
            flat = np.array([c for labels in self._labels for c in labels], np.int64)
            return counts + np.bincount(flat, minlength=n_classes)
        for start in range(0, len(self.ids), BLOCK):
            counts += np.bincount(self.ids[start : start + BLOCK], minlength=n_classes)
        return counts


class ModelGuesses:
    """The most probable class of each example, from the scores of confident learning; see ``Labels``."""

    sets = None

    def __init__(self, flagging: FlagResult) -> None:
        self._flagging = flagging

    def __len__(self) -> int:
        return len(self._flagging.labels)

    def __getitem__(self, index: int) -> LabelSet:
        return (int(self.ids_at(np.array([index]))[0]),)

    def ids_at(self, indices: NDArray[np.integer[Any]] | slice) -> Ids:
        """(k,) the classes of some examples."""
        if isinstance(indices, slice):
            return self._flagging.scores[indices].guessed(self._flagging.labels[indices])
        found = np.empty(len(indices), self._flagging.scores.rival.dtype)
        for start in range(0, len(indices), BLOCK):
            some = indices[start : start + BLOCK]
            found[start : start + BLOCK] = self._flagging.scores[some].guessed(self._flagging.labels[some])
        return found

    @cached_property
    def ids(self) -> Ids:
        """(n,) the classes of all examples. Made when it is first asked for: mostly some examples are enough."""
        found = np.empty(len(self), self._flagging.scores.rival.dtype)
        for start in range(0, len(self), BLOCK):
            found[start : start + BLOCK] = self.ids_at(slice(start, start + BLOCK))
        return found

    def several(self) -> set[LabelSet]:
        """The label sets in use that are not single classes: none."""
        return set()


class LabelIds:
    """Label sets and their ids: a single class keeps its id, other sets get the ids after the classes, in order.

    >>> ids = LabelIds(3, [(0, 2), (1,)])
    >>> ids.members, ids[(1,)], ids[(0, 2)]
    ([(0,), (1,), (2,), (0, 2)], 1, 3)
    """

    def __init__(self, n_classes: int, label_sets: Iterable[LabelSet]) -> None:
        self.members: list[LabelSet] = [(class_id,) for class_id in range(n_classes)]
        self.members += sorted({labels for labels in label_sets if len(labels) != 1})
        self._ids = {labels: label_id for label_id, labels in enumerate(self.members)}

    def __getitem__(self, labels: LabelSet) -> int:
        return self._ids[labels]

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The smallest type that holds every id."""
        return np.min_scalar_type(max(len(self.members) - 1, 0))

    def of(self, label_sets: Sequence[LabelSet]) -> NDArray[np.unsignedinteger]:
        """(k,) the ids of label sets."""
        return np.array([self._ids[labels] for labels in label_sets], self.dtype)
