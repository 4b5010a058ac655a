"""Models of a sample dataset whose ranking can be looked at: a folder of predictions, as anyone may have one.

Each learns from the labels with their errors, by the same cross-validation as the probabilities, and never sees what
was planted. Datasets of a draft without rivals get no folder.
"""

from pathlib import Path
from typing import Final

import numpy as np

from app.domain.confident_learning.label_quality import Labels
from app.domain.ranking.accuracy import TOP
from ingest.sample.draft import Draft
from ingest.sample.learning import cross_validated

_FOLDER: Final = "models"


def write_models(target: Path, name: str, draft: Draft, given: Labels, seed: int) -> None:
    """Write the five most probable classes of each rival, most probable first, and a ``models.toml`` beside them."""
    if not draft.rivals:
        return
    folder = target / _FOLDER
    folder.mkdir(exist_ok=True)
    for model, classifier in draft.rivals.items():
        probabilities = cross_validated(draft, given, seed, classifier).probabilities
        ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
        np.save(folder / f"{model}.npy", ranked.astype(np.uint8))
    said = f'dataset = "{name}"\nplatform = "scikit-learn"\n'
    (folder / "models.toml").write_text(said, encoding="utf-8")


def models_of(target: Path) -> Path | None:
    """The folder of a sample dataset's models, None for one without."""
    folder = target / _FOLDER
    return folder if folder.is_dir() else None
