"""Joints by their cells against joints as plain tables: the same to the last bit, counted in a table or by sorting."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import best_pairs, joint_cells
from app.domain.confident_learning import joint as cl
from app.domain.confident_learning.best_pairs import BestPairs, WantedCells, pairs_in, pairs_of
from app.domain.confident_learning.flag_rules import expected_counts, pruned_by_class
from app.domain.confident_learning.joint_cells import JointCells, JointCounter
from app.domain.confident_learning.row_scores import RowScores


def table_of(labels: Any, latent: Any, m: int) -> Any:
    counts = np.zeros((m, m), np.int64)
    for i, j in zip(labels.tolist(), latent.tolist(), strict=True):
        if j >= 0:
            counts[i, j] += 1
    return counts


def table_joint(counts: Any, label_counts: Any) -> Any:
    filled = counts.astype(np.float64)
    uncounted = filled.sum(axis=1) == 0
    filled[uncounted, uncounted] = 1.0
    return filled / filled.sum(axis=1, keepdims=True) * (label_counts / label_counts.sum())[:, None]


def table_expected(counts: Any, label_counts: Any) -> Any:
    filled = counts.copy()
    uncounted = filled.sum(axis=1) == 0
    filled[uncounted, uncounted] = 1
    whole, left = np.divmod(filled * label_counts[:, None], filled.sum(axis=1, keepdims=True))
    missing = label_counts - whole.sum(axis=1)
    place = np.argsort(np.argsort(-left, axis=1, kind="stable"), axis=1, kind="stable")
    return whole + (place < missing[:, None])


def same_bits(cells: JointCells[Any], table: Any) -> None:
    dense = cells.dense()
    assert dense.dtype == table.dtype
    assert dense.tobytes() == table.tobytes()
    assert (np.diff(cells.cell) > 0).all()
    assert (cells.value != 0).all()


@st.composite
def counted(draw: Any) -> tuple[Any, Any, int]:
    """Labels and latent classes of any number of classes, few or many of which have examples, in types files have."""
    m = draw(st.sampled_from([1, 2, 3, 7, 40, 150]))
    n = draw(st.sampled_from([1, 2, 30, 500]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    top = draw(st.sampled_from([1, max(1, m // 3), m]))
    labels = rng.integers(0, top, n)
    latent = np.where(rng.random(n) < draw(st.sampled_from([0.0, 0.5, 1.0])), labels, rng.integers(0, m, n))
    latent[rng.random(n) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = rng.integers(-2, 0)
    kinds = [kind for kind in (np.uint8, np.uint16, np.int32, np.int64) if m <= np.iinfo(kind).max]
    return labels.astype(draw(st.sampled_from(kinds))), latent, m


@pytest.mark.parametrize("table_cells", [0, 1 << 40])
@given(data=counted(), cuts=st.lists(st.integers(0, 500), max_size=4))
@settings(max_examples=40)
def test_all_that_is_computed_of_the_cells_has_the_bits_of_the_table(
    table_cells: int, data: tuple[Any, Any, int], cuts: list[int]
) -> None:
    labels, latent, m = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joint_cells, "TABLE_CELLS", table_cells)
        counter = JointCounter(m)
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 500], strict=True):
        counter.add(labels[start:stop], latent[start:stop])
    more = np.random.default_rng(m).integers(0, 3, m)
    counter.add_diagonal(more)
    table = table_of(labels, latent, m) + np.diag(more)
    label_counts = np.bincount(labels, minlength=m) + more
    counts = counter.counted()
    same_bits(counts, table)
    same_bits(counter.counted(), table)  # asked twice, it says the same
    same_bits(JointCells.of(table), table)
    assert (counts.total, counts.off_diagonal.total) == (table.sum(), table.sum() - np.trace(table))
    assert counts.by_given.tolist() == table.sum(axis=1).tolist()

    joint = table_joint(table, label_counts)
    same_bits(cl.joint(counts, label_counts), joint)
    assert counts.at(cl.joint(counts, label_counts).cell).tolist() == table[joint != 0].tolist()
    off, n = int(table.sum() - np.trace(table)), int(label_counts.sum())
    rho = math.fsum(joint[~np.eye(m, dtype=bool)].tolist())
    assert cl.noise_rate(counts, label_counts, cl.FlagRule.CALIBRATED) == rho
    assert cl.number_flagged(counts, label_counts, cl.FlagRule.CALIBRATED) == math.floor(rho * n * (1 + 1e-12))
    uncalibrated = off / int(table.sum()) if table.any() else 0.0
    assert cl.noise_rate(counts, label_counts, cl.FlagRule.UNCALIBRATED) == uncalibrated
    fitting = off * n // int(table.sum()) if table.any() else 0
    assert cl.number_flagged(counts, label_counts, cl.FlagRule.UNCALIBRATED) == fitting
    same_bits(expected_counts(counts, label_counts), table_expected(table, label_counts))


@given(data=counted())
@settings(max_examples=40)
def test_prune_by_class_takes_what_sorting_each_class_takes(data: tuple[Any, Any, int]) -> None:
    labels, latent, m = data
    rng = np.random.default_rng(m)
    own, other = (rng.integers(0, 9, len(labels)) / 8 for _ in range(2))
    table = table_expected(table_of(labels, latent, m), np.bincount(labels, minlength=m))
    taken = np.zeros(len(labels), bool)
    for i in set(labels.tolist()):
        members = np.flatnonzero(labels == i)
        most = int(table[i].sum() - table[i, i])
        taken[sorted(members, key=lambda k: (own[k], k))[:most]] = True
    scores = RowScores(own, other, labels.astype(np.uint16))
    found = pruned_by_class(labels, scores, JointCells.of(table))
    assert found.tolist() == (taken & (other > own)).tolist()


@given(data=counted(), dtype=st.sampled_from([np.float16, np.float32, np.float64]), numbers=st.integers(1, 5_000))
@settings(max_examples=40)
def test_pairs_of_the_wanted_cells_are_those_of_the_whole_table(
    data: tuple[Any, Any, int], dtype: Any, numbers: int
) -> None:
    labels, latent, m = data
    m = min(m, 40)
    labels, latent = labels[:500] % m, np.minimum(latent[:500], m - 1)
    rng = np.random.default_rng(numbers)
    rows = (rng.integers(0, 17, (len(labels), m)) / 16).astype(dtype)
    indices = np.arange(len(labels), dtype=np.int32)
    wanted = JointCells.of(table_of(labels, latent, m)).off_diagonal
    whole, some = BestPairs(wanted.dense().ravel(), len(labels)), BestPairs(wanted.value, len(labels))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_pairs, "_NUMBERS", numbers)
        patch.setattr(best_pairs, "_HELD", 20)
        for start in range(0, len(labels), 100):
            here = slice(start, start + 100)
            told = WantedCells.of(wanted, some.floors).of_classes(labels[here])
            whole.add(pairs_of(labels[here], rows[here], indices[here], whole.floors))
            some.add(pairs_in(labels[here], rows[here], indices[here], told))
        expected, found = whole.best(), some.best()
    assert sorted(zip(expected.index, expected.cell, expected.margin, strict=True)) == sorted(
        zip(found.index, wanted.cell[found.cell], found.margin, strict=True)
    )


def test_cells_of_the_most_classes_that_32_bits_hold_and_of_more() -> None:
    for m in (65_535, 65_536, 65_537, 100_000):
        counter = JointCounter(m)
        last = np.array([m - 1, m - 1, 0, m - 1])
        counter.add(last, np.array([m - 2, m - 2, m - 1, m - 1]))
        found = counter.counted()
        assert (found.given.tolist(), found.latent.tolist(), found.value.tolist()) == (
            [0, m - 1, m - 1],
            [m - 1, m - 2, m - 1],
            [1, 2, 1],
        )
        assert found.off_diagonal.total == 3
