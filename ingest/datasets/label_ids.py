"""The ids of label sets: a single class keeps its id, other sets get the ids after the classes, in order."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.labels.files import LabelSet


class LabelIds:
    """Label sets and their ids.

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
