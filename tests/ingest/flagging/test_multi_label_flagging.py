"""Examples with several labels, from files to a catalogue."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.domain.confident_learning.joint import FlagRule
from ingest.commands.main import main
from ingest.errors import DataError
from ingest.flagging.multi_label import flag_sets
from ingest.matrices.matrix import open_matrix
from tests.serving import serving

MANIFEST = """\
name = "sets"
title = "Sets"
modality = "audio"
summary = "Several labels each."
labels = "multiple"
{flag}
[licence]
name = "CC0"
source = "made up"
media = "none"
[classes]
names = ["ant", "bee", "cat", "dog"]
[files]
labels = "labels.npy"
pred_probs = "probs.npy"
"""

SETS = [(0,), (0, 1), (2,), (), (1, 3), (3,)]
PROBS = np.array(
    [
        [0.9, 0.8, 0.1, 0.0],  # overlaps: 0.9 and 1 - 0.8, or 0.6 and 0.9
        [0.1, 0.2, 0.9, 0.0],  # 0.1, 0.2 and 1 - 0.9
        [0.7, 0.0, 0.4, 0.0],  # 0.4 and 1 - 0.7
        [0.1, 0.1, 0.3, 0.2],  # nothing given: 1 - 0.3
        [0.0, 0.6, 0.0, 0.9],  # overlaps: 0.9 and 1 - 0.8, or 0.6 and 0.9
        [0.9, 0.9, 0.9, 0.0],  # 0 and thrice 1 - 0.9
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    labels = np.empty(len(SETS), dtype=object)
    labels[:] = [np.array(one, np.uint16) for one in SETS]
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "probs.npy", PROBS)
    return tmp_path


@pytest.mark.parametrize("block_bytes", [1, 70, 1_000_000])
def test_scores_and_candidates_by_hand(block_bytes: int, folder: Path) -> None:
    matrix = replace(open_matrix([folder / "probs.npy"], 6, 4), block_bytes=block_bytes)
    done: list[int] = []
    found = flag_sets(SETS, matrix, 2, done.append)
    np.testing.assert_allclose(found.self_confidence, [0.55, 0.4 / 3, 0.35, 0.7, 0.75, 0.075])
    assert found.guesses == [(0, 1), (2,), (0,), (2,), (1, 3), (0, 1, 2)]
    assert (found.n_candidates, found.flagged.tolist(), sum(done)) == (4, [5, 1], 6)
    assert found.ranks.tolist() == [4, 2, 3, 5, 6, 1]
    assert flag_sets(SETS, matrix, FlagRule.CALIBRATED, done.append).flagged.tolist() == [5, 1, 2]
    # Published predictions stand for the matrix's own: here they make the first example a candidate.
    guesses = [(3,), *found.guesses[1:]]
    assert flag_sets(SETS, matrix, 9, done.append, guesses).n_candidates == 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1, 1.1])
def test_what_is_no_probability_is_named(bad: float, folder: Path) -> None:
    probs = PROBS.copy()
    probs[4, 2] = bad
    np.save(folder / "probs.npy", probs)
    with pytest.raises(DataError, match=r"probs\.npy: row 4: expected probabilities from 0 to 1, found .* for class 2"):
        flag_sets(SETS, open_matrix([folder / "probs.npy"], 6, 4), 2, lambda _: None)


def test_a_catalogue_of_sets(folder: Path) -> None:
    (folder / "sets.toml").write_text(MANIFEST.format(flag="flag = 2"))
    assert main(["add", str(folder / "sets.toml"), str(folder), "--catalogue", str(folder / "c.sqlite")]) == 0
    with closing(sqlite3.connect(folder / "c.sqlite")) as connection:
        issues: Any = connection.execute(
            "SELECT idx, g.members, h.members, flagged, self_confidence, normalized_margin, rank FROM issues"
            " JOIN label_sets g ON g.label_id = given JOIN label_sets h ON h.label_id = guessed ORDER BY rank"
        ).fetchall()
        [(rule, flagged)] = connection.execute("SELECT flag_rule, n_flagged FROM datasets").fetchall()
    assert [row[:4] for row in issues] == [(5, "[3]", "[0,1,2]", 1), (1, "[0,1]", "[2]", 1)]
    assert [row[5:] for row in issues] == [(None, 1), (None, 2)]
    assert issues[0][4] == pytest.approx(0.075)
    assert flagged == 2
    assert rule.startswith("The 2 examples of lowest self-confidence, pooled over the labels given or guessed")


def test_exemplars_stand_for_every_label_they_carry_beside_what_differs(folder: Path) -> None:
    """A set's shelf is that of the first label that it has and the other set has not."""
    texts = folder / "texts"
    texts.mkdir()
    for index in range(len(SETS)):
        (texts / f"{index}.txt").write_text(f"text of {index}")
    text = MANIFEST.format(flag="flag = 2").replace('modality = "audio"', 'modality = "text"')
    text = text.replace('media = "none"', 'media = "host"')
    (folder / "sets.toml").write_text(f'{text}[media]\nlayout = "text-folder"\npath = "texts"\n')
    catalogue = folder / "c.sqlite"
    command = ["add", str(folder / "sets.toml"), str(folder), "--media", str(folder), "--catalogue", str(catalogue)]
    assert main(command) == 0
    with closing(sqlite3.connect(catalogue)) as connection:
        rows = connection.execute("SELECT class_id, idx FROM exemplars ORDER BY class_id, position").fetchall()
    assert rows == [(0, 0), (1, 4), (2, 2), (3, 4)]
    with serving(catalogue) as site:
        page = httpx.get(f"{site}/sets/issues/1", timeout=60).text
        order = [
            issue["index"] for issue in httpx.get(f"{site}/api/v1/datasets/sets/issues", timeout=60).json()["items"]
        ]
        words = httpx.get(f"{site}/sets?sort=-margin", timeout=60).text
    assert order == [5, 1], "lowest self-confidence first"
    assert "highest self-confidence first" in words
    assert "The mean over the given and guessed labels" in page
    assert "examples by self-confidence. 1 is the most suspicious" in page
    assert "normalized margin" not in page, "sets have none"
    assert "given label, ant" in page
    assert "text of 0" in page
    assert "guessed label, cat" in page
    assert "text of 2" in page
