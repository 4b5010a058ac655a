"""A made-up dataset small enough to check by hand, and the real catalogue, built once."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.commands.main import main

MANIFEST = """\
name = "tiny"
title = "Tiny"
modality = "image"
summary = "Three kinds of nothing."
{top}

[licence]
name = "CC0"
source = "made up"
media = "none"

[classes]
file = "classes.json"

[files]
labels = "labels.npy"
pred_probs = "probs.npy"
votes = "votes.json"
{files}

[examples]
{examples}
"""


@dataclass
class Tiny:
    """A dataset of 40 examples and three classes, six of them reviewed. Change what you like, then ``write``."""

    folder: Path
    labels: Any = None
    probs: Any = None
    records: Any = None
    classes: Any = field(default_factory=lambda: ["ant", "bee", "cat"])
    top: str = "flag = 8"
    files: str = ""
    examples: str = ""
    extra: dict[str, Any] = field(default_factory=dict)  # further files: arrays, JSON values or bytes

    def __post_init__(self) -> None:
        rng = np.random.default_rng(7)
        self.labels = rng.integers(0, 3, 40).astype(np.uint16)
        scores = rng.random((40, 3)) + 2 * np.eye(3)[self.labels]
        scores[:6] = rng.random((6, 3)) + 2 * np.eye(3)[(self.labels[:6] + 1) % 3]
        self.probs = scores / scores.sum(axis=1, keepdims=True)
        votes = [(0, 5, 0, 0), (5, 0, 0, 0), (1, 1, 3, 0), (1, 0, 0, 4), (2, 2, 1, 0), (0, 4, 1, 0)]
        self.records = [self.record(index, *counts) for index, counts in enumerate(votes)]

    def record(self, index: int, given: int, guessed: int, both: int, neither: int) -> dict[str, Any]:
        return {
            "id": index,
            "given_original_label": int(self.labels[index]),
            "our_guessed_label": int(np.argmax(self.probs[index])),
            "mturk": {"given": given, "guessed": guessed, "both": both, "neither": neither},
        }

    def write(self) -> Path:
        """Write all files; the manifest's path."""
        self.folder.mkdir(exist_ok=True)
        files = {"labels.npy": self.labels, "probs.npy": self.probs, "votes.json": self.records}
        for name, content in (files | {"classes.json": self.classes} | self.extra).items():
            if isinstance(content, bytes):
                (self.folder / name).write_bytes(content)
            elif isinstance(content, np.ndarray):
                np.save(self.folder / name, content, allow_pickle=content.dtype.hasobject)
            else:
                (self.folder / name).write_text(json.dumps(content))
        manifest = self.folder / "tiny.toml"
        manifest.write_text(MANIFEST.format(top=self.top, files=self.files, examples=self.examples))
        return manifest

    def add(self, catalogue: Path, *options: str) -> int:
        """Write all files and ingest them; the exit status."""
        return main(["add", str(self.write()), str(self.folder), "--catalogue", str(catalogue), *options])


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path / "tiny")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A catalogue that already holds another dataset, which nothing may touch."""
    catalogue = tmp_path / "catalogue.sqlite"
    before = Tiny(tmp_path / "before")
    manifest = before.write()
    manifest.write_text(manifest.read_text().replace('"tiny"', '"before"'))
    assert main(["add", str(manifest), str(before.folder), "--catalogue", str(catalogue)]) == 0
    return catalogue


Query = Callable[..., list[Any]]


def _query_of(catalogue: Path) -> Query:
    def query(statement: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    return query


@pytest.fixture(scope="session")
def query_of() -> Callable[[Path], Query]:
    """SELECT statements against a catalogue."""
    return _query_of


@pytest.fixture(scope="session")
def real(release_catalogue: Path) -> Query:
    """SELECT statements against the whole release without media."""
    return _query_of(release_catalogue)


@pytest.fixture
def leftovers(tmp_path: Path) -> Callable[[], list[str]]:
    """The names of half-built files and locks beside the catalogue."""
    return lambda: sorted(path.name for path in tmp_path.iterdir() if ".part" in path.name or ".lock" in path.name)
