"""A round over multiple-choice questions: raters see question and options, and nothing that tells the answer."""

import json

import numpy as np

from ingest.commands.main import main
from tests.app.site.review.rounds import open_round

MANIFEST = """\
name = "tides"
title = "Tides"
modality = "question"
summary = "Made-up questions about the sea."
flag = 3

[licence]
name = "CC0"
source = "made up"
media = "host"

[classes]
names = ["A", "B", "C"]

[files]
pred_probs = "probs.npy"

[media]
layout = "choices"
path = "tides.jsonl"
"""
N = 12


def test_a_rater_sees_the_options_and_no_typical_examples(tmp_path):
    """Of another question "B" is another option, so there is nothing typical of it, and nothing to practise on."""
    asked = [
        {"question": f"Which is tide {n}?", "choices": [f"<i>ebb</i> {n}", f"flow {n}", f"neap {n}"], "answer": n % 3}
        for n in range(N)
    ]
    (tmp_path / "tides.jsonl").write_text("".join(json.dumps(one) + "\n" for one in asked))
    guessed = [(n + (n < 3)) % 3 for n in range(N)]
    np.save(tmp_path / "probs.npy", np.where(np.eye(3)[guessed] > 0, 0.9, 0.05))
    (tmp_path / "tides.toml").write_text(MANIFEST)
    catalogue = tmp_path / "tides.sqlite"
    assert main(["add", str(tmp_path / "tides.toml"), str(tmp_path), "--catalogue", str(catalogue)]) == 0
    with open_round(catalogue, tmp_path, "tides", "--votes", "1", raters=1) as found:
        rater = found.rater(0)
        task = rater.get("/review/api/task").json()
        assert [one["kind"] for one in task["media"]] == ["question"]
        assert task["a"]["exemplars"] == task["b"]["exemplars"] == []
        shown = rater.get(task["media"][0]["address"]).json()
        assert set(shown) == {"question", "options"}
        assert shown["options"] == asked[int(shown["question"].split()[-1].rstrip("?"))]["choices"]
        page = found.http.get(f"{found.links[0]}?start=1").text
        assert "&lt;i&gt;ebb&lt;/i&gt;" in page
        assert "<i>ebb" not in page
        assert "Practise" not in found.http.get(f"{found.links[0]}?help=1").text
