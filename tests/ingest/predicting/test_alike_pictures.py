"""Pictures that are nearly the same are found and kept together, and are suspects where their labels differ.

CIFAR-100's test set has two such pairs with different labels; made up here are pictures that differ as these do.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ingest.commands.main import main


def drawn(seed: int, hue: int) -> Image.Image:
    """A picture of coarse shapes of its own, more or less of a colour."""
    coarse = np.random.default_rng(seed).integers(0, 200, (6, 6, 3))
    coarse[..., hue] += 55
    return Image.fromarray(coarse.astype(np.uint8)).resize((32, 32), Image.Resampling.BICUBIC)


def changed(picture: Image.Image, how: str) -> Image.Image:
    pixels = np.asarray(picture).astype(np.int64)
    if how == "brighter":
        return Image.fromarray(np.clip(pixels * 1.1 + 10, 0, 255).astype(np.uint8))
    if how == "noisy":
        return Image.fromarray(
            np.clip(pixels + np.random.default_rng(0).integers(-9, 10, pixels.shape), 0, 255).astype(np.uint8)
        )
    return picture.filter(ImageFilter.GaussianBlur(0.7))


@pytest.mark.parametrize("how", ["same", "brighter", "noisy", "blurred"])
def test_a_pair_of_different_labels_is_a_suspect_whatever_the_model_says(how: str, tmp_path: Path, query_of) -> None:
    folder = tmp_path / "pictures"
    for hue, name in enumerate(("reddish", "greenish")):
        (folder / name).mkdir(parents=True)
        for seed in range(12):
            drawn(100 * hue + seed, hue).save(folder / name / f"{seed:02}.png")
    original = drawn(3, 0)
    (original if how == "same" else changed(original, how)).save(folder / "greenish" / "12.png")
    out, catalogue = tmp_path / "out", tmp_path / "catalogue.sqlite"
    arguments = ["--out", str(out), "--catalogue", str(catalogue), "--no-serve", "--folds", "3", "--model", "pixels"]
    assert main(["try", str(folder), *arguments]) == 0
    names = json.loads((out / "index.json").read_text())
    ((first, second, similarity),) = json.loads((out / "pred_probs.json").read_text())["near_duplicates"][
        "different_labels"
    ]
    assert {names[first], names[second]} == {"reddish/03.png", "greenish/12.png"}
    assert 0.98 <= similarity <= 1
    flagged = {index for (index,) in query_of(catalogue)("SELECT idx FROM issues WHERE flagged")}
    assert {first, second} <= flagged
