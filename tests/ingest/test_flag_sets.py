"""``python -m ingest flag --multiple``: examples that carry sets of labels, against plain loops."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.commands import main

NAMES = ["dog", "cat", "=rain", "wind"]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, list[list[int]], Any]:
    """A folder with probs.npy, sets.json and classes.json; the sets; the probabilities, whose rows sum to anything."""
    rng = np.random.default_rng(3)
    sets = [sorted(rng.choice(4, size=rng.integers(0, 4), replace=False).tolist()) for _ in range(200)]
    probs = rng.random((200, 4)).astype(np.float32)
    np.save(tmp_path / "probs.npy", probs)
    (tmp_path / "sets.json").write_text(json.dumps(sets))
    (tmp_path / "classes.json").write_text(json.dumps(NAMES))
    return tmp_path, sets, probs


def flag(folder: Path, *options: str, labels: str = "sets.json") -> int:
    return main(["flag", str(folder / "probs.npy"), "--labels", str(folder / labels), "--multiple", *options])


def by_hand(sets: list[list[int]], probs: Any) -> list[tuple[float, int, list[int]]]:
    """Score, index and guess of each candidate, most suspicious first."""
    found = []
    for index, given in enumerate(sets):
        row = [float(p) for p in probs[index]]
        guess = [j for j, p in enumerate(row) if p >= 0.5] or [row.index(max(row))]
        asked = set(given) | set(guess)
        score = sum(row[j] if j in given else 1 - row[j] for j in asked) / len(asked)
        if not set(given) & set(guess):
            found.append((score, index, guess))
    return sorted(found)


def test_against_plain_loops(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, sets, probs = made
    candidates = by_hand(sets, probs)
    for options, expected in (
        (("--rule", "9"), candidates[:9]),
        ((), [one for one in candidates if one[0] < 0.5]),
    ):
        assert flag(folder, *options, "--out", str(folder / "out.json")) == 0
        rows = json.loads((folder / "out.json").read_text())
        assert [(row["index"], row["guessed"]) for row in rows] == [(index, guess) for _, index, guess in expected]
        assert [row["given"] for row in rows] == [sets[index] for _, index, _ in expected]
        assert np.allclose([row["self_confidence"] for row in rows], [score for score, _, _ in expected], atol=1e-12)
        assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    said = capsys.readouterr().out
    assert "examples 200, classes 4, labels given " in said
    assert f"out of {len(candidates)} whose given and guessed labels do not overlap" in said


def test_every_form_says_the_same(made: Any) -> None:
    folder, sets, _ = made
    np.save(folder / "sets.npy", np.array([[j in given for j in range(4)] for given in sets]).astype(np.uint8))
    (folder / "named.json").write_text(json.dumps([[NAMES[j] for j in given] for given in sets]))
    named = ("--classes", str(folder / "classes.json"), "--all", "--out")
    for labels in ("sets.json", "sets.npy", "named.json"):
        for ending in ("json", "parquet", "csv"):
            assert flag(folder, *named, str(folder / f"{labels}.{ending}"), labels=labels) == 0
    rows = json.loads((folder / "sets.json.json").read_text())
    assert [row["given_names"] for row in rows] == [[NAMES[j] for j in given] for given in sets]
    assert sorted(row["rank"] for row in rows) == list(range(1, 201))
    for labels in ("sets.json", "sets.npy", "named.json"):
        assert json.loads((folder / f"{labels}.json").read_text()) == rows
        assert pq.read_table(folder / f"{labels}.parquet").to_pylist() == rows
        with (folder / f"{labels}.csv").open(newline="") as stream:
            table = list(csv.DictReader(stream))
        assert [row["given"] for row in table] == [";".join(map(str, given)) for given in sets]
        assert {row["given_names"] for row in table if row["given"] == "2"} == {"'=rain"}


def test_an_empty_table_has_its_columns(made: Any) -> None:
    folder, _, _ = made
    for ending in ("json", "parquet", "csv"):
        assert flag(folder, "--rule", "0", "--out", str(folder / f"none.{ending}")) == 0
    schema = pq.read_schema(folder / "none.parquet")
    assert str(schema.field("given").type).startswith("list<")
    assert (folder / "none.csv").read_text().strip() == "index,given,guessed,self_confidence,rank,flagged"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rule", "both"), "--multiple: expected no --rule but a number"),
        (("--logits",), "no --logits"),
        (("--workers", "2"), "--multiple is done in one process"),
    ],
)
def test_what_does_not_go_with_it(
    options: tuple[str, ...], said: str, made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert flag(made[0], *options) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([[0]] * 199, "sets.json: expected 200 labels, one for each row of"),
        ([[0]] * 199 + [[4]], "sets.json: example 199: expected a class from 0 to 3, found 4"),
        ([[0]] * 199 + [["ox"]], "sets.json: example 199: expected class numbers, as an array or a list, found ['ox']"),
        ([[0]] * 199 + [3], "sets.json: example 199: expected class numbers"),
        ({}, "sets.json: expected a list of lists of class numbers, found {}"),
    ],
)
def test_sets_that_are_none(sets: Any, said: str, made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (made[0] / "sets.json").write_text(json.dumps(sets))
    assert flag(made[0]) == 1
    assert said in capsys.readouterr().err


def test_who_forgets_to_say_so_is_told(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    assert main(["flag", str(folder / "probs.npy"), "--labels", str(folder / "sets.json")]) == 1
    assert "; sets of labels need --multiple" in capsys.readouterr().err
