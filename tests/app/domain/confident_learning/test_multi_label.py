"""Sets of labels, against loops a reader can check."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import multi_label
from ingest.labels.label_sets import read_label_sets


@st.composite
def datasets(draw):
    """Label sets, the empty one among them, and probabilities in eighths, with many ties."""
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    sets = draw(st.lists(st.sets(st.integers(0, m - 1)).map(sorted), min_size=n, max_size=n))
    eighths = draw(st.lists(st.lists(st.integers(0, 8), min_size=m, max_size=m), min_size=n, max_size=n))
    return sets, np.array(eighths) / 8


def loop_guess(row):
    guess = {j for j, p in enumerate(row) if p >= 0.5}
    return guess or {max(range(len(row)), key=lambda j: (row[j], -j))}


def loop_score(labels, row):
    concerned = set(labels) | loop_guess(row)
    return math.fsum(row[j] if j in labels else 1 - row[j] for j in concerned) / len(concerned)


@given(datasets())
@settings(max_examples=150)
def test_scores_and_guesses_equal_the_loops(data):
    sets, probs = data
    indicators = multi_label.indicators(sets, probs.shape[1])
    guesses = multi_label.guessed_sets(probs)
    for k, row in enumerate(probs.tolist()):
        assert set(np.flatnonzero(guesses[k]).tolist()) == loop_guess(row)
    expected = [loop_score(labels, row) for labels, row in zip(sets, probs.tolist(), strict=True)]
    np.testing.assert_allclose(multi_label.set_scores(indicators, probs), expected, atol=1e-15)


@given(datasets(), st.integers(0, 12))
@settings(max_examples=150)
def test_flagged_are_the_lowest_that_do_not_overlap(data, k):
    sets, probs = data
    indicators = multi_label.indicators(sets, probs.shape[1])
    scores = multi_label.set_scores(indicators, probs)
    apart = multi_label.disjoint(indicators, multi_label.guessed_sets(probs))
    pairs = zip(sets, probs.tolist(), strict=True)
    candidates = [i for i, (labels, row) in enumerate(pairs) if not set(labels) & loop_guess(row)]
    expected = sorted(candidates, key=lambda i: (scores[i], i))[:k]
    assert multi_label.flagged_sets(scores, apart, k).tolist() == expected


@given(datasets())
@settings(max_examples=150)
def test_joints_equal_the_loops_class_by_class(data):
    sets, probs = data
    found = multi_label.one_vs_rest_joints(multi_label.indicators(sets, probs.shape[1]), probs)
    for j in range(probs.shape[1]):
        with_it = [probs[k, j] for k, labels in enumerate(sets) if j in labels]
        without = [1 - probs[k, j] for k, labels in enumerate(sets) if j not in labels]
        present = max(math.fsum(with_it) / len(with_it), 2e-6) if with_it else math.inf
        absent = max(math.fsum(without) / len(without), 2e-6) if without else math.inf
        counts = [[0, 0], [0, 0]]
        for k, labels in enumerate(sets):
            p = probs[k, j]
            options = [(1 - p, 0)] * bool(1 - p >= absent) + [(p, 1)] * bool(p >= present)
            if options:
                counts[j in labels][max(options, key=lambda option: (option[0], -option[1]))[1]] += 1
        assert found[j].tolist() == counts


@given(datasets(), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_of_examples_does_not_matter(data, random):
    sets, probs = data
    indicators = multi_label.indicators(sets, probs.shape[1])
    order = list(range(len(sets)))
    random.shuffle(order)
    again = multi_label.one_vs_rest_thresholds(indicators[order], probs[order])
    assert np.array_equal(again, multi_label.one_vs_rest_thresholds(indicators, probs), equal_nan=True)


def test_a_label_that_is_no_class_is_named():
    with pytest.raises(ValueError, match="example 1: expected a class from 0 to 2, found 3"):
        multi_label.indicators([[0], [1, 3]], 3)


def test_the_release_has_more_candidates_than_its_list(shared):
    """Of AudioSet labels and predictions are here; every example of the published list is a candidate."""
    release = shared / "label-errors"
    name = "audioset_eval_set"
    given_sets = read_label_sets(release / f"original_test_labels/{name}_original_labels.npy", 527)
    guessed = read_label_sets(release / f"cross_validated_predicted_labels/{name}_pyx_argmax_predicted_labels.npy", 527)
    apart = multi_label.disjoint(multi_label.indicators(given_sets, 527), multi_label.indicators(guessed, 527))
    listed = [record["id"] for record in json.loads((release / "mturk/audioset_mturk.json").read_text())]
    assert len(listed) == 307
    assert apart[listed].all()
    assert apart.sum() > 307
