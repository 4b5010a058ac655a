"""The compiled look at rows against numpy's: the same scores to the last bit, the same findings, no crash on misuse."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning.joint import FlagRule
from app.domain.confident_learning.row_scores import ROUNDING, SURE, doubtful_rows, empty_scores, row_sums, score_rows
from ingest.errors import DataError
from ingest.flagging.engine import flag
from ingest.matrices import row_kernel
from ingest.matrices.matrix import open_matrix
from ingest.matrices.row_kernel import look

ROOT = Path(__file__).resolve().parents[3]
TYPES = [np.float16, np.float32, np.float64]

#: Around what the compiled code and wide registers take at a time.
WIDTHS = [1, 2, 3, 7, 8, 9, 31, 33, 63, 64, 65, 100, 127, 129, 255, 256, 257, 345, 383, 384, 385, 513, 1_000]


def can_compile() -> bool:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    return shutil.which(compiler) is not None and Path(sysconfig.get_path("include"), "Python.h").is_file()


#: Of compiled code there is nothing to test where it cannot be; where it can and is not, these tests fail.
compiled = pytest.mark.skipif(not can_compile(), reason="there is no compiler")


@pytest.fixture(params=[pytest.param("compiled", marks=compiled), "numpy"])
def looker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who looks: the compiled code, or what does it where there is no compiler."""
    if request.param == "numpy":
        monkeypatch.setattr(row_kernel, "_row_kernel", None)
    assert (row_kernel._row_kernel is None) == (request.param == "numpy")
    return str(request.param)


@compiled
def test_it_is_compiled_where_it_can_be():
    assert row_kernel._row_kernel is not None


def test_nothing_but_time_is_lost_where_it_is_not_compiled():
    code = """if True:
        import sys
        sys.modules["ingest.matrices._row_kernel"] = None
        from ingest.commands.main import main
        main(["flag", "--help"])
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "here by numpy." in done.stdout
    assert done.stderr == ""


@compiled
@settings(max_examples=300)
@given(
    st.sampled_from(TYPES),
    st.sampled_from(WIDTHS),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["dirichlet", "ties", "confident", "bits"]),
    st.sampled_from([np.int8, np.uint16, np.int64]),
)
def test_scores_are_numpys_to_the_last_bit(dtype: Any, m: int, n: int, seed: int, kind: str, integer: Any):
    """Also of numbers that are no probabilities, down to any bits at all: NaN, infinities, negative ones, -0."""
    rng = np.random.default_rng(seed)
    block = np.empty((n, m), dtype)
    if kind == "bits":
        block.reshape(-1).view(np.uint8)[:] = rng.integers(0, 256, block.nbytes)
    elif kind == "ties":
        block[:] = rng.integers(0, 3, (n, m)) / 4
    else:
        block[:] = rng.dirichlet(np.full(m, 0.01 if kind == "confident" else 1.0), n)
    labels = rng.integers(0, min(m, 127), n).astype(integer)
    with np.errstate(all="ignore"):
        expected = score_rows(labels, block.copy())
        sums = row_sums(block)
        doubtful = doubtful_rows(expected, sums)
        # Where the sum is at the very bound, the two may add up differently.
        clear = np.flatnonzero(~(np.abs(np.abs(sums - 1) - SURE[block.itemsize]) < ROUNDING[block.itemsize] / 10))
    before = block.tobytes()
    found = empty_scores(n, m, block.dtype)
    rows = look(labels, block, found)
    assert found.own.tobytes() == expected.own.tobytes()
    assert found.other.tobytes() == expected.other.tobytes()
    assert found.rival.tolist() == expected.rival.tolist()
    assert found.rival.dtype == expected.rival.dtype
    assert np.intersect1d(rows, clear).tolist() == np.intersect1d(doubtful, clear).tolist()
    assert block.tobytes() == before


def test_more_classes_than_two_bytes_can_name(looker: str):
    block = np.zeros((3, 70_000), np.float32)
    block[0, [4, 69_999]] = 0.25, 0.75
    block[1, [69_998, 69_999]] = 0.5, 0.5
    block[2, 300] = 1
    found = empty_scores(3, 70_000, block.dtype)
    assert look(np.array([4, 69_999, 300]), block, found).tolist() == []
    assert found.own.tolist() == [0.25, 0.5, 1]
    assert found.other.tolist() == [0.75, 0.5, 0]
    assert found.rival.tolist() == [69_999, 69_998, 300]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("m", [2, 7, 345, 1_000, 60_000])
def test_rows_are_doubtful_from_their_sum_on(looker: str, dtype: Any, m: int):
    """Every row that is farther from 1 than rounding explains; none that is well within."""
    rng = np.random.default_rng(m)
    rounding = ROUNDING[np.dtype(dtype).itemsize]
    off = rng.uniform(-3, 3, 200) * rounding
    probs = rng.dirichlet(np.ones(m), 200)
    block = (probs * (1 + off[:, None])).astype(dtype)
    exact = np.abs(block.astype(np.float64).sum(axis=1) - 1)
    rows = look(rng.integers(0, min(m, 100), 200), block, empty_scores(200, m, block.dtype))
    assert set(np.flatnonzero(exact > rounding)) <= set(rows)
    assert not set(np.flatnonzero(exact < 0.4 * rounding)) & set(rows)


@pytest.mark.parametrize(("bits", "m"), [(949459065, 13_834), (940019335, 30_941)])
@pytest.mark.parametrize("n", [1, 3])
def test_equal_numbers_do_not_add_up_their_rounding(looker: str, bits: int, m: int, n: int):
    """Rows a little farther from 1 than rounding explains, of which adding in single precision loses half of that."""
    block = np.full((n, m), np.uint32(bits).view(np.float32))
    assert abs(block[0].astype(np.float64).sum() - 1) > ROUNDING[4]
    assert look(np.arange(n), block, empty_scores(n, m, block.dtype)).tolist() == list(range(n))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -0.0, -0.25, 1.5])
@pytest.mark.parametrize("column", [0, 5, 31, 49])
def test_what_is_no_probability_shows(looker: str, dtype: Any, bad: float, column: int):
    probs = np.full((40, 50), 0.02, dtype)
    probs[7, column] = bad
    assert look(np.full(40, 5), probs, empty_scores(40, 50, probs.dtype)).tolist() == [7]


def test_no_rows(looker: str):
    assert look(np.zeros(0, np.int64), np.zeros((0, 4)), empty_scores(0, 4, np.dtype(float))).tolist() == []


@pytest.mark.parametrize("label", [-1, 4, 2**40, -(2**63)])
@compiled
def test_a_label_that_is_no_class_is_refused_before_anything_is_touched(label: int):
    block = np.full((3, 4), 0.25)
    with pytest.raises(IndexError, match="labels from 0 to 3"):
        look(np.array([0, 1, label]), block, empty_scores(3, 4, block.dtype))
    assert (block == 0.25).all()


@compiled
@pytest.mark.parametrize("short", range(6))
@pytest.mark.parametrize("change", [-1, 1])
def test_arrays_of_other_sizes_are_refused(short: int, change: int):
    sizes = (3, 4, 8, 1)
    lengths = [24, 96, 24, 24, 3, 3]
    lengths[short] += change
    with pytest.raises(ValueError, match="one number of rows"):
        row_kernel._row_kernel.look(sizes, 0.1, *(bytearray(length) for length in lengths))


@compiled
@pytest.mark.parametrize("sizes", [(3, 4, 0, 1), (3, 4, 8, 0), (3, 0, 8, 1), (-3, -4, 8, 1), (3, 2**62, 8, 1)])
def test_impossible_sizes_are_refused(sizes: tuple[int, int, int, int]):
    arrays = [bytearray(length) for length in (24, 96, 24, 24, 3, 3)]
    with pytest.raises(ValueError, match="one number of rows"):
        row_kernel._row_kernel.look(sizes, 0.1, *arrays)


@compiled
@pytest.mark.parametrize("off", [0.0, 1.5e-3, 5e-3])
@pytest.mark.parametrize("dtype", TYPES)
def test_findings_do_not_depend_on_who_looks(tmp_path: Path, monkeypatch: Any, off: float, dtype: Any):
    """Rows within rounding, near its bound, and those that are mended."""
    rng = np.random.default_rng(5)
    probs = rng.dirichlet(np.full(30, 0.3), 4_000)
    probs *= 1 + rng.uniform(-off, off, (4_000, 1)) * ROUNDING[np.dtype(dtype).itemsize] / ROUNDING[2]
    np.save(tmp_path / "p.npy", probs.astype(dtype))
    labels = rng.integers(0, 30, 4_000)
    found = []
    for code in (row_kernel._row_kernel, None):
        monkeypatch.setattr(row_kernel, "_row_kernel", code)
        matrix = open_matrix([tmp_path / "p.npy"], 4_000, 30)
        found.append(flag(labels, matrix, FlagRule.CALIBRATED, lambda _: None))
    one, other = found
    assert one.margins.tobytes() == other.margins.tobytes()
    assert one.thresholds.tobytes() == other.thresholds.tobytes()
    assert (one.counted.dense() == other.counted.dense()).all()
    assert (one.flagged == other.flagged).all()


def test_a_row_that_is_off_is_named(looker: str, tmp_path: Path):
    probs = np.full((500, 345), 1 / 345, np.float16)
    probs[333] *= 1.05
    np.save(tmp_path / "p.npy", probs)
    with pytest.raises(DataError, match=r"p\.npy.*row 333.*sum of 1\.0"):
        flag(np.zeros(500, np.int64), open_matrix([tmp_path / "p.npy"], 500, 345), 5, lambda _: None)
