"""Scores of rows against loops, and what they leave unsettled against what a look at the whole row finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning.joint import latent_classes
from app.domain.confident_learning.row_scores import (
    NONE,
    UNSETTLED,
    RowScores,
    doubtful_rows,
    less_certain,
    lowest_margins,
    row_sums,
    score_rows,
)

TYPES = [np.float16, np.float32, np.float64]


def confident_classes(labels, scores, thresholds):
    """The latent class of every row: the given label of those that ``less_certain`` leaves out."""
    latent = labels.astype(np.int64)
    for unsure, rows, found in less_certain(labels, scores, thresholds):
        assert set(rows.tolist()) <= set(unsure.tolist())
        latent[unsure] = NONE
        latent[rows] = found
    return latent


@st.composite
def blocks(draw):
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 10))
    rows = draw(st.lists(st.lists(st.integers(0, 6), min_size=m, max_size=m), min_size=n, max_size=n))
    values = np.array([row if sum(row) else [1] * m for row in rows], dtype=np.float64)
    probs = (values / values.sum(axis=1, keepdims=True)).astype(draw(st.sampled_from(TYPES)))
    labels = np.array(draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n)), dtype=np.uint16)
    thresholds = draw(st.lists(st.sampled_from([0.0, 0.1, 0.2, 1 / 3, 0.5, 0.8, 1.0, np.nan]), min_size=m, max_size=m))
    return labels, probs, np.array(thresholds)


@given(blocks())
@settings(max_examples=400)
def test_what_is_settled_is_right(data):
    labels, probs, thresholds = data
    before = probs.tobytes()
    scores = score_rows(labels, probs)
    assert probs.tobytes() == before
    for k, row in enumerate(probs.tolist()):
        others = [p for j, p in enumerate(row) if j != labels[k]]
        assert scores.own[k] == row[labels[k]]
        assert scores.other[k] == max(others, default=0.0)
        if scores.rival[k] != labels[k]:
            assert row[scores.rival[k]] == max(others)
            assert all(p < max(others) for j, p in enumerate(row[: scores.rival[k]]) if j != labels[k])
    assert scores.guessed(labels).tolist() == probs.argmax(axis=1).tolist()
    found = confident_classes(labels, scores, thresholds)
    whole = latent_classes(probs, thresholds)
    assert all(one in (UNSETTLED, other) for one, other in zip(found.tolist(), whole.tolist(), strict=True))


def test_a_good_model_leaves_little_unsettled():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 20, 5_000)
    logits = rng.standard_normal((5_000, 20)) + 6 * np.eye(20)[labels]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels[::20] = (labels[::20] + 1) % 20
    thresholds = np.full(20, 0.9)
    found = confident_classes(labels, score_rows(labels, probs), thresholds)
    assert (found == UNSETTLED).mean() < 0.01


@pytest.mark.parametrize("dtype", TYPES)
def test_sums_are_near_for_all_types_and_sizes(dtype):
    rng = np.random.default_rng(1)
    for n, m in ((1, 1), (3, 7), (2, 300_000), (2_000, 345)):
        probs = rng.random((n, m))
        probs = (probs / probs.sum(axis=1, keepdims=True)).astype(dtype)
        exact = probs.astype(np.float64).sum(axis=1)
        np.testing.assert_allclose(row_sums(probs), exact, rtol=1e-4)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -0.25, 1.25, -0.0])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_no_bad_number_hides(dtype, bad, column):
    probs = np.array([[0.5, 0.25, 0.25]] * 3, dtype=dtype)
    probs[1, column] = bad
    scores = score_rows(np.array([0, 0, 1]), probs)
    assert doubtful_rows(scores, row_sums(probs)).tolist() == [1]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("n", [1, 60, 5_000, 300_000])
def test_the_lowest_margins_are_among_few(n, dtype):
    rng = np.random.default_rng(n)
    quarter = np.full(n, 0.25)
    cases = [
        (rng.random(n), quarter),
        (rng.integers(0, 4, n) / 4, quarter),
        (np.full(n, 0.5), quarter),
        (np.sort(rng.random(n))[::-1], quarter),
        (np.full(n, 0.9), rng.random(n) * 1e-6),  # margins that single precision cannot tell from each other
    ]
    for own, other in cases:
        scores = RowScores(own.astype(dtype), other.astype(dtype), np.zeros(n, np.uint8))
        order = np.argsort(scores.margins(), kind="stable")
        for k in (0, 1, n // 20, n - 1, n, n + 5):
            found = lowest_margins(scores, k)
            assert (np.diff(found) > 0).all()
            assert set(order[:k].tolist()) <= set(found.tolist())
    assert len(lowest_margins(RowScores(rng.random(n), np.zeros(n), np.zeros(n, np.uint8)), n // 20)) <= n // 10 + 1_000


def test_what_is_left_out_is_counted_for_its_given_label():
    rng = np.random.default_rng(8)
    probs = rng.dirichlet(np.full(4, 0.3), 300_000)
    labels = rng.integers(0, 4, 300_000)
    thresholds = np.array([0.5, 0.2, np.nan, 0.7])
    latent = np.array(labels)
    parts = less_certain(labels, score_rows(labels, probs.copy()), thresholds)
    rows = np.concatenate([unsure for unsure, _, _ in parts])
    assert (np.diff(rows) > 0).all()
    assert len(rows) < 300_000
    latent[rows] = latent_classes(probs, thresholds)[rows]
    assert (latent == latent_classes(probs, thresholds)).all()
