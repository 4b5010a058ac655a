"""The most probable classes of issues: those of a plain sort, whatever the type, the file and its cuts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.datasets.suspects.top_probabilities import top, top_of_rows
from ingest.errors import DataError
from ingest.matrices.matrix import open_matrix


def plain(row: np.ndarray) -> list[tuple[int, float]]:
    """A stable sort by falling probability: equals in the order of their ids."""
    return sorted(enumerate(row.tolist()), key=lambda one: -one[1])[:5]


@pytest.mark.parametrize("m", [1, 3, 5, 300])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_they_are_those_of_a_plain_sort(dtype: Any, m: int) -> None:
    """Many equals, many zeros and a row that is certain."""
    rng = np.random.default_rng(m)
    block = rng.integers(0, 4, (200, m)).astype(dtype) / dtype(4)
    block[0] = np.eye(m)[m - 1]
    classes, probabilities = top(block)
    for row, found, known in zip(block, classes.tolist(), probabilities.tolist(), strict=True):
        assert list(zip(found, known, strict=True)) == plain(row)


def _npy(folder: Path, probs: np.ndarray) -> list[Path]:
    np.save(folder / "probs.npy", probs)
    return [folder / "probs.npy"]


def _parts(folder: Path, probs: np.ndarray) -> list[Path]:
    np.save(folder / "a.npy", probs[:301])
    np.save(folder / "b.npy", probs[301:])
    return [folder / "a.npy", folder / "b.npy"]


def _parquet(folder: Path, probs: np.ndarray) -> list[Path]:
    """In groups of 100 rows, each of which is unpacked as a whole."""
    table = pa.table({str(column): probs[:, column] for column in range(probs.shape[1])})
    pq.write_table(table, folder / "probs.parquet", row_group_size=100)
    return [folder / "probs.parquet"]


@pytest.mark.parametrize("write", [_npy, _parts, _parquet])
def test_rows_are_found_wherever_they_lie(
    write: Callable[[Path, np.ndarray], list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.datasets.suspects.top_probabilities._SPAN_BYTES", 7_000)
    monkeypatch.setattr("ingest.datasets.suspects.top_probabilities._RANKED_BYTES", 500)
    rng = np.random.default_rng(1)
    probs = rng.dirichlet(np.full(12, 0.3), 1_000).astype(np.float32)
    indices = np.flatnonzero(rng.random(1_000) < 0.2)
    matrix = open_matrix(write(tmp_path, probs), 1_000, 12, names=[str(c) for c in range(12)])
    classes, probabilities = top_of_rows(matrix, indices)
    assert len(classes) == len(indices)
    places = rng.permutation(len(indices))
    moved = top_of_rows(matrix, indices, places)
    assert [found[places].tolist() for found in moved] == [classes.tolist(), probabilities.tolist()]
    for index, found, known in zip(indices, classes.tolist(), probabilities.tolist(), strict=True):
        expected = plain(probs[index])
        assert found == [c for c, _ in expected]
        assert known == pytest.approx([p for _, p in expected], rel=1e-6)


def test_a_zero_below_zero_is_a_zero(tmp_path: Path) -> None:
    """Its bits are those of a very large whole number."""
    matrix = open_matrix(_npy(tmp_path, np.array([[0.75, -0.0, 0.25]], np.float32)), 1, 3)
    assert [found.tolist() for found in top_of_rows(matrix, np.array([0]))] == [[[0, 2, 1]], [[0.75, 0.25, 0.0]]]


def test_none_are_none(tmp_path: Path) -> None:
    matrix = open_matrix(_npy(tmp_path, np.eye(7)), 7, 7)
    assert [found.shape for found in top_of_rows(matrix, np.zeros(0, np.int64))] == [(0, 5), (0, 5)]


def test_a_matrix_that_changed_since_is_refused(tmp_path: Path) -> None:
    paths = _npy(tmp_path, np.eye(3))
    matrix = open_matrix(paths, 3, 3)
    _npy(tmp_path, np.ones((3, 3)))
    with pytest.raises(DataError, match=r"probs\.npy: row 1"):
        top_of_rows(matrix, np.array([1]))
