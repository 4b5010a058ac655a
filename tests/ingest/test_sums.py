"""Sums of rows, with NumKong and without: the same to the precision they are needed in, and the same findings."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.domain.confident_learning import FlagRule
from app.domain.row_scores import ROUNDING
from ingest.engine import flag
from ingest.errors import DataError
from ingest.matrices import open_matrix
from ingest.sums import _numkong, row_sums

TYPES = [np.float16, np.float32, np.float64]


@pytest.fixture(params=["NumKong", "numpy"])
def adder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Who adds. Without NumKong its import fails, as where it is not installed."""
    if request.param == "numpy":
        monkeypatch.setitem(sys.modules, "numkong", None)
    _numkong.cache_clear()
    assert (_numkong() is None) == (request.param == "numpy")
    yield request.param
    _numkong.cache_clear()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("n", "m"), [(0, 3), (1, 1), (3, 7), (41, 2), (2, 300_000), (2_000, 345)])
def test_sums_are_far_nearer_than_what_decides(adder, dtype, n, m):
    probs = np.random.default_rng(m).random((n, m))
    probs = (probs / probs.sum(axis=1, keepdims=True)).astype(dtype)
    sums = row_sums(probs)
    assert sums.shape == (n,)
    np.testing.assert_allclose(sums, probs.astype(np.float64).sum(axis=1), atol=ROUNDING[probs.itemsize] / 10)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_shows(adder, dtype, bad):
    probs = np.full((40, 50), 0.02, dtype)
    probs[7, 31] = bad
    near = np.abs(row_sums(probs) - 1) <= ROUNDING[probs.itemsize]
    assert np.flatnonzero(~near).tolist() == [7]


def test_a_block_is_only_read(adder):
    probs = np.full((3, 5), 0.2, np.float16)
    probs.flags.writeable = False
    assert row_sums(probs).tolist() == pytest.approx([1, 1, 1], abs=1e-3)


@pytest.mark.parametrize("off", [0.0, 1.5e-3, 5e-3])
def test_findings_do_not_depend_on_who_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: float):
    """Rows within rounding, near its bound, and those that are mended."""
    rng = np.random.default_rng(5)
    probs = rng.dirichlet(np.full(30, 0.3), 4_000)
    probs *= 1 + rng.uniform(-off, off, (4_000, 1))
    np.save(tmp_path / "p.npy", probs.astype(np.float16))
    labels = rng.integers(0, 30, 4_000)
    found = []
    for without in (False, True):
        if without:
            monkeypatch.setitem(sys.modules, "numkong", None)
        _numkong.cache_clear()
        matrix = open_matrix([tmp_path / "p.npy"], 4_000, 30)
        found.append(flag(labels, matrix, FlagRule.CALIBRATED, lambda _: None))
    _numkong.cache_clear()
    one, other = found
    assert one.margins.tobytes() == other.margins.tobytes()
    assert one.thresholds.tobytes() == other.thresholds.tobytes()
    assert (one.counts == other.counts).all()
    assert (one.flagged == other.flagged).all()


def test_a_row_that_is_off_is_named(adder, tmp_path: Path):
    probs = np.full((500, 345), 1 / 345, np.float16)
    probs[333] *= 1.05
    np.save(tmp_path / "p.npy", probs)
    with pytest.raises(DataError, match=r"p\.npy.*row 333.*sum of 1\.0"):
        flag(np.zeros(500, np.int64), open_matrix([tmp_path / "p.npy"], 500, 345), 5, lambda _: None)
