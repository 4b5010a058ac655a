"""Predictions of several models for a sample dataset, as a folder that a user might have.

Each model learnt from the labels with their errors, by the same cross-validation as the probabilities, and never saw
the planted errors. Datasets without such models get no folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FOLDER: Final = "models"


def write_models(target: Path, name: str, ranked: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write each model's most probable classes, most probable first, and a ``models.toml`` beside them."""
    if not ranked:
        return
    folder = target / _FOLDER
    folder.mkdir(exist_ok=True)
    for model, classes in ranked.items():
        np.save(folder / f"{model}.npy", classes)
    said = f'dataset = "{name}"\nplatform = "scikit-learn"\n'
    (folder / "models.toml").write_text(said, encoding="utf-8")


def models_of(target: Path) -> Path | None:
    """The folder of a sample dataset's models, None for one without."""
    folder = target / _FOLDER
    return folder if folder.is_dir() else None
