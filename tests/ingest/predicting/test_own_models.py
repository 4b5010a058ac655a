"""Models of a user's own: what decides whether unfinished folds are gone on with, and how far they say they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet as pq

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
    assert main(["predict", str(own), *ARGUMENTS]) == 1
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
    assert main(["predict", str(own), *ARGUMENTS]) == 1
    begun = capsys.readouterr().err
    assert "error: the model leaning_model:Leaning: fold 4 of 4: predict_proba failed: RuntimeError: stopped" in begun
    log = Path("pred_probs.unfinished", "model-error.txt").absolute()
    assert f"The traceback is in {log}; finished folds are kept beside it" in begun
    assert 'raise RuntimeError("stopped")' in log.read_text()
    Path("stop.txt").unlink()
    assert main(["predict", str(own), *ARGUMENTS]) == 0
    told = capsys.readouterr().err
    assert "3 of 4 folds are there already" in told
    # Four folds and one more were begun in all, and each said how far it was.
    assert (begun + told).count("learning from 45 texts") == 5


FAILING = """\
import numpy as np

class Fitting:
    def __init__(self):
        self.classes_ = [0, 1, 2]

    def fit(self, texts, labels):
        return self

    def predict_proba(self, texts):
        return np.full((len(texts), 3), 1 / 3)

class Raising(Fitting):
    def fit(self, texts, labels):
        raise KeyError("no such column")

class NotFinite(Fitting):
    def predict_proba(self, texts):
        return np.full((len(texts), 3), np.nan)

class Narrow(Fitting):
    def predict_proba(self, texts):
        return np.full((len(texts), 2), 0.5)

class Words(Fitting):
    def predict_proba(self, texts):
        return [["a", "b", "c"]] * len(texts)

class Unordered(Fitting):
    def __init__(self):
        pass

class Misnamed(Fitting):
    def __init__(self):
        self.classes_ = ["cars", "hockey", "bread"]

class Beyond(Fitting):
    def __init__(self):
        self.classes_ = [0, 1, 3]

class Needy(Fitting):
    def __init__(self, depth):
        pass

class Mute:
    def fit(self, texts, labels):
        return self
"""


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        ("Raising", "fold 1 of 4: fit failed: KeyError: 'no such column', in line 15 of "),
        (
            "NotFinite",
            "fold 1 of 4: expected probabilities of 0 or more that sum to 1 in each row, found 15 of 15 rows",
        ),
        (
            "Narrow",
            "fold 1 of 4: expected 15 x 3 probabilities, a column a class that it has learnt, found 15 x 2 of f",
        ),
        (
            "Words",
            "fold 1 of 4: expected 15 x 3 probabilities, a column a class that it has learnt, found 15 x 3 of <U",
        ),
        ("Unordered", "fold 1 of 4: expected classes_ after fit, the class ids of its columns, from 0 to 2, each once"),
        ("Misnamed", "from 0 to 2, each once, found ['cars', 'hockey', 'bread']"),
        ("Beyond", "from 0 to 2, each once, found [0, 1, 3]"),
        ("Needy", "calling Needy() failed: TypeError: "),
        ("Mute", "to make an estimator with fit and predict_proba, found none of ['predict_proba']"),
    ],
)
def test_a_failing_model_is_named_with_its_fold_and_what_it_said(
    own: Path, factory: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("failing_model.py").write_text(FAILING)
    monkeypatch.delitem(__import__("sys").modules, "failing_model", raising=False)
    assert main(["predict", str(own), "--model", f"failing_model:{factory}", "--folds", "4"]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert told in line
    assert "failing_model:" in line
    assert not Path("pred_probs.npy").exists()


@pytest.mark.parametrize("source", ["import nothing_like_it", "1 / 0", "def (", "raise SystemExit(0)"])
def test_a_module_that_cannot_be_imported_is_named(
    own: Path, source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken_model.py").write_text(source)
    monkeypatch.delitem(__import__("sys").modules, "broken_model", raising=False)
    assert main(["predict", str(own), "--model", "broken_model:Forest"]) == 1
    assert "--model: expected module:factory, found 'broken_model:Forest'" in capsys.readouterr().err


TURNED = """\
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

class Turned:
    '''Knows the classes, and tells them one column too far.'''

    def fit(self, texts, labels):
        self.model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(list(texts), labels)
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, texts):
        return np.roll(self.model.predict_proba(list(texts)), 1, axis=1)
"""


def test_columns_of_an_own_model_that_are_in_another_order_are_named(
    notes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Models of ours have theirs in the order of the classes; others are believed in nothing."""
    manifest: Path = notes(LABELS, texts_of(LABELS), NAMES)
    (manifest.parent / "turned_model.py").write_text(TURNED)
    monkeypatch.chdir(manifest.parent)
    monkeypatch.syspath_prepend(manifest.parent)
    assert main(["predict", str(manifest), "--model", "turned_model:Turned", "--folds", "4"]) == 0
    said = "examples of class cars are mostly guessed to be hockey, and so on around"
    assert said in " ".join(capsys.readouterr().out.split())
    assert main(["add", str(manifest), str(manifest.parent), "--catalogue", "catalogue.sqlite"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())


PRIOR = """\
import numpy as np

class Prior:
    '''Says of every text how many of each class it has learnt.'''

    def fit(self, texts, labels):
        self.classes_, self.counts = np.unique(labels, return_counts=True)
        return self

    def predict_proba(self, texts):
        return np.tile(self.counts / self.counts.sum(), (len(texts), 1))
"""


def test_of_several_deals_of_the_folds_the_mean_is_taken(notes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example is judged in every deal by what the folds that it is not in hold."""
    labels = np.array([0] * 9 + [1] * 6 + [2] * 4)
    manifest: Path = notes(labels, texts_of(labels), NAMES)
    (manifest.parent / "prior_model.py").write_text(PRIOR)
    monkeypatch.chdir(manifest.parent)
    monkeypatch.syspath_prepend(manifest.parent)
    asked = ["predict", str(manifest), "--model", "prior_model:Prior", "--folds", "3"]
    assert main([*asked, "--deals", "4"]) == 0
    table = pq.read_table("folds.parquet").to_pandas()
    deals = [table[name].to_numpy() for name in ("fold", "fold_2", "fold_3", "fold_4")]
    assert len({tuple(folds) for folds in deals}) == 4
    expected = np.zeros((len(labels), 3))
    for folds in deals:
        for fold in range(3):
            learnt = np.bincount(labels[folds != fold], minlength=3)
            expected[folds == fold] += learnt / learnt.sum() / 4
    assert np.allclose(np.load("pred_probs.npy"), expected, atol=1e-6)
    told = json.loads(Path("pred_probs.json").read_text())
    assert [one["deals"] for one in told["models"]] == [4]
    assert main(asked) == 0
    assert pq.read_table("folds.parquet").column_names == ["index", "fold", "group"]
    assert pq.read_table("folds.parquet").to_pandas()["fold"].tolist() == deals[0].tolist()


def test_a_run_that_stopped_in_a_later_deal_goes_on_there(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["predict", str(own), *ARGUMENTS, "--deals", "3"]
    assert main(asked) == 0
    whole = Path("pred_probs.npy").read_bytes()
    Path("stop.txt").write_text("6")
    assert main(asked) == 1
    assert len(list(own.parent.glob("pred_probs.unfinished/*/fold-*.npy"))) == 6
    Path("stop.txt").unlink()
    capsys.readouterr()
    assert main(asked) == 0
    said = capsys.readouterr().err
    assert "deal 1 of 3: 4 of 4 folds are there already" in said
    assert "deal 2 of 3: 2 of 4 folds are there already" in said
    assert Path("pred_probs.npy").read_bytes() == whole
