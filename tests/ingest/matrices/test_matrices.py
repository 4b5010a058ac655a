"""Matrices in every form they come in: the same numbers, whole or in parts, and what is refused."""

import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr

from app.domain.confident_learning.joint import FlagRule
from ingest.errors import DataError, MissingFileError
from ingest.flagging.engine import flag
from ingest.matrices.matrix import open_matrix, open_part
from tests.damaging import PACKINGS, damaged_npz

N, M = 500, 6


@pytest.fixture(params=["f2", "f4", "f8"])
def probs(request: pytest.FixtureRequest) -> Any:
    scores = np.random.default_rng(3).random((N, M))
    return (scores / scores.sum(axis=1, keepdims=True)).astype(request.param)


def npy(path: Path, array: Any) -> Path:
    np.save(path / "p.npy", array)
    return path / "p.npy"


def by_columns(path: Path, array: Any) -> Path:
    return npy(path, np.asfortranarray(array))


def foreign(path: Path, array: Any) -> Path:
    return npy(path, array.astype(array.dtype.newbyteorder(">")))


def npz(path: Path, array: Any) -> Path:
    np.savez(path / "p.npz", pred_probs=array, labels=np.zeros(N, int))
    return path / "p.npz"


def packed_npz(path: Path, array: Any) -> Path:
    np.savez_compressed(path / "p.npz", array)
    return path / "p.npz"


def columns(path: Path, array: Any) -> Path:
    table = pa.table({"id": list(range(N)), **{f"class {j}": pa.array(array[:, j]) for j in range(M)}})
    pq.write_table(table, path / "p.parquet", row_group_size=70)
    return path / "p.parquet"


def lists(path: Path, array: Any) -> Path:
    pq.write_table(pa.table({"probs": pa.array(list(array))}), path / "p.parquet", row_group_size=333)
    return path / "p.parquet"


def fixed_lists(path: Path, array: Any) -> Path:
    values = pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), M)
    pq.write_table(pa.table({"probs": values}), path / "p.parquet")
    return path / "p.parquet"


def zarr2(path: Path, array: Any) -> Path:
    zarr.create_array(path / "p.zarr", overwrite=True, data=array, chunks=(64, 4), zarr_format=2)
    return path / "p.zarr"


def zarr3(path: Path, array: Any) -> Path:
    zarr.create_array(path / "p.zarr", overwrite=True, data=array, chunks=(50, 6), shards=(100, 6))
    return path / "p.zarr"


FORMS = [npy, by_columns, foreign, npz, packed_npz, columns, lists, fixed_lists, zarr2, zarr3]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_numbers(form: Callable[[Path, Any], Path], probs: Any, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    plain = open_matrix([npy(tmp_path / "other", probs)], N, M)
    for block_bytes in (1, 500, 1_000_000):
        matrix = replace(open_matrix([form(tmp_path, probs)], N, M), block_bytes=block_bytes)
        assert (matrix.shape, matrix.dtype) == ((N, M), probs.dtype)
        blocks = [(first, block.copy()) for first, block in matrix.blocks()]
        assert [first for first, _ in blocks] == np.cumsum([0] + [len(block) for _, block in blocks])[:-1].tolist()
        assert np.array_equal(np.concatenate([block for _, block in blocks]), probs)
        assert all(len(block) <= matrix.height for _, block in blocks)
        some = np.array([0, 1, 69, 70, 332, 333, 334, N - 1])
        assert np.array_equal(matrix.rows(some), probs[some])
        assert np.array_equal(np.concatenate([b.copy() for _, b in matrix.blocks(68, 341)]), probs[68:341])
        assert matrix.spans(100)[0][0] == 0
        assert matrix.spans(100)[-1][1] == N
    labels = np.arange(N) % M
    rule = FlagRule.PRUNE_BY_NOISE_RATE
    expected = flag(labels, plain, rule, lambda _: None)
    assert flag(labels, pickle.loads(pickle.dumps(plain)), rule, lambda _: None).facts() == expected.facts()
    found = flag(labels, matrix, rule, lambda _: None)
    assert found.flagged.tolist() == expected.flagged.tolist()
    assert found.thresholds.tobytes() == expected.thresholds.tobytes()


def test_parts_of_different_forms_are_one_matrix(tmp_path: Path) -> None:
    scores = np.random.default_rng(3).random((3 * N, M))
    probs = scores / scores.sum(axis=1, keepdims=True)
    paths = []
    for place, form in enumerate((columns, zarr3, packed_npz)):
        (tmp_path / str(place)).mkdir()
        paths.append(form(tmp_path / str(place), probs[place * N : (place + 1) * N]))
    matrix = replace(open_matrix(paths, 3 * N, M), block_bytes=5_000)
    assert np.array_equal(matrix.rows(np.arange(3 * N)), probs)
    assert np.array_equal(matrix.rows(np.array([N - 1, N, 2 * N])), probs[[N - 1, N, 2 * N]])
    probs[2 * N + 7, 3] = np.nan
    packed_npz(tmp_path / "2", probs[2 * N :])
    with pytest.raises(DataError, match=rf"p\.npz: row 7 \(row {2 * N + 7} of all parts\): expected finite numbers"):
        list(open_matrix(paths, 3 * N, M).blocks())


def test_parts_of_different_precision_are_each_held_to_their_own(tmp_path: Path) -> None:
    """Rows of half precision miss a sum of 1 by what a single one may not, beside others as well as alone."""
    scores = np.random.default_rng(3).random((2 * N, 50))
    probs = scores / scores.sum(axis=1, keepdims=True)
    paths = [tmp_path / "single.npy", tmp_path / "half.npy"]
    np.save(paths[0], probs[:N].astype(np.float32))
    np.save(paths[1], probs[N:].astype(np.float16))
    found = open_matrix(paths, 2 * N, 50).rows(np.arange(2 * N))
    assert found.dtype == np.float32
    assert np.abs(found - probs).max() < 1e-4
    assert np.abs(found.sum(axis=1, dtype=np.float64) - 1).max() < 1e-5
    np.save(paths[0], (probs[:N] * 1.001).astype(np.float32))
    with pytest.raises(DataError, match=r"single\.npy: row 0: expected probabilities that sum to 1 within 0\.0001"):
        list(open_matrix(paths, 2 * N, 50).blocks())


def test_an_unpacked_copy_vanishes_with_its_matrix(tmp_path: Path) -> None:
    part: Any = open_part(packed_npz(tmp_path, np.full((N, M), 1 / M)))
    copy = part.file
    assert copy.exists()
    del part
    assert not copy.exists()


def table(path: Path, values: Any) -> Path:
    pq.write_table(pa.table(values), path / "p.parquet")
    return path / "p.parquet"


def hostile_zarr(path: Path, name: str, description: dict[str, Any]) -> Path:
    (path / "p.zarr").mkdir()
    (path / "p.zarr" / name).write_text(json.dumps(description))
    return path / "p.zarr"


def bomb(path: Path) -> Path:
    np.savez_compressed(path / "p.npz", np.zeros((10, M)))
    with zipfile.ZipFile(path / "p.npz") as archive:
        data = archive.read("arr_0.npy")
    with zipfile.ZipFile(path / "p.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arr_0.npy", data.replace(b"(10, 6)", b"(99999999, 6)")[: len(data)])
    return path / "p.npz"


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_damaged_archive_is_named(packing: str, tmp_path: Path) -> None:
    probs = np.random.default_rng(3).dirichlet(np.ones(M), 500)
    (tmp_path / "p.npz").write_bytes(damaged_npz(packing, "arr_0", probs))
    with pytest.raises(DataError, match=r"p\.npz: expected a \.npz file, found another or a damaged one: "):
        open_matrix([tmp_path / "p.npz"], 500, M)


PICKLED = {"zarr_format": 2, "shape": [2, 2], "chunks": [2, 2], "dtype": "<f8", "compressor": None, "order": "C"}
BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no file": (lambda p: p / "none.npz", r"none\.npz: expected a \.npz file, found none"),
    "no parquet": (lambda p: p / "none.parquet", r"none\.parquet: expected a \.parquet file, found none"),
    "no zarr": (lambda p: p / "none.zarr", r"none\.zarr: expected a zarr array"),
    "text as npz": (lambda p: _text(p / "p.npz"), r"p\.npz: expected a \.npz file, found another or a damaged one"),
    "text as parquet": (lambda p: _text(p / "p.parquet"), r"p\.parquet: expected a parquet file, found another"),
    "text as npy": (lambda p: _text(p / "p.npy"), r"p\.npy: expected a \.npy file, found another"),
    "two matrices": (lambda p: _two(p / "p.npz"), r"p\.npz: expected one array of two dimensions.*found a, b"),
    "a header that lies": (bomb, r"p\.npz: (expected .* bytes for shape .*cut short|expected a \.npy)"),
    "text columns": (lambda p: table(p, {"a": ["x"]}), r"p\.parquet: expected a floating-point column a class"),
    "integers": (lambda p: npy(p, np.eye(M, dtype=int)), r"p\.npy: expected floating-point numbers.*found int64"),
    "long doubles": (
        lambda p: npy(p, np.eye(M, dtype=np.longdouble)),
        r"p\.npy: expected floating-point numbers of 16",
    ),
    "a pickling filter": (
        lambda p: hostile_zarr(p, ".zarray", PICKLED | {"filters": [{"id": "pickle"}]}),
        r"\.zarray: expected a plain codec, found 'pickle', which is not run",
    ),
    "a nested codec": (
        lambda p: hostile_zarr(
            p,
            "zarr.json",
            {"codecs": [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "numcodecs.pickle"}]}}]},
        ),
        r"zarr\.json: expected a plain codec, found 'numcodecs\.pickle'",
    ),
    "no JSON": (lambda p: _text(hostile_zarr(p, "zarr.json", {}) / "zarr.json").parent, r"zarr\.json: expected JSON"),
}


def _text(path: Path) -> Path:
    path.write_text("id,label\n")
    return path


def _two(path: Path) -> Path:
    np.savez(path, a=np.eye(M), b=np.eye(M))
    return path


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_matrix_is_refused(name: str, tmp_path: Path) -> None:
    make, said = BAD[name]
    with pytest.raises(DataError, match=said):
        open_matrix([make(tmp_path)], M, M)


def test_missing_values_and_ragged_lists_are_named_by_row(tmp_path: Path) -> None:
    rows: list[Any] = [[0.5, 0.5]] * 40
    cases = [
        ({"probs": [*rows, None]}, "row 40: expected a probability, found none"),
        ({"probs": [*rows, [0.5, None]]}, "row 40: expected a probability, found none"),
        ({"probs": [*rows, [0.5, 0.25, 0.25]]}, "row 40: expected a list of 2 probabilities, found 3"),
        ({"a": [0.5] * 40 + [None], "b": [0.5] * 41}, "row 40: expected a probability, found none"),
    ]
    for values, said in cases:
        matrix = replace(open_matrix([table(tmp_path, values)], 41, 2), block_bytes=16 * 11)
        with pytest.raises(DataError, match=said):
            list(matrix.blocks())


def test_a_missing_file_is_told_from_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        open_part(tmp_path / "p.npy")


def test_a_class_too_many_or_a_row_too_few(tmp_path: Path) -> None:
    path = npy(tmp_path, np.full((N, M), 1 / M))
    with pytest.raises(DataError, match=rf"expected shape \(n, {M + 1}\), one column a class, found \({N}, {M}\)"):
        open_matrix([path], N, M + 1)
    with pytest.raises(DataError, match=rf"p\.npy to p\.npy: expected {N} rows, one an example, found {2 * N}"):
        open_matrix([path, path], N, M)
