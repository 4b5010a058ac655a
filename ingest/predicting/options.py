"""What a user of ``predict`` may choose."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What a user may choose; ``groups`` is described in ``groups_of``."""

    models: tuple[str, ...] = ("auto",)
    n_folds: int = 10
    deals: int | None = None  # how often they are dealt; None for as often as suits the model
    seed: int = 0
    threads: int | None = None
    groups: str | None = None
    near_duplicates: bool = True
    features: Path | None = None
    train_features: Path | None = None  # the same of the examples of ``[train]``
    calibrate: bool = False
    replace: bool = False  # a matrix that something else made
