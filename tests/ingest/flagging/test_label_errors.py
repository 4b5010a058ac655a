"""``find_label_errors``: the same as the command, whatever form labels and probabilities come in, or an error."""

import enum
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import app
import ingest
from app.domain.confident_learning.joint import FlagRule
from ingest import find_label_errors
from ingest.commands.main import main
from ingest.errors import DataError
from ingest.flagging import found_errors
from ingest.matrices.class_columns import in_class_order
from tests.conftest import ROOT

NAMES = ["ant", "bee", "cat"]
COLUMNS = ["index", "given", "guessed", "self_confidence", "normalized_margin", "rank"]
RULES: list[str | int] = [*(rule.value for rule in FlagRule), 7]


@pytest.fixture
def made() -> tuple[Any, Any]:
    """Labels and probabilities of 300 examples; every tenth label is wrong."""
    rng = np.random.default_rng(11)
    labels = rng.integers(0, 3, 300)
    scores = rng.random((300, 3)) + 2 * np.eye(3)[labels]
    labels[::10] = (labels[::10] + 1) % 3
    return labels, scores / scores.sum(axis=1, keepdims=True)


def same(found: Any, expected: Any) -> None:
    assert_frame_equal(found.issues[COLUMNS], expected.issues[COLUMNS], check_exact=True)
    assert found.rho == expected.rho
    assert np.array_equal(found.thresholds, expected.thresholds, equal_nan=True)
    assert np.array_equal(found.confident_joint, expected.confident_joint)
    assert np.array_equal(found.joint, expected.joint)


def written_by_the_command(folder: Path, *arguments: Any) -> pd.DataFrame:
    out = folder / "out.parquet"
    assert main(["flag", *map(str, arguments), "--out", str(out)]) == 0
    table = pd.read_parquet(out)
    assert table.pop("flagged").all()
    return table


# The same as the command


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["20news", "cifar10", "imdb", "mnist"])
def test_the_real_matrices_give_what_the_command_writes(
    shared: Path, tmp_path: Path, name: str, rule: str | int
) -> None:
    release = shared / "label-errors"
    labels = release / f"original_test_labels/{name}_test_set_original_labels.npy"
    matrix = release / f"cross_validated_predicted_probabilities/{name}_test_set_pyx.npy"
    found = find_label_errors(np.load(labels), np.load(matrix), rule)
    expected = written_by_the_command(tmp_path, matrix, "--labels", labels, "--rule", rule)
    assert len(expected)
    assert_frame_equal(found.issues, expected, check_exact=True)


def test_rho_counts_and_joint_of_cifar10(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The paper's number of suspects, 275, is that of the uncalibrated rule."""
    release = shared / "label-errors"
    labels = release / "original_test_labels/cifar10_test_set_original_labels.npy"
    matrix = release / "cross_validated_predicted_probabilities/cifar10_test_set_pyx.npy"
    found = {rule: find_label_errors(labels, matrix, rule) for rule in ("calibrated", "uncalibrated", "both")}
    assert len(found["uncalibrated"].issues) == 275
    joint = found["calibrated"].joint
    assert joint.shape == (10, 10)
    assert joint.sum() == pytest.approx(1, abs=1e-12)
    assert found["calibrated"].rho == pytest.approx(1 - np.trace(joint), abs=1e-12)
    assert found["both"].rho == found["calibrated"].rho
    counts = found["uncalibrated"].confident_joint
    assert counts.sum() - np.trace(counts) == 244
    assert found["uncalibrated"].rho == pytest.approx(244 / counts.sum(), abs=1e-15)
    assert main(["flag", str(matrix), "--labels", str(labels)]) == 0
    said = capsys.readouterr().out
    assert f"rho calibrated: {found['calibrated'].rho:.6f}" in said
    assert f"rho uncalibrated: {found['uncalibrated'].rho:.6f}" in said


def test_names_of_classes_are_told_as_the_command_tells_them(made: Any, tmp_path: Path) -> None:
    labels, probs = made
    np.save(tmp_path / "l.npy", labels)
    np.save(tmp_path / "p.npy", probs)
    (tmp_path / "c.txt").write_text("\n".join(NAMES))
    expected = written_by_the_command(
        tmp_path, tmp_path / "p.npy", "--labels", tmp_path / "l.npy", "--classes", tmp_path / "c.txt"
    )
    for classes in (NAMES, tmp_path / "c.txt"):
        issues = find_label_errors(labels, probs, classes=classes).issues
        assert list(issues.columns) == list(expected.columns)
        assert issues.given_name.tolist() == [NAMES[label] for label in issues.given] == expected.given_name.tolist()
        assert issues.guessed_name.tolist() == expected.guessed_name.tolist()


def test_types_are_plain_and_ranks_begin_with_1(made: Any) -> None:
    labels, probs = made
    found = find_label_errors(labels.astype(np.uint8), probs.astype(np.float32))
    assert {name: str(kind) for name, kind in found.issues.dtypes.items()} == {
        name: "float64" if name in ("self_confidence", "normalized_margin") else "int64" for name in COLUMNS
    }
    assert found.issues["rank"].tolist() == list(range(1, len(found.issues) + 1))
    assert found.issues.normalized_margin.is_monotonic_increasing
    assert 20 <= len(found.issues) <= 40
    assert (found.thresholds.dtype, found.confident_joint.dtype) == (np.float64, np.int64)
    assert type(found.rho) is float


def test_the_cells_of_both_joints_are_a_table_of_few_columns(made: Any) -> None:
    found = find_label_errors(made[0], made[1])
    cells = found.joint_cells
    assert {name: str(kind) for name, kind in cells.dtypes.items()} == {
        "given": "int64",
        "latent": "int64",
        "count": "int64",
        "share": "float64",
    }
    places = np.argwhere(found.joint > 0)
    assert cells[["given", "latent"]].to_numpy().tolist() == places.tolist()
    assert cells["count"].tolist() == found.confident_joint[tuple(places.T)].tolist()
    assert cells["share"].tolist() == found.joint[tuple(places.T)].tolist()
    assert (cells["count"].sum(), cells["share"].sum()) == (found.confident_joint.sum(), pytest.approx(1))


def test_a_joint_that_no_memory_holds_as_a_table_is_told_of_by_its_cells(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_label_errors(made[0], made[1])
    assert 11_585**2 <= found_errors.MOST_CELLS < 11_586**2  # as docs/notebook.md says
    monkeypatch.setattr(found_errors, "MOST_CELLS", 8)
    for name in ("confident_joint", "joint"):
        with pytest.raises(
            ValueError, match=r"expected at most 2 classes for a joint as a table, found 3, .*GB"
        ) as told:
            getattr(found, name)
        assert f"its {len(found.joint_cells):,} cells that are not zero are in .joint_cells" in str(told.value)
    assert repr(found).count("\n") == 12  # the summary, ten rows and how many more


def test_many_classes_are_flagged_and_their_joint_is_told(tmp_path: Path) -> None:
    """As a table it would take 32 GB."""
    m, n = 65_535, 12
    labels = np.arange(m - n, m)
    probs = np.zeros((n, m), np.float16)
    probs[np.arange(n), labels] = 1
    probs[0, [labels[0], 7]] = 0.25, 0.75
    probs = np.vstack([probs, np.eye(1, m, 7, dtype=np.float16)])
    found = find_label_errors([*labels.tolist(), 7], probs, "argmax")
    assert found.issues[["index", "given", "guessed"]].to_numpy().tolist() == [[0, m - n, 7]]
    assert len(found.thresholds) == m
    cells = found.joint_cells
    assert cells.given.tolist() == cells.latent.tolist() == [7, *labels.tolist()]
    with pytest.raises(found_errors.TooManyClassesError, match=r"found 65,535, whose table would take 34\.4 GB"):
        _ = found.confident_joint


def test_nothing_found_is_a_table_of_the_same_columns(made: Any) -> None:
    found = find_label_errors(made[0], made[1], 0, classes=NAMES)
    assert list(found.issues.columns) == [*COLUMNS[:3], "given_name", "guessed_name", *COLUMNS[3:]]
    assert str(found.issues["index"].dtype) == "int64"
    assert repr(found).startswith("0 of 300 examples flagged by the 0 lowest margins (0.00 %); 3 classes, rho 0.")


# Forms


class Tensor:
    """What libraries of tensors have in common."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.values, dtype)


class Kind(enum.StrEnum):
    ANT = "ant"
    BEE = "bee"
    CAT = "cat"


class Number(enum.IntEnum):
    ANT = 0
    BEE = 1
    CAT = 2


LABELS = {
    "int8": lambda ids: ids.astype(np.int8),
    "uint64": lambda ids: ids.astype(np.uint64),
    "big-endian": lambda ids: ids.astype(">i4"),
    "whole floats": lambda ids: ids.astype(float),
    "list": lambda ids: ids.tolist(),
    "tuple of numpy's numbers": lambda ids: tuple(ids),
    "objects": lambda ids: ids.astype(object),
    "column": lambda ids: ids.reshape(-1, 1),
    "strided": lambda ids: np.repeat(ids, 2)[::2],
    "masked, none of it": lambda ids: np.ma.array(ids, mask=False),
    "Series": lambda ids: pd.Series(ids, index=np.arange(len(ids))[::-1] + 5),
    "nullable": lambda ids: pd.Series(ids, dtype="Int64"),
    "arrow": lambda ids: pd.Series(ids, dtype="int64[pyarrow]"),
    "DataFrame": lambda ids: pd.DataFrame({"label": ids}),
    "Index": lambda ids: pd.Index(ids),
    "tensor": lambda ids: Tensor(ids),
    "list of tensors": lambda ids: [Tensor(np.array(label)) if label else 0 for label in ids],
    "polars": lambda ids: pl.Series(ids),
    "IntEnum": lambda ids: [Number(label) for label in ids],
    "texts of numbers": lambda ids: [str(label) for label in ids],
}
NAMED = {
    "list": lambda names: list(names),
    "array": lambda names: np.array(names),
    "bytes": lambda names: np.array(names, "S"),
    "objects": lambda names: np.array(names, object),
    "StringDType": lambda names: np.array(names, np.dtypes.StringDType()),
    "Series": lambda names: pd.Series(names),
    "arrow": lambda names: pd.Series(names, dtype="string[pyarrow]"),
    "Categorical": lambda names: pd.Categorical(names, categories=["cat", "bee", "unused", "ant"]),
    "Series of categories": lambda names: pd.Series(names, dtype="category"),
    "polars": lambda names: pl.Series(names),
    "pyarrow": lambda names: pa.array(names),
    "StrEnum": lambda names: [Kind(name) for name in names],
}
MATRICES = {
    "Fortran": np.asfortranarray,
    "strided": lambda probs: np.repeat(probs, 2, axis=0)[::2],
    "read-only": lambda probs: np.frombuffer(probs.tobytes()).reshape(probs.shape),
    "big-endian": lambda probs: probs.astype(">f8"),
    "lists": lambda probs: probs.tolist(),
    "list of rows": lambda probs: list(probs),
    "tensor": Tensor,
    "masked, none of it": lambda probs: np.ma.array(probs, mask=False),
    "DataFrame": pd.DataFrame,
    "DataFrame, texts": lambda probs: pd.DataFrame(probs, columns=["p0", "p1", "p2"]),
    "DataFrame, shuffled": lambda probs: pd.DataFrame(probs)[[2, 0, 1]],
    "nullable": lambda probs: pd.DataFrame(probs).astype("Float64"),
    "arrow": lambda probs: pd.DataFrame(probs).astype("double[pyarrow]"),
    "columns of several types": lambda probs: pd.DataFrame(probs).assign(**{"1": probs[:, 1]}).drop(columns=1),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_by_number(made: Any, form: str) -> None:
    same(find_label_errors(LABELS[form](made[0]), made[1]), find_label_errors(*made))


@pytest.mark.parametrize("form", NAMED)
def test_labels_by_name(made: Any, form: str) -> None:
    labels = NAMED[form]([NAMES[label] for label in made[0]])
    same(find_label_errors(labels, made[1], classes=NAMES), find_label_errors(*made))


@pytest.mark.parametrize("form", MATRICES)
def test_matrices(made: Any, form: str) -> None:
    same(find_label_errors(made[0], MATRICES[form](made[1])), find_label_errors(*made))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_precision_is_that_of_a_file(made: Any, tmp_path: Path, dtype: Any) -> None:
    labels, probs = made[0], made[1].astype(dtype)
    np.save(tmp_path / "p.npy", probs)
    same(find_label_errors(labels, probs), find_label_errors(labels, str(tmp_path / "p.npy")))
    same(find_label_errors(labels, pd.DataFrame(probs)), find_label_errors(labels, tmp_path / "p.npy"))


def test_paths(made: Any, tmp_path: Path) -> None:
    labels, probs = made
    np.save(tmp_path / "a.npy", probs[:100])
    np.save(tmp_path / "b.npy", probs[100:])
    pd.DataFrame({"id": range(300), "kind": labels}).to_csv(tmp_path / "l.csv", index=False)
    parts = [tmp_path / "a.npy", str(tmp_path / "b.npy")]
    same(find_label_errors(tmp_path / "l.csv", parts, label_column="kind"), find_label_errors(labels, probs))
    with pytest.raises(ValueError, match=r"l\.csv: expected a column 'label', found id, kind"):
        find_label_errors(str(tmp_path / "l.csv"), probs)
    with pytest.raises(ValueError, match=r"a\.npy: expected parts of one matrix, each once"):
        find_label_errors(labels, [parts[0], parts[0]])
    with pytest.raises(ValueError, match=r"nowhere\.npy: expected a \.npy file, found none"):
        find_label_errors(labels, "nowhere.npy")


def test_tolerance_and_logits(made: Any, tmp_path: Path) -> None:
    labels, probs = made
    off = probs * np.linspace(0.97, 1.03, 300)[:, None]
    with pytest.raises(ValueError, match=r"pred_probs: row 0: .* found a sum of 0\.97; .* \"tolerance = 0\.05\""):
        find_label_errors(labels, off)
    found = find_label_errors(labels, off, tolerance=0.05)
    np.save(tmp_path / "p.npy", off)
    same(found, find_label_errors(labels, tmp_path / "p.npy", tolerance=0.05))
    assert " rows are farther from summing to 1 than is usual, within 0.05" in repr(found)
    logits = np.log(probs) + 3
    with pytest.raises(ValueError, match=r"pred_probs: row 0: .* if these are logits, .* logits=True in Python"):
        find_label_errors(labels, logits)
    assert find_label_errors(labels, logits, logits=True).issues["index"].tolist() == (
        find_label_errors(labels, probs).issues["index"].tolist()
    )
    with pytest.warns(UserWarning, match="no softmax applied, for these are probabilities already") as warned:
        same(find_label_errors(labels, probs, logits=True), find_label_errors(labels, probs))
    assert warned[0].filename == __file__


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, Tensor])
def test_nothing_that_is_passed_is_written_to(order: Any, form: Any) -> None:
    """Rows that need mending: a little below 0, a sum a little off."""
    probs = np.array([[-0.0, 1.0], [-1e-9, 1 + 1e-9], [0.50003, 0.5], [0.3, 0.7]] * 50, order=order)
    labels = np.tile([0, 1, 0, 1], 50)
    before = probs.copy(), labels.copy()
    passed = form(probs)
    for rule in RULES:
        found = find_label_errors(labels, passed, rule)
    assert len(found.issues) == 7
    for now, then in zip((probs, labels), before, strict=True):
        assert np.array_equal(now, then)
        assert np.array_equal(np.signbit(now), np.signbit(then))
    assert np.array_equal(np.asarray(passed), before[0])


# Columns and indices that say whose a number is


@pytest.mark.parametrize("order", [[2, 0, 1], [1, 2, 0]])
def test_columns_called_by_classes_are_put_in_their_order(made: Any, tmp_path: Path, order: list[int]) -> None:
    labels, probs = made
    frame = pd.DataFrame(probs, columns=NAMES).iloc[:, order]
    found = find_label_errors(labels, frame, classes=NAMES)
    same(found, find_label_errors(labels, probs))
    frame.to_parquet(tmp_path / "p.parquet")
    same(find_label_errors(labels, tmp_path / "p.parquet", classes=NAMES), found)
    same(find_label_errors(labels, frame.assign(note="new"), classes=NAMES), found)


@pytest.mark.parametrize("called", ["p_{}", "{} (score)", "Prob {}"])
def test_columns_may_say_more_than_a_class(made: Any, tmp_path: Path, called: str) -> None:
    labels, probs = made
    frame = pd.DataFrame(probs, columns=[called.format(name.upper()) for name in NAMES]).iloc[:, ::-1]
    expected = find_label_errors(labels, probs)
    same(find_label_errors(labels, frame, classes=NAMES), find_label_errors(labels, probs, classes=NAMES))
    numbered = pd.DataFrame(probs, columns=[called.format(number) for number in range(3)]).iloc[:, ::-1]
    same(find_label_errors(labels, numbered), expected)
    numbered.to_parquet(tmp_path / "p.parquet")
    same(find_label_errors(labels, tmp_path / "p.parquet"), expected)


def test_columns_of_a_table_that_are_no_classes_are_refused(made: Any) -> None:
    labels, probs = made
    frame = pd.DataFrame(probs, columns=["x", "y", "z"])
    with pytest.raises(ValueError, match=r"pred_probs: expected columns called by the classes, .*found 'x', 'y', 'z'"):
        find_label_errors(labels, frame, classes=NAMES)


def test_columns_whose_numbers_may_be_names_are_refused() -> None:
    with pytest.raises(DataError, match="by names or by numbers of classes, in different orders"):
        in_class_order(Path("p.parquet"), ["p_0", "p_1", "p_2"], ["2", "1", "0"], None)


def test_yes_or_no_is_no_text(made: Any) -> None:
    labels, probs = made
    with pytest.raises(ValueError, match="logits: expected True or False, found 'no'"):
        find_label_errors(labels, probs, logits="no")


def test_columns_of_numbers_from_1_need_names(made: Any) -> None:
    """What ``pd.DataFrame(model.predict_proba(X), columns=model.classes_)`` makes of classes 1, 2 and 3."""
    labels, probs = made
    frame = pd.DataFrame(probs, columns=[1, 2, 3])
    with pytest.raises(ValueError, match=r"pred_probs: expected columns called by the classes' numbers, 0 to 2, found"):
        find_label_errors(labels, frame)
    expected = find_label_errors(labels, probs)
    same(find_label_errors(labels + 1, frame, classes=[1, 2, 3]), expected)
    same(find_label_errors(pd.Series(labels + 1.0), frame[[3, 1, 2]], classes=frame.columns), expected)
    assert find_label_errors(labels + 1, frame, classes=frame.columns).issues.given_name.isin(["1", "2", "3"]).all()


def test_numbers_that_may_be_names_are_not_guessed() -> None:
    probs = np.full((2, 3), 1 / 3)
    classes = np.array([1, 2, 3])
    assert find_label_errors([1, 3], probs, 2, classes).issues.given.tolist() == [0, 2]
    assert find_label_errors([0, 1], probs, 2, classes).issues.given.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"labels: found classes that can be names or numbers: '1' .*classes_are="):
        find_label_errors([1, 2], probs, 2, classes)
    assert find_label_errors([1, 2], probs, 2, classes, classes_are="names").issues.given.tolist() == [0, 1]
    assert find_label_errors([1, 2], probs, 2, classes, classes_are="numbers").issues.given.tolist() == [1, 2]
    assert find_label_errors([1, 2], probs, 2, ["1", "2", "3"]).issues.given.tolist() == [1, 2], "as in a file"
    assert find_label_errors([1, 2], probs, 2, ["1", "2", "3"], classes_are="names").issues.given.tolist() == [0, 1]


def test_true_and_false_are_two_classes() -> None:
    probs = np.array([[0.25, 0.75], [0.75, 0.25]])
    for labels in ([False, True], np.array([False, True]), pd.Series([False, True])):
        assert find_label_errors(labels, probs, 2).issues.given.tolist() == [0, 1]
        assert find_label_errors(labels, probs, 2, np.array([False, True])).issues.guessed.tolist() == [1, 0]
        with pytest.raises(ValueError, match=r"labels: row 0: expected the number of a class .*, found 'False'"):
            find_label_errors(labels, np.full((2, 3), 1 / 3))


def test_an_index_that_differs_is_refused(made: Any) -> None:
    labels, probs = pd.Series(made[0]), pd.DataFrame(made[1])
    ids = [f"id{row}" for row in range(300)]
    same(find_label_errors(labels.set_axis(ids), probs.set_axis(ids)), find_label_errors(*made))
    other = labels.set_axis(ids).sample(frac=1, random_state=1)
    finding = f"labels: row 0: expected the index of pred_probs, which has 'id0' there, found {other.index[0]!r}: "
    with pytest.raises(ValueError, match=finding):
        find_label_errors(other, probs.set_axis(ids))
    same(find_label_errors(other.loc[ids], probs.set_axis(ids)), find_label_errors(*made))
    with pytest.raises(ValueError, match=r"labels\.to_numpy\(\) says that they stand in it"):
        find_label_errors(labels.set_axis(ids).to_frame(), probs)


def test_one_index_must_not_say_another_order(made: Any) -> None:
    """A table that was shuffled and an array beside it: nobody knows whether the array was shuffled too."""
    labels, probs = pd.Series(made[0]), pd.DataFrame(made[1])
    other = labels.sample(frac=1, random_state=1)
    row = int(np.argmax(other.index != np.arange(300)))
    found = rf"row {row}: expected rows in the order of their index, because {{}} has none, found {other.index[row]} "
    for one in (other, other.to_frame()):
        with pytest.raises(ValueError, match="^labels: " + found.format("pred_probs")):
            find_label_errors(one, made[1])
    with pytest.raises(ValueError, match="^pred_probs: " + found.format("labels")):
        find_label_errors(made[0].tolist(), probs.loc[other.index])
    same(find_label_errors(other.sort_index(), made[1]), find_label_errors(*made))
    moved = made[1][other.index]
    same(find_label_errors(other.to_numpy(), moved), find_label_errors(other, pd.DataFrame(moved, other.index)))


@pytest.mark.parametrize(
    "index", [range(300, 600), range(0, 600, 2), range(599, 299, -1), [f"id{299 - row}" for row in range(300)]]
)
def test_an_index_that_numbers_other_rows_goes_by_position(made: Any, index: Any) -> None:
    """As of a part that was split off and shuffled: nothing else has these numbers."""
    labels, probs = made
    same(find_label_errors(pd.Series(labels, index), probs), find_label_errors(labels, probs))
    same(find_label_errors(labels, pd.DataFrame(probs, index)), find_label_errors(labels, probs))


# Errors

HALVES = np.full((4, 2), 0.5)


@pytest.mark.parametrize(
    ("labels", "finding"),
    [
        ([0, 1, 2, 1], "labels: row 2: expected a class from 0 to 1, found 2"),
        ([1, 2, 1, 2], "labels: row 1: .* found 2; classes are counted from 0, and these labels look counted from 1"),
        ([0, -1, 0, 1], "labels: row 1: expected a class from 0 to 1, found -1"),
        ([0.0, 1.0, 0.5, 1.0], "labels: row 2: expected a label, found 0.5"),
        (np.array([0, 1, np.nan, 1]), "labels: row 2: expected the number of a class, found nan"),
        (np.array([0, 1, np.inf, 1]), "labels: row 2: expected the number of a class, found inf"),
        (pd.Series([0, None, 1, 1]), "labels: row 1: expected the number of a class, found nan"),
        (pd.Series([0, None, 1, 1], dtype="Int64"), "labels: row 1: expected .*, found (nan|<NA>)"),
        (pd.Series(["a", None, "b", "b"]), "labels: row 1: expected a label, found (nan|None)"),
        (pd.Categorical(["a", None, "b", "b"]), "labels: row 1: expected a label, found nan"),
        (["a", "b", "a", "b"], r"labels: row 0: expected the number of a class \(names need .*, classes\), found 'a'"),
        ([0, 1, True, 1], "labels: row 2: expected a label, found True"),
        ([0, 1, 0, 1, 0], "labels: expected 4 labels, one for each row of pred_probs, found 5"),
        ([], "labels: expected one label an example, found none"),
        (0, "labels: expected an array, a list or a Series .*, found 0 of type int"),
        (np.array(0), r"labels: expected one label an example, found shape \(\)"),
        (None, "labels: expected an array, a list or a Series .*, found None"),
        ([[0], [1], [0, 1], [1]], r"labels: row 0: expected a label, found \[0\]; sets of labels need --multiple"),
        ([{0}, {1}, {0, 1}, {1}], r"labels: row 0: expected a label, found \{0\}; sets of labels need --multiple"),
        (
            np.eye(2)[[0, 1, 0, 1]],
            r"labels: .* shape \(4, 2\); a 1 in each row\? .argmax\(axis=1\) gives numbers",
        ),
        (np.zeros((2, 4)), r"labels: expected one label an example, found shape \(2, 4\)"),
        ({0, 1}, r"labels: expected an array, a list or a Series .*, found \{0, 1\}"),
        ({0: 1}, "labels: expected an array, a list or a Series .* of type dict"),
        (b"0101", "labels: expected an array, a list or a Series .*, found b'0101'"),
        (iter([0, 1, 0, 1]), "labels: expected an array, a list or a Series .* of type list_iterator"),
        (np.ma.array([0, 1, 0, 1], mask=[0, 0, 1, 0]), "labels: row 2: expected no value to be masked, found one"),
        ([0, 1, np.ma.masked, 1], "labels: row 2: expected a label, found masked"),
        (
            pd.DataFrame({"a": [0] * 4, "b": [1] * 4}),
            "labels: .* found a table of the columns a, b: pass one of them",
        ),
        (np.array([0, 1, 0, 1], "M8[s]"), r"labels: expected whole numbers or texts, found datetime64\[s\]"),
        (np.array([0, 1, 0, 1], complex), "labels: expected whole numbers or texts, found complex128"),
        ([0, 1, 1 << 70, 1], "labels: row 2: expected a label, found 1180591620717411303424"),
    ],
)
def test_bad_labels(labels: Any, finding: str) -> None:
    with pytest.raises(ValueError, match="^" + finding) as caught:
        find_label_errors(labels, HALVES)
    assert isinstance(caught.value, DataError)


def halves(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({0: [0.5] * 4, 1: [0.5] * 4} | {int(name[1:]): values for name, values in columns.items()})


class OnAnotherDevice:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError("can't convert device type tensor to numpy")


@pytest.mark.parametrize(
    ("pred_probs", "finding"),
    [
        ([[1, 0]] * 4, r"pred_probs: expected floating-point numbers .*, found int64; .* \.astype\(float\)"),
        (np.ones((4, 2), bool), "pred_probs: expected floating-point numbers .*, found bool"),
        (HALVES.astype(np.longdouble), "pred_probs: expected floating-point numbers of 16, 32 or 64 bits"),
        (HALVES.astype(complex), "pred_probs: expected floating-point numbers .*, found complex128"),
        (HALVES.astype(object), "pred_probs: expected floating-point numbers .*, found object"),
        (HALVES.astype(str), "pred_probs: expected floating-point numbers .*, found <U"),
        (HALVES * 1.2, "pred_probs: row 0: expected probabilities that sum to 1 within 0.0001, found a sum of 1.2"),
        (np.array([[0.5, 0.5]] * 3 + [[np.nan, 1]]), "pred_probs: row 3: expected finite numbers, found nan"),
        (np.array([[0.5, 0.5]] * 3 + [[3, -2]]), "pred_probs: row 3: .* found -2 for class 1; if these are logits"),
        (HALVES[:, 0], r"pred_probs: expected shape \(n, m\), .* found \(4,\); .* np.column_stack\(\[1 - p, p\]\)"),
        (HALVES[None], r"pred_probs: expected shape \(n, m\), one column a class, found \(1, 4, 2\)"),
        (HALVES[:0], r"pred_probs: expected rows, one an example, found none: shape \(0, 2\)"),
        (HALVES[:, :0], r"pred_probs: expected shape \(n, m\), one column a class, found \(4, 0\)"),
        ([], r"pred_probs: expected shape \(n, m\), one column a class, found \(0,\)"),
        ([[0.5, 0.5], [1.0]], "pred_probs: expected an .* array, .*, found what numpy makes none of: .*inhomogeneous"),
        (["p.npy", HALVES], "pred_probs: expected an .* array, a DataFrame, or paths"),
        (None, "pred_probs: expected an .* array, a DataFrame, or paths, found None"),
        ({"a": [0.5]}, "pred_probs: expected an .* array, a DataFrame, or paths, found .* of type dict"),
        (OnAnotherDevice(), "pred_probs: expected .*, found what numpy makes none of: can't convert device"),
        (pl.DataFrame(HALVES), r"pred_probs: found polars.*DataFrame, whose names of columns .*\.to_pandas\(\)"),
        (pa.table({"a": [0.5], "b": [0.5]}), r"pred_probs: found pyarrow.*Table, whose names of columns"),
        (np.ma.masked_equal(np.eye(2)[[0, 1, 0, 1]] + 0.0, 0), "pred_probs: row 0: expected no value to be masked"),
        (list(np.ma.array(HALVES, mask=[[0, 0]] * 3 + [[1, 0]])), "pred_probs: row 3: expected no value to be masked"),
        (halves(_2=range(4)), "pred_probs: expected floating-point numbers in every column, found int64 in '2'"),
        (halves(_2=["a"] * 4), "pred_probs: expected floating-point numbers in every column, found .* in '2'"),
        (halves().rename(columns={1: "index"}), "pred_probs: expected a column for each class, found 'index'"),
        (
            halves().rename(columns={1: "0"}),
            "pred_probs: expected columns of different names, found '0' more than",
        ),
        (halves().set_axis([["a", "a"], ["b", "c"]], axis=1), "pred_probs: expected one name a column, found 2 levels"),
        (halves(_0=[None, 1, 1, 1]).astype("Float64"), "pred_probs: row 0: expected finite numbers, found nan"),
        (halves().iloc[:0], "pred_probs: expected rows, one an example, found none"),
        (pd.DataFrame(index=range(4)), r"pred_probs: expected shape \(n, m\)"),
    ],
)
def test_bad_matrices(pred_probs: Any, finding: str) -> None:
    with pytest.raises(ValueError, match="^" + finding):
        find_label_errors([0, 1, 0, 1], pred_probs)


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        ({"rule": "calibrate"}, "rule: expected calibrated, .*, argmax, a number of .*, found 'calibrate'"),
        ({"rule": -1}, "rule: expected calibrated, .*, found -1"),
        ({"rule": 1.5}, "rule: expected calibrated, .*, found 1.5"),
        ({"rule": True}, "rule: expected calibrated, .*, found True"),
        ({"rule": None}, "rule: expected calibrated, .*, found None"),
        ({"tolerance": 0}, "tolerance: expected a number above 0, at most 0.5, found 0"),
        ({"tolerance": 2}, "tolerance: expected a number above 0, at most 0.5, found 2"),
        ({"tolerance": np.nan}, "tolerance: expected a number above 0, at most 0.5, found nan"),
        ({"tolerance": 10**400}, "tolerance: expected a number above 0, at most 0.5, found 10000"),
        ({"tolerance": 10**5000}, "tolerance: .* found a number of thousands of digits"),
        ({"tolerance": Fraction(10**400)}, "tolerance: expected a number above 0, at most 0.5, found Fraction"),
        ({"tolerance": "x" * 5000}, r"tolerance: .* found 'x{56}\.\.\.$"),
        ({"tolerance": pd.Series([0.1])}, "tolerance: .* found 0 0.1 dtype: float64$"),
        ({"rule": 10**5000}, "rule: .* found a number of thousands of digits"),
        ({"rule": "\u0662"}, "rule: expected calibrated, .*, found '\u0662'"),
        ({"classes_are": np.array([1, 2])}, 'classes_are: expected "names" or "numbers", found array'),
        ({"classes_are": pd.NA}, 'classes_are: expected "names" or "numbers", found <NA>'),
        ({"classes": "x" * 5000}, "x{5000}: could not be read: File name too long"),
        ({"tolerance": 0.1, "logits": True}, "tolerance: goes with probabilities"),
        ({"classes_are": "ids"}, 'classes_are: expected "names" or "numbers", found \'ids\''),
        ({"label_column": "y"}, "label_column: expected labels in a file, which has columns, found list"),
        ({"classes": ["a"]}, "pred_probs: expected 1 columns, one for each class of classes, found 2"),
        ({"classes": ["a", "a"]}, "classes: class 1: expected each name once, found 'a' twice"),
        ({"classes": ["a", " "]}, "classes: class 1: expected a name, found ' '"),
        ({"classes": ["a", 1]}, "classes: class 1: expected a name, found 1"),
        ({"classes": [0.5, 1.5]}, "classes: class 0: expected a name, found 0.5"),
        ({"classes": []}, r"classes: expected a list of class names, found \[\]"),
        ({"classes": {0: "a", 1: "b"}}, "classes: expected a list of names in the order of the classes, or a path"),
        ({"classes": {"a", "b"}}, "classes: expected a list of names in the order of the classes, or a path"),
        ({"classes": np.array([["a", "b"]])}, "classes: expected a list of names in the order of the classes"),
        ({"classes": pd.Series(["a", "b"], index=[1, 0])}, "classes: .* found a Series with an index of its own"),
        ({"classes": "nowhere.txt"}, "nowhere.txt: expected a text file, found none"),
    ],
)
def test_bad_options(options: dict[str, Any], finding: str) -> None:
    with pytest.raises(ValueError, match="^" + finding):
        find_label_errors([0, 1, 0, 1], HALVES, **options)


@pytest.mark.parametrize("rule", ["prune-by-class", FlagRule.PRUNE_BY_CLASS, "7", np.int64(7)])
def test_rules_are_taken_in_every_way_that_is_clear(made: Any, rule: Any) -> None:
    plain = "prune_by_class" if "prune" in str(rule) else 7
    same(find_label_errors(*made, rule), find_label_errors(*made, plain))


# What is shown


def test_text_of_datasets_is_escaped_where_it_is_shown(made: Any) -> None:
    labels, probs = made
    found = find_label_errors(labels, probs, classes=["<script>", "b", "c"])
    shown = found._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert f"<p>... and {len(found.issues) - 10} more</p>" in shown
    lines = repr(found).splitlines()
    assert lines[0] == (
        f"{len(found.issues)} of 300 examples flagged by calibrated ({len(found.issues) / 3:.2f} %); "
        f"3 classes, rho {found.rho:.4f}"
    )
    assert lines[-1] == f"... and {len(found.issues) - 10} more in .issues"
    assert len(lines) == 13


# The package


def test_one_version() -> None:
    assert ingest.__version__ is app.__version__
    assert "find_label_errors" in dir(ingest)
    with pytest.raises(AttributeError, match="module 'ingest' has no attribute 'find_label_error'"):
        _ = ingest.find_label_error  # type: ignore[attr-defined]


def test_commands_do_not_load_what_notebooks_need() -> None:
    script = (
        "import sys, ingest; loaded = {'numpy', 'pandas'} & sys.modules.keys(); assert not loaded, loaded\n"
        "import ingest.commands.flag; assert 'pandas' not in sys.modules\n"
        "from ingest import find_label_errors; assert callable(find_label_errors)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
