"""What ``predict`` tells reaches the pages: how good the model was, and near-duplicates with different labels."""

import json
import sqlite3
from contextlib import closing

import httpx
import numpy as np
import pytest

from app.catalogue.rounds.withheld import withhold
from app.site.gallery.response_models import PredictionReportOut
from ingest.commands.main import main
from tests.ingest.predicting.conftest import texts_of
from tests.serving import serving

NAMES = ["cars", "hockey", "bread"]
LABELS = np.repeat([0, 1, 2], 20)


@pytest.fixture
def predicted(notes, tmp_path):
    """A dataset with a pair of near-duplicates of different labels, 2 and 41, and its catalogue."""
    texts = texts_of(LABELS)
    texts[41] = texts[2] + " copied"
    manifest = notes(LABELS, texts, NAMES)
    assert main(["predict", str(manifest), "--folds", "4"]) == 0
    return manifest, tmp_path / "catalogue.sqlite"


def added(manifest, catalogue) -> int:
    folder = str(manifest.parent)
    return main(["add", str(manifest), folder, "--media", folder, "--catalogue", str(catalogue)])


def test_pages_tell_how_good_the_model_was_and_show_the_pair(predicted, query_of):
    manifest, catalogue = predicted
    assert added(manifest, catalogue) == 0
    flagged = dict(query_of(catalogue)("SELECT idx, flagged FROM issues"))
    assert flagged[2] == flagged[41] == 1
    assert query_of(catalogue)("SELECT n_flagged FROM datasets") == [(len(flagged),)]
    told = json.loads((manifest.parent / "pred_probs.json").read_text())
    with serving(catalogue) as site:
        page = httpx.get(f"{site}/notes", timeout=60).text
        assert f"{100 * told['quality']['accuracy']:.1f}\N{NO-BREAK SPACE}% of 60 labels predicted" in page
        assert "1 pair of near-duplicates with different labels" in page
        assert "Fold 4" in page
        issue = httpx.get(f"{site}/notes/issues/41", timeout=60).text
        assert "Nearly the same, labelled otherwise" in issue
        assert '<a href="/notes/issues/2">Example 2</a>, given label <b>cars</b>' in issue


def test_flagged_examples_are_counted_as_in_the_catalogue(predicted, query_of, capsys):
    """Example 2 is where the model agrees with the label, and a suspect as the near-duplicate of 41 alone."""
    manifest, catalogue = predicted
    capsys.readouterr()
    assert main(["predict", str(manifest), "--folds", "4"]) == 0
    printed = capsys.readouterr().out
    assert added(manifest, catalogue) == 0
    ((both,),) = query_of(catalogue)("SELECT n_flagged FROM datasets")
    parts = f"{both - 1} by the probabilities and 1 more as near-duplicate of an example with another label"
    assert f"{both} of 60 examples are flagged, {parts}; 4 folds, dealt 3 times\n" in printed
    assert printed.endswith(f"next: label-errors add {manifest} {manifest.parent} --media {manifest.parent}\n")


def test_the_api_tells_what_the_file_tells(predicted):
    manifest, catalogue = predicted
    assert added(manifest, catalogue) == 0
    told = json.loads((manifest.parent / "pred_probs.json").read_text())
    with serving(catalogue) as site, httpx.Client(base_url=f"{site}/api/v1", timeout=60) as client:
        address = client.get("/datasets/notes").json()["links"]["prediction_report"]
        assert address == f"{site}/api/v1/datasets/notes/prediction-report"
        answer = client.get(address)
        report = answer.json()
        PredictionReportOut.model_validate(report)
        assert client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        assert client.get(address, params={"seed": 3}).status_code == 400
        assert client.get(address, params={"fields": "seed"}).json() == {"seed": 0}
        assert f'href="{httpx.URL(address).path}"' in httpx.get(f"{site}/api", timeout=60).text
    same = ("made_by", "seed", "train_examples", "quality", "models", "groups", "few_examples", "warnings", "remarks")
    assert {key: report[key] for key in same} == {key: told[key] for key in same}
    assert report["by_fold"] == told["by_fold"]
    assert len(report["by_fold"]) == 4
    ((first, second, similarity),) = told["near_duplicates"].pop("different_labels")
    (pair,) = report["near_duplicates"].pop("different_labels")
    assert report["near_duplicates"] == told["near_duplicates"]
    assert pair == {
        "first": {"index": first, "given": {"id": 0, "name": "cars"}},
        "second": {"index": second, "given": {"id": 2, "name": "bread"}},
        "similarity": similarity,
    }


def test_a_report_about_another_matrix_is_not_shown(predicted, query_of, capsys):
    manifest, catalogue = predicted
    probs = np.load(manifest.parent / "pred_probs.npy")
    np.save(manifest.parent / "pred_probs.npy", probs[:, [1, 0, 2]])
    assert added(manifest, catalogue) == 0
    assert query_of(catalogue)("SELECT prediction_report FROM datasets") == [(None,)]
    assert "is about another matrix" in capsys.readouterr().out


@pytest.mark.parametrize("change", [{"quality": {"n": 60, "accuracy": 7}}, {"models": "x"}, {"warnings": [3]}])
def test_a_report_that_is_none_is_refused(predicted, capsys, change):
    manifest, catalogue = predicted
    path = manifest.parent / "pred_probs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert added(manifest, catalogue) == 1
    told = capsys.readouterr().err
    assert "pred_probs.json" in told
    assert "expected what label-errors predict writes" in told
    assert not catalogue.exists()


def test_pairs_are_those_whose_labels_differ_now(predicted, query_of):
    manifest, catalogue = predicted
    labels = LABELS.copy()
    labels[41] = labels[2]
    np.save(manifest.parent / "labels.npy", labels)
    assert added(manifest, catalogue) == 0
    ((report,),) = query_of(catalogue)("SELECT prediction_report FROM datasets")
    assert json.loads(report)["twins"] == []


def test_a_round_asks_about_near_duplicates_whose_label_the_model_agrees_with(
    predicted, tmp_path, monkeypatch, query_of, capsys
):
    """Example 2: labelled cars, guessed cars, and nearly the same as 41, which is labelled bread."""
    manifest, catalogue = predicted
    monkeypatch.setenv("LABELERRORS_REVIEWS", str(tmp_path / "reviews.sqlite"))
    assert added(manifest, catalogue) == 0
    how = ["--catalogue", str(catalogue)]
    (tmp_path / "examples.txt").write_text("2\n")
    chosen = ["--examples", str(tmp_path / "examples.txt"), "--votes", "1", "--reviewers", "One of us."]
    assert main(["review", "open", "notes", *chosen, *how]) == 0
    with closing(sqlite3.connect(tmp_path / "reviews.sqlite")) as store:
        ((question,),) = store.execute("SELECT question FROM items WHERE idx = 2").fetchall()
    asked = json.loads(question)
    assert (asked["given"], asked["guessed"], asked["classes"]) == ([0], [2], [0, 2])
    options = {"given": 0, "guessed": 1, "both": 0, "neither": 0}
    record = {"id": 2, "given_original_label": 0, "our_guessed_label": 2, "mturk": options}
    (manifest.parent / "votes.json").write_text(json.dumps([record]))
    text = manifest.read_text().replace("[files]\n", '[files]\nvotes = "votes.json"\n')
    manifest.write_text("raters = 1\n" + text)
    assert added(manifest, catalogue) == 0
    assert "guesses that reviewers were shown" not in capsys.readouterr().out, "they were shown none"
    query = query_of(catalogue)
    assert query("SELECT guessed, shown FROM issues WHERE idx = 2") == [(0, 2)]
    assert query("SELECT n_checked, n_guesses_changed FROM datasets") == [(1, 0)]
    with closing(sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)) as connection:
        withhold(connection, [("notes", 2, "a round")])
        assert connection.execute("SELECT n_checked, n_guesses_changed FROM datasets").fetchall() == [(0, 0)]
    with serving(catalogue) as site:
        page = httpx.get(f"{site}/notes/issues/2", timeout=60).text
        assert "They were shown <b>bread</b>, the label of a near-duplicate, because the model\u2019s guess is" in page
        assert "<b>cars</b>, as the given label." in page
        assert "label of a near-duplicate, bread" in page
        assert "an earlier model" not in page
        assert "different label than reviewers were shown" not in httpx.get(f"{site}/notes", timeout=60).text


CONTRARY = """
import numpy as np
class Contrary:
    def fit(self, texts, labels):
        self.classes_ = np.unique(labels)
        return self
    def predict_proba(self, texts):
        return np.array([[0.1, 0.9, 0] if "engine" in one or "wheel" in one else [0.9, 0.1, 0] for one in texts])
"""


def test_of_several_models_the_page_says_how_many_doubt(predicted, tmp_path, monkeypatch, query_of):
    """One of the two doubts every label, and the other, of words, none but those of the pair."""
    manifest, catalogue = predicted
    (tmp_path / "contrary_model.py").write_text(CONTRARY)
    monkeypatch.syspath_prepend(tmp_path)
    asked = ["predict", str(manifest), "--folds", "4", "--model", "contrary_model:Contrary"]
    assert main([*asked, "--model", "words"]) == 0
    report = json.loads((manifest.parent / "pred_probs.json").read_text())
    guesses = np.load(manifest.parent / "pred_probs.guesses.npy")
    assert guesses.shape == (60, 2)
    assert added(manifest, catalogue) == 0
    assert [one["name"] for one in report["models"] if one["chosen"]] == ["contrary_model:Contrary", "words"]
    stored = dict(query_of(catalogue)("SELECT idx, doubting FROM issues"))
    assert stored == {index: int((guesses[index] != LABELS[index]).sum()) for index in stored}
    assert set(stored.values()) >= {1}
    with serving(catalogue) as site:
        for index, doubting in stored.items():
            body = httpx.get(f"{site}/api/v1/datasets/notes/issues/{index}", timeout=60).json()
            assert body["doubting_models"] == {"of": ["contrary_model:Contrary", "words"], "doubting": doubting}
    (manifest.parent / "pred_probs.guesses.npy").write_bytes(b"other")
    assert added(manifest, catalogue) == 0
    assert set(query_of(catalogue)("SELECT doubting FROM issues")) == {(None,)}
    assert "how many doubt a label is not told" in query_of(catalogue)("SELECT missing FROM datasets")[0][0]
    assert main(["predict", str(manifest), "--folds", "4", "--model", "words"]) == 0
    assert not (manifest.parent / "pred_probs.guesses.npy").exists()
    assert added(manifest, catalogue) == 0
    assert "how many doubt" not in query_of(catalogue)("SELECT missing FROM datasets")[0][0]
