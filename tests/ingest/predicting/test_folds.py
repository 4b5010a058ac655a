"""Folds: even classes, whole groups, and the same whatever the order of the examples."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import ArgumentError
from ingest.predicting.examples import canonical_order
from ingest.predicting.folds import dealt, write_folds


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=12, max_size=80), st.integers(0, 3))
@settings(max_examples=60)
def test_no_group_is_in_two_folds_and_every_example_in_one(drawn: list[tuple[int, int]], seed: int):
    labels, groups = np.array(drawn).T
    n_folds = min(4, len(set(groups.tolist())))
    if n_folds < 2:
        return
    folds = dealt(labels, groups, np.arange(len(labels)), n_folds, seed)
    assert set(folds.tolist()) <= set(range(n_folds))
    for group in set(groups.tolist()):
        assert len(set(folds[groups == group].tolist())) == 1


def test_each_class_is_spread_evenly():
    labels = np.repeat([0, 1, 2], [50, 23, 7])
    folds = dealt(labels, np.arange(80), np.arange(80), 5, seed=1)
    for label in range(3):
        counts = np.bincount(folds[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.bincount(folds).max() - np.bincount(folds).min() <= 3


def test_another_order_of_the_examples_gives_the_same_folds():
    rng = np.random.default_rng(3)
    labels, groups = rng.integers(0, 4, 200), rng.integers(0, 120, 200)
    contents = [bytes([place % 256, place // 256]) for place in range(200)]
    folds = dealt(labels, groups, canonical_order(contents, None, labels), 7, seed=5)
    for _ in range(5):
        moved = rng.permutation(200)
        order = canonical_order([contents[place] for place in moved], None, labels[moved])
        # Groups are named by what is in them, whatever these names are.
        again = dealt(labels[moved], groups[moved] * 7 % 121, order, 7, seed=5)
        assert again.tolist() == folds[moved].tolist()


def test_another_seed_gives_other_folds():
    one, other = (dealt(np.zeros(60, int), np.arange(60), np.arange(60), 3, seed) for seed in (0, 1))
    assert (one != other).any()


def test_a_class_of_one_example_is_in_one_fold():
    labels = np.array([0] * 20 + [1])
    folds = dealt(labels, np.arange(21), np.arange(21), 10, seed=0)
    assert sorted(np.bincount(folds, minlength=10).tolist()) == [2] * 9 + [3]


def test_too_few_groups_are_told():
    with pytest.raises(ArgumentError, match=r"expected 2 to 3 folds, for so many groups of examples; found 4"):
        dealt(np.zeros(9, int), np.arange(9) % 3, np.arange(9), 4, seed=0)
    with pytest.raises(ArgumentError, match="found all in one group"):
        dealt(np.zeros(9, int), np.zeros(9, int), np.arange(9), 2, seed=0)


def test_the_file_has_index_fold_and_group(tmp_path):
    write_folds(tmp_path / "folds.parquet", [np.array([1, 0, 1])], np.array([0, 1, 0]))
    table = pq.read_table(tmp_path / "folds.parquet").to_pydict()
    assert table == {"index": [0, 1, 2], "fold": [1, 0, 1], "group": [0, 1, 0]}
    write_folds(tmp_path / "folds.parquet", [np.array([1, 0, 1]), np.array([0, 0, 1])], np.array([0, 1, 0]))
    assert pq.read_table(tmp_path / "folds.parquet").to_pydict() == table | {"fold_2": [0, 0, 1]}
    assert [path.name for path in tmp_path.iterdir()] == ["folds.parquet"]
