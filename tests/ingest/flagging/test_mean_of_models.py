"""Several models of the same examples: the mean of their probabilities, in any blocks, on any executor."""

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from app.domain.confident_learning.joint import FlagRule
from ingest import find_label_errors
from ingest.commands.main import main
from ingest.errors import DataError, ManifestError
from ingest.flagging.engine import FlagResult, flag
from ingest.flagging.executors import in_pool, on_dask
from ingest.manifest.parse import read_manifest
from ingest.matrices import row_kernel
from ingest.matrices.matrix import Matrix, open_matrix
from ingest.matrices.mean import open_models

N, M = 900, 7
LABELS = np.random.default_rng(2).integers(0, M, N)


def rows(seed: int, dtype: str, n: int = N) -> Any:
    rng = np.random.default_rng(seed)
    return (rng.dirichlet(np.full(M, 0.2), n) * 0.7 + 0.3 * np.eye(M)[LABELS[:n]]).astype(dtype)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[Path]]:
    """Three models in three precisions and forms, one of them in two parts, another packed in row groups."""
    half, single, double = rows(0, "f2"), rows(1, "f4"), rows(2, "f8")
    np.save(tmp_path / "half.npy", half)
    np.save(tmp_path / "top.npy", np.asfortranarray(single[:400]))
    np.save(tmp_path / "below.npy", single[400:])
    table = pd.DataFrame(double, columns=[f"p_{k}" for k in range(M)])
    table[table.columns[::-1]].to_parquet(tmp_path / "packed.parquet", row_group_size=250)
    names = {"half": ["half.npy"], "single": ["top.npy", "below.npy"], "double": ["packed.parquet"]}
    return {name: [tmp_path / path for path in paths] for name, paths in names.items()}


def exact(files: dict[str, list[Path]]) -> Any:
    """The mean by fractions, rounded once for the sum and once for the quotient, of the rows each model gives alone."""
    alone = [
        np.concatenate([block.copy() for _, block in open_matrix(paths, N, M).blocks()]) for paths in files.values()
    ]
    stacked = np.stack([rows.astype(np.float64) for rows in alone]).reshape(len(files), -1).T
    sums = [float(sum(map(Fraction, values))) for values in stacked.tolist()]
    return (np.array(sums) / len(files)).reshape(N, M)


def same(one: FlagResult, other: FlagResult) -> bool:
    return (
        one.margins.tobytes() == other.margins.tobytes()
        and one.thresholds.tobytes() == other.thresholds.tobytes()
        and one.guesses.tobytes() == other.guesses.tobytes()
        and np.array_equal(one.counted.dense(), other.counted.dense())
        and np.array_equal(one.flagged, other.flagged)
    )


def flagged(matrix: Matrix, rule: FlagRule | int = FlagRule.CALIBRATED, executor: Any = None) -> FlagResult:
    return flag(LABELS, matrix, rule, lambda _: None, executor)


def test_it_is_the_exact_mean_rounded_to_double_precision(files: dict[str, list[Path]]) -> None:
    matrix = open_models(files, N, M)
    found = np.concatenate([block.copy() for _, block in matrix.blocks()])
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, exact(files))
    chosen = np.array([0, 5, 249, 250, 399, 400, 899])
    np.testing.assert_array_equal(matrix.rows(chosen), found[chosen])
    assert matrix.nbytes == N * M * (2 + 4 + 8)


@pytest.mark.parametrize("rule", [FlagRule.CALIBRATED, FlagRule.BOTH, 17])
def test_blocks_workers_and_the_order_of_models_change_no_bit(
    files: dict[str, list[Path]], rule: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = flagged(open_models(files, N, M), rule)
    assert expected.n_flagged > 5
    assert expected.models == ("half", "single", "double")
    for order in permutations(files):
        assert same(flagged(open_models({name: files[name] for name in order}, N, M), rule), expected)
    monkeypatch.setattr("ingest.flagging.engine.SPAN_BYTES", 15_000)
    for code in {row_kernel._row_kernel, None}:
        monkeypatch.setattr(row_kernel, "_row_kernel", code)
        for size in (56, 9_999, 2_000_000):
            with in_pool(3) as threads:
                matrix = replace(open_models(files, N, M), block_bytes=size)
                assert same(flagged(matrix, rule, threads), expected), size


@pytest.mark.slow
def test_processes_and_dask_find_the_same(files: dict[str, list[Path]]) -> None:
    matrix = open_models(files, N, M)
    expected = flagged(matrix)
    with in_pool(2, "processes") as processes:
        assert same(flagged(matrix, executor=processes), expected)
    with on_dask("local", 1) as cluster:
        assert same(flagged(matrix, executor=cluster), expected)


def test_the_engine_on_the_mean_is_the_engine_on_a_file_of_it(files: dict[str, list[Path]], tmp_path: Path) -> None:
    """Of models in double precision, whose mean sums to 1 within its rounding."""
    for seed in (3, 4):
        np.save(tmp_path / f"{seed}.npy", rows(seed, "f8"))
    models = {"a": files["double"], "b": [tmp_path / "3.npy"], "c": [tmp_path / "4.npy"]}
    np.save(tmp_path / "mean.npy", exact(models))
    for rule in (*FlagRule, 40):
        assert same(flagged(open_models(models, N, M), rule), flagged(open_matrix([tmp_path / "mean.npy"], N, M), rule))


def test_a_model_of_one_is_itself(files: dict[str, list[Path]]) -> None:
    matrix = open_models({"half": files["half"]}, N, M)
    assert (matrix.dtype, matrix.models) == (np.dtype(np.float16), ())


def test_logits_and_stated_tolerances_hold_for_each_model(tmp_path: Path) -> None:
    sure = rows(5, "f8")
    np.save(tmp_path / "probs.npy", sure)
    np.save(tmp_path / "logits.npy", np.log(sure + 1e-9) + 3)
    np.save(tmp_path / "off.npy", sure * 0.99)
    paths = {name: [tmp_path / f"{name}.npy"] for name in ("probs", "logits", "off")}
    mixed = open_models({name: paths[name] for name in ("probs", "logits")}, N, M, logits=True)
    np.testing.assert_allclose(mixed.rows(np.arange(N)), sure, atol=1e-6)
    assert mixed.softmax
    off = flagged(open_models({name: paths[name] for name in ("probs", "off")}, N, M, tolerance=0.02))
    np.testing.assert_allclose(off.self_confidence, sure[np.arange(N), LABELS], atol=1e-12)
    assert off.n_beyond == N
    assert off.beyond_sentence().startswith("900 of 1,800 rows are farther from summing to 1")
    with pytest.raises(DataError, match=r"off\.npy: row 0: expected probabilities that sum to 1 within 0\.0001"):
        flagged(open_models({name: paths[name] for name in ("probs", "off")}, N, M))


def test_a_bad_row_is_told_by_the_file_it_is_in(files: dict[str, list[Path]], tmp_path: Path) -> None:
    bad = rows(1, "f4")[400:]
    bad[17, 2] = np.nan
    np.save(files["single"][1], bad)
    with pytest.raises(DataError, match=r"below\.npy: row 17 \(row 417 of all parts\): expected finite numbers"):
        flagged(open_models(files, N, M))


def said(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    np.save(folder / "labels.npy", LABELS)
    assert main(["flag", *arguments, "--labels", str(folder / "labels.npy")]) == 1
    return capsys.readouterr().err


def test_models_that_do_not_fit_are_refused_naming_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", rows(0, "f4"))
    np.save(tmp_path / "short.npy", rows(1, "f4", N - 1))
    np.save(tmp_path / "narrow.npy", np.full((N, 2), 0.5))
    a, short, narrow = (str(tmp_path / f"{name}.npy") for name in ("a", "short", "narrow"))
    told = said(tmp_path, capsys, a, "--and", short)
    assert f"{short}: expected 900 rows, as {a} has, for the mean of models of the same examples; found 899" in told
    told = said(tmp_path, capsys, a, "--and", narrow)
    assert f"{narrow}: expected 7 columns, one a class, as {a} has, found 2" in told
    told = said(tmp_path, capsys, a, "--and", str(tmp_path / "." / "a.npy"))
    assert f"{a}: expected each file once, of one model alone, found it twice" in told


def test_rows_named_alike_in_different_orders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In any parts. Columns whose values are not all different, or differ, name no rows."""
    frame = pd.DataFrame(rows(0, "f8"), columns=[f"p_{k}" for k in range(M)])
    names = [f"x{place}" for place in range(N)]
    frame = frame.assign(id=names, model="a", guess=np.arange(N) % M, run=range(N))
    a, b, top, below = (str(tmp_path / f"{name}.parquet") for name in ("a", "b", "top", "below"))
    frame.to_parquet(a)
    other = frame.assign(model="b", guess=(1 + np.arange(N)) % M, run=range(N, 2 * N))
    np.save(tmp_path / "labels.npy", LABELS)
    asked = ["flag", a, "--labels", str(tmp_path / "labels.npy"), "--and"]
    other[:500].reset_index(drop=True).to_parquet(top)
    other[500:].reset_index(drop=True).to_parquet(below)
    assert main([*asked, top, below]) == 0
    other.assign(id=[*names[:7], *names[7:][::-1]]).to_parquet(b)
    assert main([*asked, b]) == 1
    told = capsys.readouterr().err
    assert f"{b}: row 7: expected 'x7' in the column id, as in {a}, found 'x899': rows of all models must be" in told


def test_classes_in_different_orders_are_refused_or_put_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"]
    for place, order in enumerate((names, names[::-1])):
        frame = pd.DataFrame(rows(place, "f8"), columns=names)[order]
        frame.to_parquet(tmp_path / f"{place}.parquet")
        np.save(tmp_path / f"{place}.npy", rows(place, "f8"))
    one, other = (str(tmp_path / f"{place}.parquet") for place in range(2))
    told = said(tmp_path, capsys, one, "--and", other)
    assert f"{other}: expected columns in the order of those of {one}, which has 'ant' at place 0" in told
    (tmp_path / "classes.json").write_text(json.dumps(names))
    labels, classes = str(tmp_path / "labels.npy"), str(tmp_path / "classes.json")
    found = []
    for matrices in ((one, "--and", other), (str(tmp_path / "0.npy"), "--and", str(tmp_path / "1.npy"))):
        out = tmp_path / "issues.json"
        assert main(["flag", *matrices, "--labels", labels, "--classes", classes, "--out", str(out)]) == 0
        found.append(json.loads(out.read_text()))
        assert "\nthe mean of 2 models: " in capsys.readouterr().out
    assert found[0] == found[1]
    assert len(found[0]) > 20


def test_several_labels_are_not_averaged(files: dict[str, list[Path]], capsys: pytest.CaptureFixture[str]) -> None:
    matrices = [str(files["half"][0]), "--and", *map(str, files["single"])]
    assert main(["flag", *matrices, "--labels", "labels.npy", "--multiple"]) != 0
    assert "expected" in capsys.readouterr().err


def test_thirteen_models_of_cifar10_find_more_than_the_published_one(shared: Path, tmp_path: Path) -> None:
    """Of the examples for which most people of CIFAR-10H reject the given label, among the 275 of lowest margin.

    Stored are five classes of each model; what they lack of 1 is up to .31, and each row is divided by its sum.
    """
    release, n = shared / "label-errors", 10_000
    labels = np.load(release / "original_test_labels" / "cifar10_test_set_original_labels.npy")
    people = np.load(shared / "opinions" / "cifar10" / "cifar10h-counts.npy")
    rejected = 2 * people[np.arange(n), labels] < people.sum(axis=1)
    assert rejected.sum() == 122
    models = {}
    for path in sorted((shared / "benchmarks" / "pytorch_cifar10").glob("*_top5probs.npy")):
        whole = np.zeros((n, 10), np.float32)
        classes = np.load(path.with_name(path.name.replace("probs", "preds")))
        np.put_along_axis(whole, classes, np.load(path).astype(np.float32), axis=1)
        models[path.name] = [tmp_path / f"{path.name}-whole.npy"]
        np.save(tmp_path / f"{path.name}-whole.npy", whole)
    assert len(models) == 13
    published = [release / "cross_validated_predicted_probabilities" / "cifar10_test_set_pyx.npy"]
    found = []
    for matrix in (open_models(models, n, 10, tolerance=0.5), open_matrix(published, n, 10)):
        flagging = flag(labels, matrix, FlagRule.UNCALIBRATED if matrix.models == () else 275, lambda _: None)
        assert flagging.n_flagged == 275
        ranks = rankdata(-flagging.margins)
        above = ranks[rejected].sum() - 122 * 123 / 2
        found.append((int(rejected[flagging.flagged].sum()), round(above / (122 * (n - 122)), 3)))
    assert found == [(34, 0.865), (22, 0.851)]


def test_a_manifest_names_its_models(tiny: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = tiny.write()
    other = np.roll(tiny.probs, 1, axis=1)
    np.save(tiny.folder / "top.npy", other[:15])
    np.save(tiny.folder / "below.npy", other[15:])
    text = manifest.read_text()
    both = 'pred_probs_of = {one = "probs.npy", other = ["top.npy", "below.npy"]}'
    manifest.write_text(text.replace('pred_probs = "probs.npy"', both).replace('votes = "votes.json"', ""))
    catalogue = tmp_path / "catalogue.sqlite"
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 0
    with closing(sqlite3.connect(catalogue)) as connection:
        facts = json.loads(connection.execute("SELECT confident_learning FROM datasets").fetchone()[0])
        found = dict(connection.execute("SELECT idx, self_confidence FROM issues").fetchall())
        sources = {path for (path,) in connection.execute("SELECT path FROM sources WHERE role = 'pred_probs'")}
    assert facts["models"] == ["one", "other"]
    assert sources == {"probs.npy", "top.npy", "below.npy"}
    assert len(found) == 8
    for index, confidence in found.items():
        assert confidence == (tiny.probs[index] + other[index])[tiny.labels[index]] / 2
    (tiny.folder / "below.npy").unlink()
    assert main(["add", str(manifest), str(tiny.folder), "--catalogue", str(catalogue)]) == 1
    assert "below.npy: expected the predicted probabilities, found none" in capsys.readouterr().err
    assert main(["predict", str(manifest), str(tiny.folder)]) == 1
    assert "files.pred_probs_of: expected none where predict is to enter pred_probs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ('pred_probs = "a.npy"\npred_probs_of = {b = "b.npy"}', "of one model or pred_probs_of several, found both"),
        ('pred_probs_of = {a = "a.npy", b = "a.npy"}', "expected files for each model, each once, found a.npy, a.npy"),
        ("pred_probs_of = {a = []}", "expected files for each model, each once, found "),
    ],
)
def test_models_of_a_manifest_that_cannot_be_meant(tiny: Any, files: str, said: str) -> None:
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('pred_probs = "probs.npy"', files))
    with pytest.raises(ManifestError, match=re.escape(said)):
        read_manifest(manifest)


def test_sets_of_labels_have_one_model(tiny: Any) -> None:
    tiny.top = 'labels = "multiple"'
    manifest = tiny.write()
    manifest.write_text(manifest.read_text().replace('pred_probs = "probs.npy"', 'pred_probs_of = {a = "probs.npy"}'))
    with pytest.raises(ManifestError, match=r"files\.pred_probs_of: expected where rows sum to 1"):
        read_manifest(manifest)


@pytest.mark.parametrize("kind", ["arrays", "frames", "files", "mixed"])
def test_in_python_the_mean_is_that_of_the_command(
    files: dict[str, list[Path]], tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"p_{k}" for k in range(M)]
    half, single, double = rows(0, "f2"), rows(1, "f4"), rows(2, "f8")
    frame = pd.DataFrame(double, columns=names)[names[::-1]]
    models = {
        "arrays": (half, [single, double]),
        "frames": (half, [single, frame]),
        "files": (files["half"][0], [files["single"], files["double"][0]]),
        "mixed": (half, [files["single"], frame]),
    }[kind]
    found = find_label_errors(LABELS, models[0], others=models[1], classes=names)
    (tmp_path / "names.json").write_text(json.dumps(names))
    np.save(tmp_path / "labels.npy", LABELS)
    arguments = [str(files["half"][0]), "--and", *map(str, files["single"]), "--and", str(files["double"][0])]
    arguments += ["--labels", str(tmp_path / "labels.npy"), "--classes", str(tmp_path / "names.json")]
    assert main(["flag", *arguments, "--out", str(tmp_path / "out.parquet")]) == 0
    written = pd.read_parquet(tmp_path / "out.parquet").drop(columns="flagged")
    assert len(written) > 20
    pd.testing.assert_frame_equal(found.issues, written, check_exact=True)


def test_in_python_models_that_do_not_fit_are_refused() -> None:
    one = rows(0, "f8")
    with pytest.raises(ValueError, match=r"others: expected a list of the probabilities of further models, found"):
        find_label_errors(LABELS, one, others=one)
    with pytest.raises(ValueError, match=r"others\[1\]: expected 900 rows, as pred_probs has, .* found 899"):
        find_label_errors(LABELS, one, others=[one, one[:-1]])
    bad = one.copy()
    bad[3, 3] = np.nan
    with pytest.raises(ValueError, match=r"others\[0\]: row 3: expected finite numbers, found nan"):
        find_label_errors(LABELS, one, others=[bad])
    left, right = (pd.DataFrame(one, columns=list("abcdefg")[::step]) for step in (1, -1))
    with pytest.raises(ValueError, match=r"others\[0\]: expected columns in the order of those of pred_probs, .* 'a'"):
        find_label_errors(LABELS, left, others=[right])
    with pytest.raises(ValueError, match=r"pred_probs: row 0: expected the index of others\[0\], which has 899 there"):
        find_label_errors(LABELS, left, others=[left[::-1]])
