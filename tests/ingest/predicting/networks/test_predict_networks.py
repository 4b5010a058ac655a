"""``label-errors predict`` with networks, from folders as a user has them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.commands.main import main

pytestmark = [pytest.mark.slow, pytest.mark.torch]


def write_strokes(folder: Path, n: int, seed: int) -> None:
    """Pictures of a horizontal or a vertical stroke, in a folder for each; the first two change places."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        pixels = rng.integers(0, 60, (12, 12), dtype=np.uint8)
        place = rng.integers(2, 10)
        if i % 2:
            pixels[:, place] = 230
        else:
            pixels[place] = 230
        name = ("across", "down")[(i + (i < 2)) % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / name / f"{i:03}.png")


def predicted(manifest: Path, media: str, model: str) -> tuple[np.ndarray, np.ndarray, dict]:
    assert main(["predict", str(manifest), "--media", media, "--model", model, "--folds", "3", "--threads", "1"]) == 0
    found = manifest.parent
    told = json.loads((found / "pred_probs.json").read_text())
    return np.load(found / "pred_probs.npy"), np.load(found / "labels.npy"), told


def test_a_folder_of_small_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_strokes(tmp_path / "strokes", 150, seed=0)
    assert main(["init", "strokes", "--out", "one"]) == 0
    probs, labels, told = predicted(tmp_path / "one/dataset.toml", "strokes", "cnn")
    assert probs.shape == (150, 2)
    assert (probs.argmax(axis=1) == labels).mean() > 0.9
    keys = json.loads((tmp_path / "one/index.json").read_text())
    suspects = np.argsort(probs[np.arange(150), labels])[:2]
    assert {Path(keys[row]).name for row in suspects} == {"000.png", "001.png"}
    assert told["models"][0]["name"] == "cnn"
    assert main(["init", "strokes", "--out", "two"]) == 0
    again, _, _ = predicted(tmp_path / "two/dataset.toml", "strokes", "cnn")
    assert again.tobytes() == probs.tobytes()
