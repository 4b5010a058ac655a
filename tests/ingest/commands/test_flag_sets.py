"""``python -m ingest flag --multiple``: examples that carry sets of labels, against plain loops."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.commands.per_class_report import joints_by_class
from ingest.matrices.matrix import open_matrix

ROOT = Path(__file__).resolve().parents[3]
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
        assert {row["given_names"] for row in table if row["given"] == "2"} == {"=rain"}


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
        (
            [[0]] * 199 + [[4]],
            "sets.json: example 199 (entry 199, counted from 0): expected a class from 0 to 3, found 4",
        ),
        (
            [[0]] * 199 + [["ox"]],
            "sets.json: example 199 (entry 199, counted from 0): expected the number of a class (names need --",
        ),
        ([[0]] * 199 + [3], "sets.json: example 199 (entry 199, counted from 0): expected class numbers"),
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


def joint_by_hand(sets: list[list[int]], probs: Any, label: int) -> tuple[int, int]:
    """How many lack a class, and how many have it wrongly: each example, each of the two answers, one by one."""
    present = [float(row[label]) for row in probs]
    given = [label in labels for labels in sets]
    with_it = [p for p, has in zip(present, given, strict=True) if has]
    without = [1 - p for p, has in zip(present, given, strict=True) if not has]
    lacking = wrongly = 0
    for p, has in zip(present, given, strict=True):
        can_have = p >= sum(with_it) / len(with_it)
        can_lack = 1 - p >= sum(without) / len(without)
        has_it = can_have and (not can_lack or p > 1 - p)
        lacks_it = can_lack and not has_it
        lacking += has_it and not has
        wrongly += lacks_it and has
    return lacking, wrongly


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_each_class_against_the_rest(made: Any, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    folder, sets, probs = made
    out = folder / f"classes-out.{ending}"
    assert flag(folder, "--classes", str(folder / "classes.json"), "--per-class", str(out)) == 0
    said = capsys.readouterr().out
    if ending == "json":
        rows = json.loads(out.read_text())
    elif ending == "csv":
        with out.open(newline="") as stream:
            rows = [{k: v if k == "class_name" else int(v) for k, v in row.items()} for row in csv.DictReader(stream)]
    else:
        rows = pq.read_table(out).to_pylist()
    expected = [joint_by_hand(sets, probs, label) for label in range(4)]
    assert [(row["class"], row["lacking"], row["wrongly"]) for row in rows] == [
        (label, *counts) for label, counts in enumerate(expected)
    ]
    assert [row["class_name"] for row in rows] == NAMES
    assert all(row["flagged"] == row["lacking"] + row["wrongly"] > 0 for row in rows)
    total = sum(map(sum, expected))
    assert f"each class against the rest would flag {total} labels in 4 of 4 classes" in said
    assert f"dog: {sum(expected[0])} ({expected[0][0]} lacking, {expected[0][1]} given wrongly)" in said
    assert f"wrote {out}: 4 classes" in said


def test_few_classes_at_a_time_are_as_good_as_all(made: Any) -> None:
    folder, sets, _ = made
    matrix = open_matrix([folder / "probs.npy"], len(sets), 4)
    labels = [tuple(labels) for labels in sets]
    whole = joints_by_class(labels, matrix, lambda _: None)
    for entries in (1, 400, 600):
        told: list[int] = []
        assert np.array_equal(joints_by_class(labels, matrix, told.append, entries), whole)
        assert sum(told) == 4


def test_classes_by_themselves_need_sets(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    command = ["flag", str(folder / "probs.npy"), "--labels", str(folder / "sets.json")]
    assert main([*command, "--per-class", str(folder / "c.json")]) == 1
    assert "--per-class goes with --multiple" in capsys.readouterr().err
    assert flag(folder, "--per-class", str(folder / "sets.json")) == 1
    assert "sets.json: expected another file to write than those that are read" in capsys.readouterr().err


def test_one_file_is_not_written_twice(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    (folder / "inside").mkdir()
    same = str(folder / "same.csv"), str(folder / "inside/../same.csv")
    assert flag(folder, "--per-class", same[0], "--out", same[1]) == 1
    assert "same.csv: expected another file to write than those that are read or written" in capsys.readouterr().err
    assert not (folder / "same.csv").exists()


def test_sets_take_the_memory_that_help_says(tmp_path: Path) -> None:
    """Half precision, of which a block of the usual size would be many times as much."""
    n, m = 60_000, 100
    rng = np.random.default_rng(3)
    given = np.zeros((n, m), np.int8)
    given[np.arange(n), rng.integers(0, m, n)] = 1
    np.save(tmp_path / "labels.npy", given)
    np.save(tmp_path / "probs.npy", (given * 0.4 + rng.random((n, m), np.float32) * 0.3).astype(np.float16))
    command = [sys.executable, "-m", "ingest", "flag", "probs.npy", "--labels", "labels.npy", "--multiple"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for more, allowed in ((), 60), (("--per-class", "classes.csv"), 210):
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        peak = next(line for line in done.stdout.splitlines() if "peak memory" in line).split()[-2]
        assert int(peak) < allowed + (8 * 2 * n + 120 * n) / 1e6 + 15, done.stdout
