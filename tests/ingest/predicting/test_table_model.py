"""Tables: models of numbers and categories, and planted errors found beside cleanlab on the same probabilities."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cleanlab.filter import find_label_issues
from sklearn.datasets import load_wine

from ingest.commands.main import main
from ingest.predicting.estimators.table_model import boosting, linear


def table(n: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n)
    frame = pd.DataFrame(
        {
            "size": labels + rng.normal(0, 0.4, n),
            "colour": np.array(["red", "green", "blue"], object)[np.where(rng.random(n) < 0.9, labels, 0)],
            "nothing": np.full(n, np.nan),
            "same": np.ones(n),
        }
    )
    frame.loc[3, "size"] = np.nan
    frame.loc[5, "colour"] = None
    return frame, labels


@pytest.mark.parametrize("make", [boosting, linear])
def test_numbers_categories_and_what_is_missing_are_learnt_from(make):
    frame, labels = table()
    model = make(0).fit(frame[:150], labels[:150])
    asked = frame[150:].copy()
    asked.loc[160, "colour"] = "never seen"
    asked.loc[161, "size"] = np.inf
    found = model.predict_proba(asked)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.argmax(axis=1) == labels[150:]).mean() > 0.85


def test_rare_categories_do_not_stop_it():
    frame = pd.DataFrame({"id": np.array([f"id{place}" for place in range(600)], object), "x": np.arange(600.0)})
    labels = (frame["x"] >= 300).to_numpy().astype(int)
    assert (boosting(0).fit(frame, labels).predict_proba(frame).argmax(axis=1) == labels).mean() > 0.95


def test_planted_errors_of_a_table_are_found_as_well_as_by_cleanlab(tmp_path, capsys):
    wine = load_wine(as_frame=True)
    labels = wine.target.to_numpy().copy()
    rng = np.random.default_rng(1)
    planted = rng.choice(len(labels), len(labels) * 5 // 100 + 1, replace=False)
    labels[planted] = (labels[planted] + rng.integers(1, 3, len(planted))) % 3
    names = np.array(["barolo", "grignolino", "barbera"])
    wine.data.assign(kind=names[labels]).to_csv(tmp_path / "wine.csv", index=False)
    out = tmp_path / "out"
    assert main(["init", str(tmp_path / "wine.csv"), "--label-column", "kind", "--out", str(out)]) == 0
    assert main(["predict", str(out / "dataset.toml"), "--media", str(tmp_path)]) == 0
    assert {one["name"] for one in json.loads((out / "pred_probs.json").read_text())["models"]} == {
        "boosting",
        "linear",
    }
    given, probs = np.load(out / "labels.npy"), np.load(out / "pred_probs.npy").astype(np.float64)
    listed = tmp_path / "issues.csv"
    command = ["flag", str(out / "pred_probs.npy"), "--labels", str(out / "labels.npy"), "--out", str(listed)]
    assert main(command) == 0
    ours = pd.read_csv(listed)["index"].to_numpy()
    # In this process: others would be forked from one with many threads, and may wait for a lock for ever.
    theirs = find_label_issues(
        given, probs / probs.sum(axis=1, keepdims=True), return_indices_ranked_by="self_confidence", n_jobs=1
    )
    quality = {}
    for who, found in (("ours", ours), ("cleanlab", theirs)):
        hits = len(set(found.tolist()) & set(planted.tolist()))
        quality[who] = (hits / max(1, len(found)), hits / len(planted))
    assert quality["ours"][0] >= quality["cleanlab"][0]
    assert quality["ours"][1] >= quality["cleanlab"][1]
    assert quality["ours"][0] >= 0.7
    assert quality["ours"][1] >= 0.6


def test_rows_that_are_equal_by_chance_are_no_duplicates(tmp_path: Path, capsys):
    """Passengers of two sexes, three classes and three ports: most rows are equal to many, and labels only likely."""
    rng = np.random.default_rng(0)
    sex, cabin, port = rng.choice(["male", "female"], 400), rng.integers(1, 4, 400), rng.choice(list("SCQ"), 400)
    survived = rng.random(400) < 1 / (1 + np.exp(1.5 - 2.5 * (sex == "female") + 0.8 * (cabin - 2)))
    rows = [",".join(map(str, row)) for row in zip(sex, cabin, port, np.where(survived, "yes", "no"), strict=True)]
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "rows.csv").write_text("\n".join(["sex,cabin,port,survived", *rows]) + "\n")
    arguments = ["--out", str(tmp_path / "out"), "--catalogue", str(tmp_path / "c.sqlite"), "--no-serve"]
    asked = ["try", str(tmp_path / "table"), *arguments, "--label-column", "survived", "--model", "linear"]
    for further in ([], ["--no-near-duplicates"]):
        assert main([*asked, *further]) == 0
        told = json.loads((tmp_path / "out" / "pred_probs.json").read_text())
        assert told["near_duplicates"] == {"pairs": 0, "n_different": 0, "different_labels": []}
        assert [one["n"] for one in told["by_fold"]] == [40] * 10
        assert "which is more than wrong labels explain" in capsys.readouterr().out
