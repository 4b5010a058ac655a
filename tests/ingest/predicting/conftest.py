"""A folder of short texts of two kinds, with its manifest, as a user would have it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

MANIFEST = """\
name = "notes"
title = "Notes"  # a title of ours
modality = "text"
summary = "Short notes."

[licence]
name = "ours"
source = "ourselves"
media = "local"

[classes]
names = {names}

[files]
labels = "{labels}"  # whole numbers
index = "index.json"
{files}
[media]
layout = "text-folder"
path = "texts"

# The end.
"""
WORDS = (
    ["engine", "wheel", "brake", "motor", "road", "driver", "gear", "fuel"],
    ["goal", "puck", "ice", "team", "hockey", "skate", "rink", "stick"],
    ["flour", "oven", "bread", "yeast", "dough", "crust", "bake", "salt"],
)


def texts_of(labels: np.ndarray, seed: int = 0) -> list[str]:
    """A text for each label, of words of its kind; no two alike."""
    rng = np.random.default_rng(seed)
    return [f"{' '.join(rng.choice(WORDS[label], 8))} number{place}" for place, label in enumerate(labels.tolist())]


@pytest.fixture
def notes(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of texts and its manifest, and return the manifest's path."""

    def write(
        labels: np.ndarray, texts: list[str], names: list[str], *, folder: str = "notes", files: str = ""
    ) -> Path:
        at = tmp_path / folder
        (at / "texts").mkdir(parents=True)
        keys = [f"{place:04}.txt" for place in range(len(texts))]
        for key, text in zip(keys, texts, strict=True):
            (at / "texts" / key).write_text(text, encoding="utf-8")
        np.save(at / "labels.npy", labels)
        (at / "index.json").write_text(json.dumps(keys))
        manifest = at / "dataset.toml"
        manifest.write_text(MANIFEST.format(names=json.dumps(names), labels="labels.npy", files=files))
        return manifest

    return write
