"""Votes of a round, published over a dataset that has a second opinion: what it says of the new verdicts is there."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from ingest.commands.main import main
from tests.app.site.review.replay import Texts
from tests.app.site.review.rounds import open_round, review

MANIFEST = """
name = "second"
title = "Second look"
licence = "CC0"
redistributable = true
independent = true
format = "labels-npy"
[check]
example = {example}
classes = [{label}]
agreement = 0.5
"""


def rows(catalogue: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(catalogue)) as connection:
        return connection.execute(statement).fetchall()


def test_publishing_a_round_states_opinions_anew(texts: Texts, quick_folder: Path, tmp_path: Path) -> None:
    verdicts = (
        "SELECT idx, given, corrected FROM verdicts JOIN issues ON issues.id = issue_id "
        "WHERE agreement = 3 AND category = 'correctable' ORDER BY idx"
    )
    corrected = rows(texts.voted, verdicts)[:4]
    n = rows(texts.voted, "SELECT size FROM datasets")[0][0]
    # It confirms every other of these corrections, and opposes the others.
    expected = {idx: "cg"[place % 2] for place, (idx, _, _) in enumerate(corrected)}
    said = np.full(n, -1)
    said[[idx for idx, _, _ in corrected]] = [(other, own)[p % 2] for p, (_, own, other) in enumerate(corrected)]
    # Beside them it repeats the given labels, so that it is joined with the right examples.
    others = rows(texts.voted, "SELECT idx, given FROM issues")
    for idx, given in others:
        if idx not in expected:
            said[idx] = given
    np.save(tmp_path / "second.npy", said)
    source = tmp_path / "second.toml"
    source.write_text(MANIFEST.format(example=corrected[0][0], label=corrected[0][2]))
    chosen = tmp_path / "chosen.txt"
    chosen.write_text("\n".join(str(idx) for idx in expected))
    with open_round(texts.bare, quick_folder, "sample-texts", "--examples", str(chosen)) as found:
        catalogue = found.catalogue
        file = str(tmp_path / "second.npy")
        arguments = ["opinions", "sample-texts", "--source", str(source), file, "--catalogue", str(catalogue)]
        assert main(arguments) == 0
        before = rows(catalogue, "SELECT version FROM datasets")
        assert rows(catalogue, "SELECT COUNT(*) FROM verdicts") == [(0,)]
        assert sum(texts.replayed(found)) == 5 * len(expected)
        review(catalogue, "close", found.name)
        review(catalogue, "publish", found.name)
        signs = rows(
            catalogue,
            "SELECT idx, opinions FROM verdicts JOIN issues ON issues.id = issue_id WHERE agreement = 3",
        )
        assert dict(signs) == expected
        after = rows(catalogue, "SELECT version FROM datasets")
        assert after != before
        bare = rows(catalogue, "SELECT version FROM bare_versions")
        assert bare != after
        ((text,),) = rows(catalogue, "SELECT results FROM opinion_reports WHERE agreement = 3")
        table = json.loads(text)["sources"][0]["table"]["correctable"]
        assert (table["guessed"], table["given"]) == (2, 2)
        # It is known who voted, so a correction is as sure as the estimate is of the guess, the one answer beside it.
        sure = rows(
            catalogue,
            "SELECT confidence, JSON_EXTRACT(shares, '$.guessed') FROM verdicts JOIN weighed_verdicts AS w ON "
            "w.issue_id = verdicts.issue_id WHERE agreement = 3 AND verdicts.category = 'correctable'",
        )
        assert len(sure) == 4
        assert all(confidence == share is not None for confidence, share in sure)
        ((report,),) = rows(catalogue, "SELECT results FROM confidence_reports")
        assert (json.loads(report)["method"], json.loads(report)["right"]["why_not"]) == ("dawid_skene", "few")
        # The same votes, published again, are the same version.
        review(catalogue, "publish", found.name)
        assert rows(catalogue, "SELECT version FROM datasets") == after
        answer = found.http.get("/api/v1/datasets/sample-texts/opinions").json()
        assert answer["sources"][0]["table"]["correctable"] == table
