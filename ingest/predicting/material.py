"""What models learn from: the examples that are looked at, those of ``[train]``, and which files were read for them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.datasets.example_labels import Labels
from ingest.datasets.load import Inputs
from ingest.datasets.train_rows import manifest_of_train, read_train_rows
from ingest.errors import ArgumentError, DataError
from ingest.manifest.model import Manifest
from ingest.media import MediaSource, fingerprint
from ingest.predicting.contents import read_features, read_media
from ingest.predicting.examples import Examples
from ingest.predicting.groups import Side, in_looked_at_groups
from ingest.predicting.near_duplicates import twins
from ingest.progress import Progress


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


class Material:
    """Reads examples, and remembers the SHA-256 of each file (``read``) and what is to be told (``remarks``,
    ``warnings``); ``source`` holds the examples that are looked at, once they were read.
    """

    def __init__(self, manifest: Manifest, folder: Path, media: Path, options: Options, progress: Progress) -> None:
        self._manifest = manifest
        self._folder = folder
        self._media = media
        self._options = options
        self._progress = progress
        self.read: dict[str, str] = {}
        self.remarks: list[str] = []
        self.warnings: list[str] = []
        self.source: MediaSource | None = None
        self._train_source: MediaSource | None = None

    def note(self, path: Path, name: str | None = None) -> None:
        """Remember what was read: by its name, or by its whole path where another file has this name."""
        digest, told = fingerprint(path)[0], name or path.name
        self.read[told if self.read.get(told, digest) == digest else path.as_posix()] = digest

    def _note_medium(self, path: Path) -> None:
        name = path.relative_to(self._media).as_posix()
        self.note(path, path.resolve().name if name == "." else name)

    def note_files(self) -> None:
        """Of the files that are not looked at with the labels: groups, and what tells of examples to learn from."""
        train, asked = self._manifest.train, self._options.groups
        groups = asked if asked is not None and asked.endswith(".json") else self._manifest.files.groups
        of_train = () if train is None else (train.labels, train.index, train.groups)
        for name in filter(None, (groups, *of_train)):
            path = self._folder / name if (self._folder / name).is_file() else Path(name)
            self.note(path, name)

    def looked_at(self, inputs: Inputs) -> tuple[Examples, Examples]:
        """What models take, and what near-duplicates are sought in: the same, unless features were given."""
        features = None
        if self._options.features is not None:
            features = read_features(self._options.features, inputs)
            self.note(self._options.features)
        if features is not None and self._manifest.media is None:
            return features, features
        try:
            examples, self.source = read_media(inputs, self._media, self._progress)
        except DataError:
            if features is None:
                raise
            self.remarks.append("The examples' own files were not read; near-duplicates are those of equal features.")
            return features, features
        for path in self.source.sources:
            self._note_medium(path)
        if self._manifest.modality == "audio" and features is None:
            self.remarks.append(
                "A model of spectra is weak: expect it to miss most errors. Features of a trained network (--features) "
                "find far more."
            )
        return (examples if features is None else features), examples

    def train(self, inputs: Inputs, examples: Examples) -> Examples | None:
        """The examples of ``[train]`` to learn from beside those looked at: none of a group or like one of these."""
        return self._without_twins(self._without_groups(self._train(inputs, examples), examples), examples)

    def _train(self, inputs: Inputs, examples: Examples) -> Examples | None:
        """The examples of ``[train]``, as models take them."""
        given = self._options.train_features
        rows = read_train_rows(self._manifest, self._folder, inputs.classes)
        if given is not None and (rows is None or self._options.features is None):
            lacking = "--features as well" if rows is not None else "[train] in the manifest"
            raise ArgumentError("--train-features", f"expected {lacking}, found none")
        if rows is None:
            return None
        own = replace(inputs, labels=Labels(rows.labels), keys=rows.keys, size=len(rows))
        if given is not None:
            return self._train_features(given, own, examples)
        if self._options.features is not None:
            self.remarks.append("The training set was not used: its features were not given (--train-features).")
            return None
        own = replace(own, manifest=manifest_of_train(self._manifest))
        found, source = read_media(own, self._media, self._progress)
        self._train_source = source
        for path in source.sources:
            self._note_medium(path)
        if examples.kind == "images" and found.inputs.shape[1:] != examples.inputs.shape[1:]:
            raise DataError(source.sources[0], "expected pictures of the size and colours of the others, found others")
        return found

    def _without_groups(self, train: Examples | None, examples: Examples) -> Examples | None:
        """The examples to learn from but those of a group that is looked at too."""
        if train is None:
            return None
        looked_at = Side(examples, self._manifest, self.source)
        learnt = Side(train, manifest_of_train(self._manifest), self._train_source)
        same = in_looked_at_groups(self._options.groups, looked_at, learnt, self._folder)
        if same is None:
            self.warnings.append(
                f"The groups of the {len(train):,} examples to learn from are not known, so some may be of a group "
                "that is looked at and tell its label. groups in [train] of the manifest says which are."
            )
            return train
        return self._without(train, same, "of a group that is looked at too")

    def _without_twins(self, train: Examples | None, examples: Examples) -> Examples | None:
        """The examples to learn from but those that are looked at too."""
        if train is None:
            return None
        nearly = " or nearly the same" if self._options.near_duplicates else ""
        same = twins(train, examples, near=self._options.near_duplicates)
        return self._without(train, same, f"the same{nearly} as one that is looked at")

    def _without(self, train: Examples, same: NDArray[np.bool_], why: str) -> Examples | None:
        """The examples to learn from but some, which would tell a label."""
        if not same.any():
            return train
        self.remarks.append(
            f"Of the {len(train):,} examples to learn from {same.sum():,} are {why}. They were not learnt from, "
            "because they would tell its label."
        )
        return None if same.all() else train.only(~same)

    def _train_features(self, path: Path, inputs: Inputs, examples: Examples) -> Examples:
        found = read_features(path, inputs)
        self.note(path)
        if (width := found.inputs.shape[1]) != (expected := examples.inputs.shape[1]):
            raise DataError(path, f"expected {expected:,} columns, as --features has, found {width:,}")
        return found
