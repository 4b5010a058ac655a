"""Models of which the most probable classes alone are stored: read as rows in which all else is 0, not scaled up."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from ingest import find_label_errors
from ingest.commands.main import main
from ingest.errors import DataError
from ingest.matrices.matrix import open_matrix, open_parts
from ingest.matrices.mean import open_models

NAMES = ["ant", "bee", "cat", "dog"]
IDS = np.array([[2, 0], [3, 1], [0, 3]])
PROBS = np.array([[0.25, 0.5], [0.875, 0.125], [0.5, 0.25]], np.float32)
ROWS = [[0.5, 0, 0.25, 0], [0, 0.125, 0, 0.875], [0.5, 0, 0, 0.25]]


def store(folder: Path, name: str = "forest", ids: np.ndarray = IDS, probs: np.ndarray = PROBS) -> Path:
    np.save(folder / f"{name}_top2preds.npy", ids)
    np.save(folder / f"{name}_top2probs.npy", probs)
    return folder / f"{name}_top2probs.npy"


@pytest.mark.parametrize("kind", ["<f4", ">f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_hold_what_was_stored_and_zeros(tmp_path: Path, kind: str, order: str) -> None:
    path = store(tmp_path, ids=np.array(IDS, order=order), probs=np.array(PROBS, kind, order=order))
    matrix = open_matrix([path], 3, 4, names=NAMES)
    for start, stop in ((0, 3), (1, 2)):
        blocks = [block.copy() for _, block in matrix.blocks(start, stop)]
        np.testing.assert_array_equal(np.concatenate(blocks), ROWS[start:stop])
    np.testing.assert_array_equal(matrix.rows(np.array([0, 2])), [ROWS[0], ROWS[2]])
    # Logits are what is no probability; these are.
    assert not open_matrix([path], 3, 4, names=NAMES, logits=True).softmax
    # Whoever states a tolerance has rows scaled up.
    scaled = open_matrix([path], 3, 4, names=NAMES, tolerance=0.5).rows(np.array([0]))
    np.testing.assert_allclose(scaled, [[2 / 3, 0, 1 / 3, 0]])


def test_they_are_averaged_with_whole_rows_and_in_parts(tmp_path: Path) -> None:
    whole = np.array([[0.25, 0.25, 0.25, 0.25]] * 3)
    np.save(tmp_path / "whole.npy", whole)
    matrix = open_models({"a": [store(tmp_path)], "b": [tmp_path / "whole.npy"]}, 3, 4, names=NAMES)
    np.testing.assert_array_equal(matrix.rows(np.arange(3)), (np.array(ROWS) + whole) / 2)
    below = open_matrix([tmp_path / "whole.npy", tmp_path / "forest_top2probs.npy"], 6, 4, names=NAMES)
    np.testing.assert_array_equal(below.rows(np.arange(6)), [*whole.tolist(), *ROWS])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"ids": np.array([[0, 1], [1, 1], [0, 3]])},
            r"preds\.npy: row 1: expected different classes from 0 to 3",
        ),
        ({"ids": np.array([[0, 1], [1, 0], [0, 4]])}, r"preds\.npy: row 2: .* from 0 to 3, found \[0, 4\]"),
        ({"ids": np.array([[0, 1], [1, -1], [0, 3]])}, r"preds\.npy: row 1: .* from 0 to 3, found \[1, -1\]"),
        ({"ids": IDS[:2]}, r"preds\.npy: expected whole numbers of shape \(3, 2\), .* found \(2, 2\) of int64"),
        ({"ids": IDS.astype(float)}, r"expected whole numbers of shape \(3, 2\), .* of float64"),
        ({"probs": PROBS * 1.2}, r"probs\.npy: row 1: expected probabilities from 0 on that sum to 1 or less"),
        ({"probs": PROBS * [1, -1]}, r"probs\.npy: row 0: expected probabilities from 0 on"),
        ({"probs": PROBS * np.nan}, r"probs\.npy: row 0: expected probabilities from 0 on"),
        ({"probs": IDS}, r"probs\.npy: expected floating-point numbers of 16, 32 or 64 bits, found int64"),
    ],
)
def test_what_is_no_such_store_is_refused(tmp_path: Path, changed: dict[str, np.ndarray], said: str) -> None:
    path = store(tmp_path, **changed)
    with pytest.raises(DataError, match=said):
        open_matrix([path], 3, 4, names=NAMES).rows(np.arange(3))


def test_files_that_lack_something_are_refused(tmp_path: Path) -> None:
    path = store(tmp_path)
    with pytest.raises(DataError, match=r"expected the names of all classes \(--classes of the command flag"):
        open_parts([path])
    with pytest.raises(DataError, match=r"preds\.npy: expected the file of probabilities, forest_top2probs\.npy"):
        open_parts([tmp_path / "forest_top2preds.npy"], NAMES)
    with pytest.raises(DataError, match=r"expected shape \(n, k\), of k of 1 classes, found \(3, 2\)"):
        open_parts([path], ["ant"])
    (tmp_path / "forest_top2preds.npy").unlink()
    with pytest.raises(DataError, match=r"top2preds\.npy: expected the classes that go with forest_top2probs\.npy"):
        open_parts([path], NAMES)


def test_thirteen_stored_models_of_cifar10_by_one_command(shared: Path, tmp_path: Path) -> None:
    """The 122 examples for which most people of CIFAR-10H reject the given label, by the models as they were stored."""
    labels = shared / "label-errors" / "original_test_labels" / "cifar10_test_set_original_labels.npy"
    people = np.load(shared / "opinions" / "cifar10" / "cifar10h-counts.npy")
    given = np.load(labels)
    rejected = 2 * people[np.arange(10_000), given] < people.sum(axis=1)
    assert rejected.sum() == 122
    first, *others = sorted((shared / "benchmarks" / "pytorch_cifar10").glob("*_top5probs.npy"))
    assert len(others) == 12
    names = json.loads((shared / "label-errors" / "class_names.json").read_text())["cifar10_test_set"]
    (tmp_path / "classes.json").write_text(json.dumps(names))
    more = [word for path in others for word in ("--and", str(path))]
    out = tmp_path / "all.parquet"
    told = ["--labels", str(labels), "--classes", str(tmp_path / "classes.json"), "--rule", "275"]
    assert main(["flag", str(first), *more, *told, "--all", "--out", str(out)]) == 0
    import pandas as pd

    found = pd.read_parquet(out).set_index("index").sort_index()
    assert found.flagged.sum() == 275
    assert int((found.flagged & rejected).sum()) == 34
    above = rankdata(-found.normalized_margin)[rejected].sum() - 122 * 123 / 2
    assert round(above / (122 * (10_000 - 122)), 3) == 0.862
    by_call = find_label_errors(labels, first, 275, names, others=others)
    assert set(by_call.issues["index"]) == set(np.flatnonzero(found.flagged))


def test_a_manifest_names_them_and_records_both_files(tmp_path: Path) -> None:
    store(tmp_path, "forest"), store(tmp_path, "network", probs=PROBS[:, ::-1])
    np.save(tmp_path / "labels.npy", np.array([0, 3, 3]))
    files = '{forest = "forest_top2probs.npy", network = "network_top2probs.npy"}'
    text = f'name = "few"\ntitle = "Few"\nmodality = "text"\nsummary = "Few."\nflag = 3\n\n[classes]\nnames = {NAMES}\n'
    text += '[licence]\nname = "CC0"\nsource = "made up"\nmedia = "none"\n'
    text += f'[files]\nlabels = "labels.npy"\npred_probs_of = {files}\n'
    (tmp_path / "dataset.toml").write_text(text)
    catalogue = tmp_path / "catalogue.sqlite"
    arguments = ["add", str(tmp_path / "dataset.toml"), str(tmp_path), "--catalogue", str(catalogue)]
    assert main(arguments) == 0
    with closing(sqlite3.connect(catalogue)) as connection:
        found = connection.execute("SELECT idx, self_confidence, doubting FROM issues ORDER BY idx").fetchall()
        sources = {path for (path,) in connection.execute("SELECT path FROM sources WHERE role = 'pred_probs'")}
    assert found == [(0, 0.375, 1), (1, 0.5, 1), (2, 0.375, 1)]
    assert sources == {f"{model}_top2{kind}.npy" for model in ("forest", "network") for kind in ("probs", "preds")}
    (tmp_path / "network_top2preds.npy").unlink()
    assert main(arguments) == 1
