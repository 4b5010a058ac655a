"""The engine against a plain triple loop, against itself in other blocks and on other executors, and on bad input."""

import math
import multiprocessing
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import best_pairs, joint_cells
from app.domain.confident_learning.joint import FlagRule, joint, number_flagged
from ingest.errors import DataError
from ingest.flagging import engine, executors
from ingest.flagging.engine import FlagResult, flag
from ingest.flagging.executors import PoolExecutor, SerialExecutor, in_pool, suited
from ingest.matrices.matrix import open_matrix

RULES: list[FlagRule | int] = [*FlagRule, 3]
TYPES = {"f2": np.float16, "f4": np.float32, "f8": np.float64}


def flagged(path: Path, labels: Any, m: int, rule: FlagRule | int = FlagRule.CALIBRATED, **options: Any) -> FlagResult:
    executor = options.pop("executor", None)
    matrix = replace(open_matrix([path], len(labels), m, logits=options.pop("logits", False)), **options)
    return flag(labels, matrix, rule, lambda _: None, executor)


def saved(path: Path, array: Any) -> Path:
    np.save(path, array)
    return path


@st.composite
def datasets(draw: Any) -> tuple[Any, Any]:
    """Labels and probabilities as files hold them: any precision, many ties, equal rows, classes without example."""
    dtype = TYPES[draw(st.sampled_from(sorted(TYPES)))]
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 30))
    coarse = draw(st.booleans())
    if draw(st.integers(0, 9)) == 0:
        rows = [draw(st.lists(st.integers(1, 8), min_size=m, max_size=m))] * n
    else:
        weights = st.lists(st.integers(0, 8 if coarse else 10_000), min_size=m, max_size=m)
        rows = draw(st.lists(weights, min_size=n, max_size=n))
    values = np.array([row if sum(row) else [1] * m for row in rows], dtype=np.float64)
    probs = (values / values.sum(axis=1, keepdims=True)).astype(dtype)
    integer = draw(st.sampled_from([np.int8, np.uint16, np.int32, np.uint64, np.int64]))
    labels = np.array(draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n)), dtype=integer)
    return labels, probs


def loops(labels: list[int], probs: list[list[float]], m: int) -> dict[str, Any]:
    """Everything by plain loops over rows and classes, sums exact by ``math.fsum``."""
    thresholds = []
    for j in range(m):
        own = [row[j] for label, row in zip(labels, probs, strict=True) if label == j]
        thresholds.append(math.fsum(own) / len(own) if own else None)
    counts = [[0] * m for _ in range(m)]
    latent = []
    for label, row in zip(labels, probs, strict=True):
        best = None
        for j in range(m):
            reached = thresholds[j] is not None and row[j] >= max(thresholds[j], 2e-6)
            if reached and (best is None or row[j] > row[best]):
                best = j
        latent.append(best)
        if best is not None:
            counts[label][best] += 1
    others = [
        max((p for j, p in enumerate(row) if j != label), default=0.0) for label, row in zip(labels, probs, strict=True)
    ]
    return {
        "thresholds": thresholds,
        "counts": counts,
        "latent": latent,
        "own": [row[label] for label, row in zip(labels, probs, strict=True)],
        "others": others,
        "guesses": [max(range(m), key=lambda j, row=row: (row[j], -j)) for row in probs],
    }


def loop_expected(counts: list[list[int]], label_counts: list[int]) -> list[list[int]]:
    """n Q in whole examples: rounded down, then the largest remainders up, lower class first."""
    found = []
    for i, row in enumerate(counts):
        row = row if sum(row) else [int(i == j) for j in range(len(row))]
        total = sum(row)
        whole = [c * label_counts[i] // total for c in row]
        left = sorted(
            range(len(row)), key=lambda j, row=row, i=i, total=total: (-(row[j] * label_counts[i] % total), j)
        )
        for j in left[: label_counts[i] - sum(whole)]:
            whole[j] += 1
        found.append(whole)
    return found


def loop_pruned(rule: FlagRule, labels: list[int], probs: list[list[float]], oracle: dict[str, Any]) -> set[int]:
    m, n = len(probs[0]), len(labels)
    suspects = {k for k in range(n) if oracle["others"][k] > oracle["own"][k]}
    if rule is FlagRule.ARGMAX:
        return suspects
    if rule is FlagRule.CONFIDENT_JOINT:
        return {k for k in suspects if oracle["latent"][k] not in (None, labels[k])}
    if rule is FlagRule.BOTH:
        return loop_pruned(FlagRule.PRUNE_BY_CLASS, labels, probs, oracle) & loop_pruned(
            FlagRule.PRUNE_BY_NOISE_RATE, labels, probs, oracle
        )
    wanted = loop_expected(oracle["counts"], [labels.count(j) for j in range(m)])
    found = set()
    for i in range(m):
        members = [k for k in range(n) if labels[k] == i]
        if rule is FlagRule.PRUNE_BY_CLASS:
            found |= set(sorted(members, key=lambda k: (oracle["own"][k], k))[: sum(wanted[i]) - wanted[i][i]])
            continue
        for j in set(range(m)) - {i}:
            more = [k for k in members if probs[k][j] > probs[k][i]]
            found |= set(sorted(more, key=lambda k: (probs[k][i] - probs[k][j], k))[: wanted[i][j]])
    return found & suspects


@pytest.fixture(params=[0, 1 << 21], ids=["by sorting", "in a table"])
def joints_counted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few classes as many are counted, and as few are."""
    monkeypatch.setattr(joint_cells, "TABLE_CELLS", request.param)


@pytest.mark.usefixtures("joints_counted")
@given(data=datasets())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everything_equals_the_loops(tmp_path: Path, data: tuple[Any, Any]) -> None:
    labels, probs = data
    n, m = probs.shape
    path = saved(tmp_path / "probs.npy", probs)
    found = flagged(path, labels, m)
    # What a row is after it was mended, if it was, is the readers' affair; nearly all of these are taken as they are.
    rows = open_matrix([path], n, m).rows(np.arange(n)).astype(np.float64).tolist()
    given_labels = labels.tolist()
    oracle = loops(given_labels, rows, m)
    for threshold, expected in zip(found.thresholds, oracle["thresholds"], strict=True):
        assert math.isnan(threshold) if expected is None else threshold == pytest.approx(expected, rel=1e-15)
    # fsum rounds twice where the mean rounds once: count with the engine's own thresholds.
    exact = [None if math.isnan(t) else t for t in found.thresholds.tolist()]
    if exact != oracle["thresholds"]:
        oracle = oracle | recounted(given_labels, rows, exact)
    assert found.counted.dense().tolist() == oracle["counts"]
    assert found.self_confidence.tolist() == oracle["own"]
    assert found.margins.tolist() == [own - other for own, other in zip(oracle["own"], oracle["others"], strict=True)]
    assert found.guesses.tolist() == oracle["guesses"]
    order = sorted(range(n), key=lambda k: (found.margins[k], k))
    assert found.order.tolist() == order
    for rule in (FlagRule.CALIBRATED, FlagRule.UNCALIBRATED):
        k = number_flagged(found.counted, found.label_counts, rule)
        assert flagged(path, labels, m, rule).flagged.tolist() == order[:k]
    for rule in set(FlagRule) - {FlagRule.CALIBRATED, FlagRule.UNCALIBRATED}:
        expected_set = loop_pruned(rule, given_labels, rows, oracle)
        assert flagged(path, labels, m, rule).flagged.tolist() == [k for k in order if k in expected_set], rule


def recounted(labels: list[int], probs: list[list[float]], thresholds: list[float | None]) -> dict[str, Any]:
    m = len(thresholds)
    counts, latent = [[0] * m for _ in range(m)], []
    for label, row in zip(labels, probs, strict=True):
        reached = [j for j, t in enumerate(thresholds) if t is not None and row[j] >= max(t, 2e-6)]
        best = min(reached, key=lambda j, row=row: (-row[j], j), default=None)
        latent.append(best)
        if best is not None:
            counts[label][best] += 1
    return {"counts": counts, "latent": latent, "thresholds": thresholds}


def made(n: int, m: int, dtype: str, seed: int = 1) -> tuple[Any, Any]:
    """Noisy probabilities of a poor model, so that many rows stay unsettled, and labels with errors."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, m, n).astype(np.uint16)
    logits = rng.standard_normal((n, m)) + 1.2 * np.eye(m)[labels]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = rng.random(n) < 0.2
    labels[wrong] = (labels[wrong] + 1) % m
    return labels, probs.astype(dtype)


def same(a: FlagResult, b: FlagResult) -> bool:
    """Equal to the last bit."""
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("thresholds", "flagged", "margins", "guesses")]
    pairs += [(a.counted.cell, b.counted.cell), (a.counted.value, b.counted.value), (a.joint.value, b.joint.value)]
    return all(x.dtype == y.dtype and x.tobytes() == y.tobytes() for x, y in pairs) and a.facts() == b.facts()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rule", RULES)
def test_counting_by_sorting_changes_no_bit(
    dtype: str, rule: FlagRule | int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, probs = made(1_500, 60, dtype)
    path = saved(tmp_path / "probs.npy", probs)
    in_a_table = flagged(path, labels, 60, rule)
    assert 0 < in_a_table.n_flagged < 1_500
    monkeypatch.setattr(joint_cells, "TABLE_CELLS", 0)
    assert same(flagged(path, labels, 60, rule), in_a_table)
    monkeypatch.setattr(engine, "SPAN_BYTES", 30_000)
    monkeypatch.setattr(best_pairs, "_HELD", 10)
    monkeypatch.setattr(best_pairs, "_NUMBERS", 50)
    assert same(flagged(path, labels, 60, rule), in_a_table)
    with in_pool(3) as executor:
        assert same(flagged(path, labels, 60, rule, executor=executor), in_a_table)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rule", RULES)
def test_blocks_workers_and_executors_change_no_bit(
    dtype: str, rule: FlagRule | int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, probs = made(2_000, 7, dtype)
    probs[::13] *= probs.dtype.type(1 + 5e-3 if dtype == "f2" else 1 + 5e-5)  # rows that must be mended
    path = saved(tmp_path / "probs.npy", np.minimum(probs, 1))
    whole = flagged(path, labels, 7, rule)
    assert 0 < whole.n_flagged < 2_000
    rng = np.random.default_rng(0)
    for _ in range(4):
        monkeypatch.setattr(engine, "SPAN_BYTES", int(rng.integers(1, 50_000)))
        block_bytes = int(rng.integers(1, 20_000))
        assert same(flagged(path, labels, 7, rule, block_bytes=block_bytes), whole)
        with in_pool(3) as executor:
            assert same(flagged(path, labels, 7, rule, block_bytes=block_bytes, executor=executor), whole)
    monkeypatch.setattr(best_pairs, "_HELD", 10)
    monkeypatch.setattr(best_pairs, "_NUMBERS", 50)
    assert same(flagged(path, labels, 7, rule), whole)


def test_threads_work_on_large_matrices_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probs = made(3_000, 5, "f4")
    path = saved(tmp_path / "probs.npy", probs)
    alone = flagged(path, labels, 5, executor=SerialExecutor())
    for cores, expected in ((1, SerialExecutor), (2, PoolExecutor), (64, PoolExecutor)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        before = threading.active_count()
        with suited(50_000_000) as executor, suited(49_999_999) as small:
            assert type(small) is SerialExecutor
            assert type(executor) is expected
            assert sorted(executor.map(abs, range(-9, 0))) == list(range(1, 10))
            assert threading.active_count() - before <= min(cores, 4)
        monkeypatch.setattr(executors, "_LARGE", 1)
        monkeypatch.setattr(engine, "SPAN_BYTES", 1_000)
        assert same(flagged(path, labels, 5), alone)
        monkeypatch.undo()


def test_processes_change_no_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probs = made(3_000, 5, "f2")
    path = saved(tmp_path / "probs.npy", probs)
    with in_pool(2, "processes") as executor:
        for rule in (FlagRule.BOTH, FlagRule.UNCALIBRATED):
            assert same(flagged(path, labels, 5, rule, executor=executor), flagged(path, labels, 5, rule))
        in_a_table = flagged(path, labels, 5, FlagRule.BOTH)
        monkeypatch.setattr(joint_cells, "TABLE_CELLS", 0)
        assert same(flagged(path, labels, 5, FlagRule.BOTH, executor=executor), in_a_table)
        bad = probs.copy()
        bad[2_345, 1] = np.nan
        with pytest.raises(DataError, match=r"row 2345: expected finite numbers, found nan"):
            flagged(saved(tmp_path / "bad.npy", bad), labels, 5, executor=executor)
    assert multiprocessing.active_children() == []


def test_order_of_examples_and_names_of_classes_change_nothing_but_names(tmp_path: Path) -> None:
    labels, probs = made(500, 6, "f4")
    found = flagged(saved(tmp_path / "a.npy", probs), labels, 6)
    rng = np.random.default_rng(5)
    order, names = rng.permutation(500), rng.permutation(6)
    moved = flagged(saved(tmp_path / "b.npy", probs[order][:, np.argsort(names)]), names[labels[order]], 6)
    assert (moved.thresholds[names] == found.thresholds).all()
    assert (moved.counted.dense()[np.ix_(names, names)] == found.counted.dense()).all()
    assert sorted(order[moved.flagged].tolist()) == sorted(found.flagged.tolist())


class TestDegenerateInput:
    def test_all_rows_equal_reach_their_own_mean(self, tmp_path: Path) -> None:
        """The mean of equal numbers is that number, so all count; 0.1 + 0.1 + 0.1 would miss it."""
        probs = np.tile([0.1, 0.2, 0.7], (7, 1))
        found = flagged(saved(tmp_path / "p.npy", probs), np.array([0, 0, 0, 1, 1, 1, 2]), 3)
        assert found.thresholds.tolist() == [0.1, 0.2, 0.7]
        assert found.counted.dense().tolist() == [[0, 0, 3], [0, 0, 3], [0, 0, 1]]

    def test_one_class_only(self, tmp_path: Path) -> None:
        for rule in RULES[:-1]:
            found = flagged(saved(tmp_path / "p.npy", np.ones((4, 1))), np.zeros(4, int), 1, rule)
            assert (found.n_flagged, found.counted.dense().tolist(), found.margins.tolist()) == (0, [[4]], [1.0] * 4)

    def test_a_class_without_examples_is_never_confident(self, tmp_path: Path) -> None:
        probs = np.array([[0.1, 0.2, 0.7], [0.6, 0.2, 0.2], [0.0, 1.0, 0.0]])
        found = flagged(saved(tmp_path / "p.npy", probs), np.array([0, 0, 1]), 3, FlagRule.ARGMAX)
        assert math.isnan(found.thresholds[2])
        assert found.counted.dense().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
        assert found.flagged.tolist() == [0]  # its guess may still be that class

    def test_fewer_examples_than_classes(self, tmp_path: Path) -> None:
        probs = np.full((2, 9), 1 / 9)
        found = flagged(saved(tmp_path / "p.npy", probs), np.array([8, 3]), 9, 100)
        assert found.flagged.tolist() == [0, 1]
        assert np.isnan(found.thresholds).sum() == 7
        assert found.guesses.tolist() == [0, 0]
        # Neither threshold is exceeded by another class; 3 is the lower of the two that are reached.
        assert found.counted.dense().sum() == 2
        assert found.counted.dense()[8, 3] == found.counted.dense()[3, 3] == 1

    def test_rows_that_are_counted_nowhere(self, tmp_path: Path) -> None:
        probs = np.array([[0.9, 0.1], [0.1, 0.9], [0.55, 0.45], [0.45, 0.55]])
        found = flagged(saved(tmp_path / "p.npy", probs), np.array([0, 1, 0, 1]), 2)
        assert found.counted.dense().tolist() == [[1, 0], [0, 1]]
        assert joint(found.counted, found.label_counts).dense().tolist() == [[0.5, 0.0], [0.0, 0.5]]
        assert found.n_flagged == 0


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "expected finite numbers, found nan"),
        (math.inf, "expected finite numbers, found inf"),
        (-math.inf, "expected finite numbers, found -inf"),
        (-0.5, "found -0.5"),
        (1.5, "found 1.5"),
        (0.9, "found a sum of"),
    ],
)
def test_a_bad_number_is_named_by_its_row(dtype: str, value: float, said: str, tmp_path: Path) -> None:
    labels = np.zeros(5_000, np.uint8)
    for column in (0, 2):
        probs = np.tile([0.25, 0.25, 0.5], (5_000, 1)).astype(dtype)
        probs[3_137:3_139, column] = value
        for block_bytes in (50, 3_000, 1_000_000):
            with pytest.raises(DataError) as caught:
                flagged(saved(tmp_path / "p.npy", probs), labels, 3, block_bytes=block_bytes)
            assert f"p.npy: row 3137: {caught.value.finding}" in str(caught.value)
            assert said in caught.value.finding


def test_huge_numbers_are_refused_without_a_warning(tmp_path: Path) -> None:
    probs = np.full((3, 4), 1e308)
    with pytest.raises(DataError, match="row 0: expected probabilities"):
        flagged(saved(tmp_path / "p.npy", probs), np.zeros(3, int), 4)


def test_a_minus_zero_is_a_zero(tmp_path: Path) -> None:
    probs = np.array([[1.0, -0.0], [-0.0, 1.0], [0.5, 0.5]])
    found = flagged(saved(tmp_path / "p.npy", probs), np.array([0, 0, 1]), 2, FlagRule.ARGMAX)
    assert found.margins.tolist() == [1.0, -1.0, 0.0]
    assert found.flagged.tolist() == [1]


@pytest.mark.parametrize("dtype", TYPES)
def test_logits_are_refused_unless_said_and_then_exact_in_any_blocks(dtype: str, tmp_path: Path) -> None:
    labels, probs = made(400, 5, "f8")
    logits = (np.log(probs) + 3).astype(dtype)
    path = saved(tmp_path / "logits.npy", logits)
    with pytest.raises(DataError, match=r'logits\.npy: row 0: .*"logits = true"'):
        flagged(path, labels, 5)
    found = flagged(path, labels, 5, logits=True)
    assert found.softmax
    np.testing.assert_allclose(found.self_confidence, probs[np.arange(400), labels], rtol=2e-2)
    assert same(flagged(path, labels, 5, logits=True, block_bytes=97), found)
    assert not flagged(saved(tmp_path / "p.npy", probs), labels, 5, logits=True).softmax


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path: Path) -> None:
    labels, probs = made(5_000, 8, "f4")
    path = saved(tmp_path / "p.npy", probs)
    matrix = replace(open_matrix([path], 5_000, 8), block_bytes=4_000)

    class Shrinking(SerialExecutor):
        def map(self, function: Any, tasks: Any) -> Any:
            with path.open("r+b") as stream:
                stream.truncate(path.stat().st_size // 2)
            return super().map(function, tasks)

    with pytest.raises(DataError, match=r"p\.npy: expected .* more bytes at .*, found the end: it became shorter"):
        flag(labels, matrix, FlagRule.CALIBRATED, lambda _: None, Shrinking())


PUBLISHED = {
    "mnist_test_set": (15, 15, 15, 100),
    "cifar10_test_set": (244, 283, 275, FlagRule.UNCALIBRATED),
    "20news_test_set": (55, 94, 93, FlagRule.UNCALIBRATED),
    "imdb_test_set": (1076, 1309, 1310, FlagRule.UNCALIBRATED),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_release_comes_out(shared: Path, name: str) -> None:
    release = shared / "label-errors"
    labels = np.load(release / f"original_test_labels/{name}_original_labels.npy")
    path = release / f"cross_validated_predicted_probabilities/{name}_pyx.npy"
    off_diagonal, calibrated, uncalibrated, rule = PUBLISHED[name]
    found = flagged(path, labels, np.load(path, mmap_mode="r").shape[1], rule)
    facts: Any = found.facts()
    assert facts["off_diagonal"] == off_diagonal
    assert facts["number_flagged"] == {"calibrated": calibrated, "uncalibrated": uncalibrated}
    assert found.n_flagged == (100 if name == "mnist_test_set" else uncalibrated)
