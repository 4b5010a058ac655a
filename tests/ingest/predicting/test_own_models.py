"""Models of a user's own: what decides whether unfinished folds are gone on with, and how far they say they are."""

import json
from pathlib import Path

import numpy as np
import pytest

from ingest.commands.main import main
from tests.ingest.predicting.conftest import texts_of

NAMES = ["cars", "hockey", "bread"]
LABELS = np.repeat([0, 1, 2], 20)
MODULE = """\
from pathlib import Path
import numpy as np

class Leaning:
    '''Leans towards a class that a file names; stops where another file says so.'''

    progress = None

    def files(self):
        return [Path("weights.txt")]

    def fit(self, texts, labels):
        self.classes_ = np.unique(labels)
        self.progress.say(f"learning from {len(texts)} texts")
        return self

    def predict_proba(self, texts):
        stop = Path("stop.txt")
        left = int(stop.read_text()) if stop.exists() else 99
        if left == 0:
            raise RuntimeError("stopped")
        if stop.exists():
            stop.write_text(str(left - 1))
        found = np.full((len(texts), 3), 0.125)
        found[:, int(Path("weights.txt").read_text())] = 0.75
        return found
"""


@pytest.fixture
def own(notes, monkeypatch: pytest.MonkeyPatch) -> Path:
    manifest: Path = notes(LABELS, texts_of(LABELS), NAMES)
    (manifest.parent / "leaning_model.py").write_text(MODULE)
    (manifest.parent / "weights.txt").write_text("0")
    monkeypatch.chdir(manifest.parent)
    monkeypatch.syspath_prepend(manifest.parent)
    monkeypatch.delitem(__import__("sys").modules, "leaning_model", raising=False)
    return manifest


ARGUMENTS = ["--model", "leaning_model:Leaning", "--folds", "4"]


def test_folds_by_other_weights_are_not_gone_on_with(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stop.txt").write_text("2")
    with pytest.raises(RuntimeError, match="stopped"):
        main(["predict", str(own), *ARGUMENTS])
    assert len(list(own.parent.glob("pred_probs.unfinished/*/fold-*.npy"))) == 2
    Path("stop.txt").unlink()
    Path("weights.txt").write_text("1")
    assert main(["predict", str(own), *ARGUMENTS]) == 0
    assert "folds are there already" not in capsys.readouterr().err
    np.testing.assert_array_equal(np.load("pred_probs.npy"), [[0.125, 0.75, 0.125]] * 60)
    told = json.loads(Path("pred_probs.json").read_text())
    assert {"leaning_model.py", "weights.txt", "labels.npy"} <= set(told["inputs"])


def test_folds_by_the_same_weights_are_gone_on_with(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("stop.txt").write_text("3")
    with pytest.raises(RuntimeError, match="stopped"):
        main(["predict", str(own), *ARGUMENTS])
    Path("stop.txt").unlink()
    assert main(["predict", str(own), *ARGUMENTS]) == 0
    told = capsys.readouterr().err
    assert "3 of 4 folds are there already" in told
    # Four folds and one more were begun in all, and each said how far it was.
    assert told.count("learning from 45 texts") == 5
