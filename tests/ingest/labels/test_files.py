"""Arrays, indexes and class names from files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.domain.confident_learning.joint import FlagRule
from ingest.errors import DataError
from ingest.flagging.engine import flag
from ingest.labels.class_names import read_classes
from ingest.labels.files import key_of
from ingest.labels.label_sets import read_label_sets
from ingest.manifest.parse import read_manifest
from ingest.matrices.matrix import open_matrix


def saved(path: Path, array: Any) -> Path:
    np.save(path, array, allow_pickle=array.dtype.hasobject)
    return path


def test_label_sets_as_lists_and_an_empty_one_of_any_type(tmp_path: Path) -> None:
    """An array of lists is what one writes who thinks of none of this; ``np.array([])`` is one of floats."""
    sets = np.empty(4, dtype=object)
    sets[:] = [[2, 0], [], (1,), np.array([])]
    assert read_label_sets(saved(tmp_path / "s.npy", sets), 3) == [(0, 2), (), (1,), ()]


def test_lists_of_one_length_are_sets_as_well(tmp_path: Path) -> None:
    sets = np.array([[2, 0], [1, 2]], dtype=object)
    assert sets.ndim == 2
    assert read_label_sets(saved(tmp_path / "s.npy", sets), 3) == [(0, 2), (1, 2)]


@pytest.mark.parametrize("wrong", [[True], [1.5], np.array([1.5]), 1, None, {"a": 1}, [[1]]])
def test_what_is_no_set_of_class_numbers_is_named(tmp_path: Path, wrong: Any) -> None:
    sets = np.empty(2, dtype=object)
    sets[0], sets[1] = [0], wrong
    with pytest.raises(DataError, match=r"example 1 \(row 1, counted from 0\): expected class numbers, as an array"):
        read_label_sets(saved(tmp_path / "s.npy", sets), 3)


def test_single_labels_are_no_sets(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected a set of class numbers an example, .*found shape \(2,\) of int64"):
        read_label_sets(saved(tmp_path / "s.npy", np.array([0, 1])), 3)


def test_label_sets_as_arrays_and_as_indicators(tmp_path: Path) -> None:
    sets = np.empty(3, dtype=object)
    sets[:] = [np.array([2, 0], np.uint16), np.array([], np.uint16), np.array([1, 1], np.uint16)]
    indicators = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], dtype=np.uint8)
    expected = [(0, 2), (), (1,)]
    assert read_label_sets(saved(tmp_path / "s.npy", sets), 3) == expected
    assert read_label_sets(saved(tmp_path / "i.npy", indicators), 3) == expected
    with pytest.raises(DataError, match=r"example 0 \(row 0, counted from 0\): expected a class from 0 to 1, found 2"):
        read_label_sets(tmp_path / "s.npy", 2)
    with pytest.raises(DataError, match=r"j\.npy: example 1 \(row 1, counted from 0\): expected 0 or 1, found 2"):
        read_label_sets(saved(tmp_path / "j.npy", np.array([[0, 1], [2, 0]])), 2)


@pytest.fixture
def probabilities() -> Any:
    scores = np.random.default_rng(3).random((50, 4))
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("cuts", [[], [1], [20, 21], [10, 25, 49]])
def test_parts_and_blocks_are_the_whole(cuts: list[int], probabilities: Any, tmp_path: Path) -> None:
    labels = np.random.default_rng(4).integers(0, 4, 50)
    whole = open_matrix([saved(tmp_path / "whole.npy", probabilities)], 50, 4, logits=False)
    expected = flag(labels, whole, FlagRule.CALIBRATED, lambda n: None)
    pieces = np.split(probabilities, cuts)
    paths = [saved(tmp_path / f"part{place}.npy", piece) for place, piece in enumerate(pieces)]
    matrix = open_matrix(paths, 50, 4, logits=False)
    matrix = replace(matrix, block_bytes=7 * 4 * 8)
    found = flag(labels, matrix, FlagRule.CALIBRATED, lambda n: None)
    assert found.facts() == expected.facts()
    assert (found.counted.dense() == expected.counted.dense()).all()
    assert (found.order == expected.order).all()
    indices = np.array([0, 9, 10, 20, 21, 49])
    assert np.array_equal(matrix.rows(indices), whole.rows(indices))


def test_columns_first_and_foreign_bytes(probabilities: Any, tmp_path: Path) -> None:
    odd = np.asfortranarray(probabilities).astype(">f8")
    matrix = open_matrix([saved(tmp_path / "odd.npy", odd)], 50, 4, logits=False)
    [(start, block)] = matrix.blocks()
    assert start == 0
    assert np.allclose(block, probabilities)


def test_rows_that_sum_nearly_to_one_are_made_to(probabilities: Any, tmp_path: Path) -> None:
    nearly = probabilities * 1.00002
    nearly[7] = [1.00002, 0, 0, 0]
    [(_, block)] = open_matrix([saved(tmp_path / "n.npy", nearly)], 50, 4, logits=False).blocks()
    assert np.allclose(block.sum(axis=1), 1, atol=1e-12)
    assert block.max() <= 1
    assert block[7].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(("dtype", "off", "good"), [("f8", 5e-5, True), ("f8", 2e-4, False), ("f2", 4e-3, True)])
def test_the_tolerance_knows_the_precision(dtype: str, off: float, good: bool, tmp_path: Path) -> None:
    matrix = open_matrix([saved(tmp_path / "m.npy", np.array([[0.5 + off, 0.5]], dtype=dtype))], 1, 2, logits=False)
    if good:
        assert len(list(matrix.blocks())) == 1
    else:
        with pytest.raises(DataError, match=r"row 0: expected probabilities that sum to 1 within 0\.0001"):
            list(matrix.blocks())


def test_logits_become_probabilities_only_when_told(probabilities: Any, tmp_path: Path) -> None:
    path = saved(tmp_path / "logits.npy", 800 + np.log(probabilities))
    [(_, block)] = open_matrix([path], 50, 4, logits=True).blocks()
    assert np.allclose(block, probabilities)
    with pytest.raises(DataError, match='"logits = true" in a manifest'):
        list(open_matrix([path], 50, 4, logits=False).blocks())


def test_probabilities_are_left_alone_though_logits_were_expected(probabilities: Any, tmp_path: Path) -> None:
    matrix = open_matrix([saved(tmp_path / "p.npy", probabilities)], 50, 4, logits=True)
    [(_, block)] = matrix.blocks()
    assert not matrix.softmax
    assert np.allclose(block, probabilities)


@pytest.mark.parametrize(
    ("entry", "kind", "key"),
    [
        ("001.ak47/001_0004.jpg", "entry", "001.ak47/001_0004.jpg"),
        ("neg/9641_4.txt", "path", "neg/9641_4"),
        ("https://x.org//val/n01/ILSVRC2012_val_00000293.JPEG", "stem", "ILSVRC2012_val_00000293"),
        ("http://youtu.be/lL5jq1TDiXQ?start=30&end=40", "youtube", "lL5jq1TDiXQ"),
        ("https://www.youtube.com/watch?v=lL5jq1TDiXQ&t=30", "youtube", "lL5jq1TDiXQ"),
    ],
)
def test_keys(entry: str, kind: Any, key: str) -> None:
    assert key_of(entry, kind) == key


def names(tiny: Any, lines: str) -> tuple[str, ...]:
    path = tiny.write()
    path.write_text(path.read_text().replace('file = "classes.json"', lines))
    return read_classes(read_manifest(path).classes, tiny.folder, path).names


PYTHON = b"""
import os
ants = ["ant", "bee"]
raise SystemExit(os.system("touch ran"))
ALL_CLASSES = {"insects": ants, "pets": ["cat"], "numbers": list(range(10)), "digits": [0, 1]}
"""


def test_class_names_from_python_are_read_and_never_run(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.folder.parent)
    tiny.extra["util.py"] = PYTHON
    assert names(tiny, 'file = ["absent.json", "util.py"]\nkey = "insects"') == ("ant", "bee")
    assert names(tiny, 'file = "util.py"\nkey = "digits"') == ("0", "1")
    with pytest.raises(DataError, match=r"util\.py: expected a list of class names, found None"):
        names(tiny, 'file = "util.py"\nkey = "numbers"')
    with pytest.raises(DataError, match=r"util\.py: expected an entry 'birds', found none"):
        names(tiny, 'file = "util.py"\nkey = "birds"')
    assert not Path("ran").exists()


def test_class_names_from_csv(tiny: Any) -> None:
    tiny.extra["names.csv"] = b'id,name\n0,"Boat, Water vehicle"\n1,Cat\n'
    assert names(tiny, 'file = "names.csv"\ncolumn = "name"') == ("Boat, Water vehicle", "Cat")
    with pytest.raises(DataError, match=r"names\.csv: expected a column 'title', found id, name"):
        names(tiny, 'file = "names.csv"\ncolumn = "title"')
    tiny.extra["names.csv"] = b"id,name\n0,Ant\n1\n"
    with pytest.raises(DataError, match=r"names\.csv: line 3: expected 2 cells as in line 1, found 1"):
        names(tiny, 'file = "names.csv"\ncolumn = "name"')


def test_class_names_sorted_as_files_cut_and_by_another_name(tiny: Any) -> None:
    tiny.classes = ["house", "house plant", "Zoo", "zebra"]
    lines = 'file = "classes.json"\nsort_as = ".npy"\nfirst = 3\naliases = { "Tiergarten" = "Zoo" }'
    assert names(tiny, lines) == ("Zoo", "house plant", "house")
    with pytest.raises(DataError, match="expected class 'Park'"):
        names(tiny, 'file = "classes.json"\naliases = { "Tiergarten" = "Park" }')
