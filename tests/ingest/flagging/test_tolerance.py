"""Rows that sum to something else than 1, within what a person states: the same as dividing them by hand."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.domain.confident_learning import joint_cells
from app.domain.confident_learning.joint import FlagRule
from ingest.commands.main import main
from ingest.errors import DataError, ManifestError
from ingest.flagging.engine import FlagResult, flag
from ingest.flagging.executors import in_pool, on_dask
from ingest.manifest.parse import read_manifest
from ingest.matrices import row_kernel
from ingest.matrices.matrix import open_matrix

N, M = 4_000, 10
TYPES = ["f2", "f4", "f8"]


def rows_off(dtype: str) -> Any:
    """Rows that sum to about .985 to 1.015, as published matrices of half precision do."""
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.full(M, 0.3), N) * rng.uniform(0.985, 1.015, (N, 1))
    return probs.astype(dtype)


@pytest.fixture(params=TYPES)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path, Any]:
    """The matrix as it is, the same divided by hand in double precision, and labels."""
    probs = rows_off(request.param)
    np.save(tmp_path / "off.npy", probs)
    wide = probs.astype(np.float64)
    np.save(tmp_path / "hand.npy", wide / wide.sum(axis=1, keepdims=True))
    return tmp_path / "off.npy", tmp_path / "hand.npy", np.random.default_rng(4).integers(0, M, N)


def same(one: FlagResult, other: FlagResult) -> bool:
    """To the last bit."""
    return (
        one.margins.tobytes() == other.margins.tobytes()
        and one.thresholds.tobytes() == other.thresholds.tobytes()
        and np.array_equal(one.counted.dense(), other.counted.dense())
        and np.array_equal(one.flagged, other.flagged)
    )


@pytest.mark.parametrize("rule", [FlagRule.CALIBRATED, FlagRule.BOTH, 17])
def test_it_is_what_dividing_by_hand_gives(files: tuple[Path, Path, Any], rule: Any, monkeypatch: Any) -> None:
    off, hand, labels = files
    expected = flag(labels, open_matrix([hand], N, M), rule, lambda _: None)
    matrix = open_matrix([off], N, M, tolerance=0.02)
    for code in {row_kernel._row_kernel, None}:
        monkeypatch.setattr(row_kernel, "_row_kernel", code)
        with in_pool(2) as executor:
            for how in (None, executor):
                found = flag(labels, matrix, rule, lambda _: None, how)
                assert same(found, expected)
    usual = 1e-2 if off.stat().st_size < 3 * N * M else 1e-4
    sums = np.load(off).astype(np.float64).sum(axis=1)
    assert found.n_beyond == int((np.abs(sums - 1) > usual).sum()) > 100
    assert np.array_equal(matrix.rows(np.array([0, 9, N - 1])), np.load(hand)[[0, 9, N - 1]])


@pytest.mark.slow
@pytest.mark.parametrize("table_cells", [0, joint_cells.TABLE_CELLS], ids=["by sorting", "in a table"])
def test_it_is_the_same_in_processes_and_on_dask(
    files: tuple[Path, Path, Any], table_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    off, hand, labels = files
    expected = flag(labels, open_matrix([hand], N, M), FlagRule.BOTH, lambda _: None)
    matrix = open_matrix([off], N, M, tolerance=0.02)
    monkeypatch.setattr(joint_cells, "TABLE_CELLS", table_cells)
    for executor in (in_pool(2, "processes"), on_dask("local", 2)):
        with executor as one:
            found = flag(labels, matrix, FlagRule.BOTH, lambda _: None, one)
        assert same(found, expected)
        assert found.n_beyond > 100


def test_rows_within_what_is_usual_are_divided_too(tmp_path: Path) -> None:
    """All rows are treated alike, for a matrix half of which was divided is that of nobody."""
    probs = np.array([[0.5, 0.495], [0.25, 0.75]], np.float16)
    np.save(tmp_path / "p.npy", probs)
    found = flag(np.array([0, 1]), open_matrix([tmp_path / "p.npy"], 2, 2, tolerance=0.1), 1, lambda _: None)
    assert found.self_confidence.tolist() == [0.5 / float(probs[0].sum(dtype=float)), 0.75]
    assert found.n_beyond == 0


def test_beyond_it_rows_are_refused_and_what_would_do_is_offered(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", rows_off("f2"))
    with pytest.raises(
        DataError, match=r"within 0\.01, found a sum of .*say --tolerance 0\.02, or \"tolerance = 0\.02\""
    ):
        list(open_matrix([tmp_path / "p.npy"], N, M).blocks())
    with pytest.raises(DataError, match=r"row \d+: expected probabilities that sum to 1 within 0\.012, .* 0\.02"):
        list(open_matrix([tmp_path / "p.npy"], N, M, tolerance=0.012).blocks())
    for row, finding in (
        ([np.nan, 1], "expected finite numbers, found nan"),
        ([-0.002, 1], "found -0.002 for class 0; if these are logits"),
        ([1.3, 0], "found 1.3 for class 0"),
        ([0, 0], r"sum to 1 within 0\.2, found a sum of 0$"),
    ):
        np.save(tmp_path / "p.npy", np.array([row, [0.5, 0.5]]))
        with pytest.raises(DataError, match=finding):
            list(open_matrix([tmp_path / "p.npy"], 2, 2, tolerance=0.2).blocks())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "p.npy", rows_off("f2"))
    np.save(tmp_path / "l.npy", np.arange(N) % M)
    given = ["flag", str(tmp_path / "p.npy"), "--labels", str(tmp_path / "l.npy")]
    assert main(given) == 1
    assert "--tolerance 0.02" in capsys.readouterr().err
    assert main([*given, "--tolerance", "0.02"]) == 0
    beyond = int((np.abs(rows_off("f2").astype(float).sum(axis=1) - 1) > 1e-2).sum())
    said = f"{beyond:,} of 4,000 rows are farther from summing to 1 than is usual, within 0.02; all rows were divided"
    assert said in capsys.readouterr().out
    assert main([*given, "--tolerance", "0.02", "--logits"]) == 1
    assert "--tolerance goes with probabilities" in capsys.readouterr().err
    assert main([*given, "--tolerance", "0.02", "--multiple"]) == 1
    assert "no --tolerance" in capsys.readouterr().err
    for wrong in ("0", "0.6", "-1", "nan", "much"):
        with pytest.raises(SystemExit, match="2"):
            main([*given, "--tolerance", wrong])


def test_the_manifest(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.probs = (tiny.probs * np.linspace(0.985, 1.015, 40)[:, None]).astype(np.float16)
    assert tiny.add(tmp_path / "c.sqlite") == 1
    assert '"tolerance = 0.02" in a manifest' in capsys.readouterr().err
    tiny.top = "flag = 8\ntolerance = 0.02"
    assert tiny.add(tmp_path / "c.sqlite") == 0
    assert "of 40 rows are farther from summing to 1 than is usual, within 0.02" in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "c.sqlite")) as connection:
        rule, found = connection.execute("SELECT flag_rule, confident_learning FROM datasets").fetchone()
    assert "rows are farther from summing to 1" in rule
    assert json.loads(found)["tolerance"] == 0.02
    for top, said in (
        ("tolerance = 0", "tolerance: expected a number above 0, at most 0.5, found 0"),
        ("tolerance = 0.02\nlogits = true", "tolerance: expected where rows sum to 1"),
    ):
        tiny.top = top
        with pytest.raises(ManifestError, match=said):
            read_manifest(tiny.write())
