"""Read what only training uses: groups of examples, and further examples to learn from.

Nothing here is stored in a catalogue or shown to anyone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import DataError
from ingest.labels.class_names import ClassNames
from ingest.labels.files import key_of, read_index
from ingest.labels.flag_input import read_given_labels
from ingest.manifest.model import Manifest, Media


def manifest_of_train(manifest: Manifest) -> Manifest:
    """The manifest of the examples of ``[train]`` as if these were looked at."""
    train, media = manifest.train, manifest.media
    if train is None:
        return manifest
    files = manifest.files.model_copy(update={"labels": train.labels, "index": train.index, "groups": train.groups})
    if media is not None and train.path:
        kept = {name: value for name, value in media.options.items() if name != "sha256"}
        media = Media(layout=media.layout, **{**kept, "path": train.path})
    return manifest.model_copy(update={"files": files, "media": media})


@dataclass(frozen=True)
class TrainRows:
    """Examples to learn from: their labels, and their names if media are found by name."""

    labels: NDArray[np.int64]
    keys: list[str] | None

    def __len__(self) -> int:
        return len(self.labels)


def read_train_rows(manifest: Manifest, folder: Path, classes: ClassNames) -> TrainRows | None:
    """The examples of ``[train]``; None without any.

    Their media are those of ``[media]``, opened with ``path`` from ``[train]`` in place of its own. Raises
    MissingFileError or DataError naming the file.
    """
    train, files = manifest.train, manifest.files
    if train is None:
        return None
    path = folder / train.labels
    labels = read_given_labels(path, len(classes), classes.names, files.classes_are, column=files.label_column)
    entries = None if train.index is None else _names(folder / train.index, len(labels))
    keys = None if entries is None else [key_of(entry, manifest.examples.key) for entry in entries]
    read_groups(manifest_of_train(manifest), folder, len(labels))  # refused here if they do not fit
    return TrainRows(labels.astype(np.int64), keys)


def read_groups(manifest: Manifest, folder: Path, size: int | None) -> list[str] | None:
    """The group of each example; None if the manifest names no file of them.

    Raises MissingFileError or DataError naming the file.
    """
    name = manifest.files.groups
    return None if name is None else _names(folder / name, size)


def _names(path: Path, size: int | None) -> list[str]:
    names = read_index(path)
    if size is not None and len(names) != size:
        raise DataError(path, f"expected {size:,} examples, found {len(names):,}")
    return names
