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


def test_pictures_of_the_same_shape_in_other_colours_are_no_suspects(tmp_path: Path) -> None:
    """Red and green lamps, each at a place of its own and in the same places."""
    rng = np.random.default_rng(0)
    places = rng.integers(6, 26, (30, 2))
    across, down = np.meshgrid(np.arange(32), np.arange(32))
    for channel, name in enumerate(("red", "green")):
        (tmp_path / "lamps" / name).mkdir(parents=True)
        for number, (x, y) in enumerate(places):
            pixels = np.full((32, 32, 3), 20, np.uint8)
            pixels[(across - x) ** 2 + (down - y) ** 2 < 30, channel] = 230
            Image.fromarray(pixels).save(tmp_path / "lamps" / name / f"{number:02}.png")
    arguments = ["--out", str(tmp_path / "out"), "--catalogue", str(tmp_path / "c.sqlite"), "--no-serve"]
    assert main(["try", str(tmp_path / "lamps"), *arguments, "--folds", "3", "--model", "pixels"]) == 0
    told = json.loads((tmp_path / "out" / "pred_probs.json").read_text())["near_duplicates"]
    assert told["pairs"] >= 30
    assert told["n_different"] == 0
