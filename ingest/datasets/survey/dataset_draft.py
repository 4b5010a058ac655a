"""A dataset as it was found, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainDraft:
    """Examples to learn from: their labels, their paths if they are files, and the place of their media."""

    labels: NDArray[np.int64]
    index: Sequence[str] | None
    path: str
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class DatasetDraft:
    """What a manifest will say. ``media`` are the options of the layout; ``index`` are paths below the folder."""

    modality: str
    layout: str
    classes: Sequence[str]
    labels: NDArray[np.int64]
    media: Mapping[str, object] = field(default_factory=dict)
    index: Sequence[str] | None = None
    groups: Sequence[str] | None = None
    train: TrainDraft | None = None
