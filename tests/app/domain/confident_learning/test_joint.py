"""Confident learning against loops a reader can check, and against properties that need no oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import joint as cl
from app.domain.confident_learning import label_quality as quality
from app.domain.confident_learning.exact_sums import probability_sums
from app.domain.confident_learning.joint_cells import JointCells


def loop_thresholds(labels, probs):
    m = len(probs[0])
    found = []
    for j in range(m):
        own = [probs[k][j] for k in range(len(labels)) if labels[k] == j]
        found.append(math.fsum(own) / len(own) if own else None)
    return found


def loop_joint(labels, probs, thresholds):
    m = len(probs[0])
    counts = [[0] * m for _ in range(m)]
    for label, row in zip(labels, probs, strict=True):
        best = None
        for j in range(m):
            if (
                not math.isnan(thresholds[j])
                and row[j] >= max(thresholds[j], 2e-6)
                and (best is None or row[j] > row[best])
            ):
                best = j
        if best is not None:
            counts[label][best] += 1
    return counts


@st.composite
def datasets(draw):
    """Labels and probabilities with many ties: probabilities are multiples of 1/8, classes may be empty."""
    m = draw(st.integers(2, 4))
    n = draw(st.integers(1, 25))
    parts = draw(st.lists(st.lists(st.integers(0, 8), min_size=m, max_size=m), min_size=n, max_size=n))
    rows = [row if sum(row) else [1] * m for row in parts]
    probs = np.array([[x / sum(row) for x in row] for row in rows])
    labels = np.array(draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n)), dtype=np.uint16)
    return labels, probs


@given(datasets())
@settings(max_examples=200)
def test_equals_the_loops(data):
    labels, probs = data
    thresholds = cl.class_thresholds(labels, probs)
    for found, expected in zip(thresholds, loop_thresholds(labels, probs), strict=True):
        assert math.isnan(found) if expected is None else found == pytest.approx(expected, abs=1e-15)
    assert cl.confident_joint(labels, probs, thresholds).dense().tolist() == loop_joint(labels, probs, thresholds)


def test_a_class_that_no_model_learnt_attracts_nobody():
    """Its only example was held out, so its column and its threshold are 0, which every probability would reach."""
    labels = np.array([0] * 10 + [1] * 10 + [2])
    probs = np.tile([0.55, 0.45, 0.0], (21, 1))
    probs[10:20] = [0.45, 0.55, 0.0]
    probs[[0, 10]] = [[0.9, 0.1, 0.0], [0.1, 0.9, 0.0]]
    thresholds = cl.class_thresholds(labels, probs)
    counted = cl.confident_joint(labels, probs, thresholds).dense()
    assert counted.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert thresholds[2] == 0


@given(datasets(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_order_of_examples_and_names_of_classes_do_not_matter(data, random):
    labels, probs = data
    m = probs.shape[1]
    thresholds = np.array([0.25, 0.5, 0.125, 0.375][:m])
    joint = cl.confident_joint(labels, probs, thresholds).dense()

    order = list(range(len(labels)))
    random.shuffle(order)
    assert (cl.confident_joint(labels[order], probs[order], thresholds).dense() == joint).all()

    renamed = list(range(m))
    random.shuffle(renamed)
    back = np.argsort(renamed)
    again = cl.confident_joint(np.array(renamed)[labels], probs[:, back], thresholds[back]).dense()
    no_ties = (np.diff(np.sort(probs, axis=1), axis=1) > 0).all()
    if no_ties:  # among equal probabilities the lowest class id wins, which a new naming may change
        assert (again[np.ix_(renamed, renamed)] == joint).all()


@given(datasets(), st.integers(0, 25))
@settings(max_examples=100)
def test_blocks_add_up(data, cut):
    labels, probs = data
    cut = min(cut, len(labels))
    thresholds = cl.class_thresholds(labels, probs)
    first, second = (slice(None, cut), slice(cut, None))
    whole = cl.confident_joint(labels, probs, thresholds).dense()
    parts = [cl.confident_joint(labels[part], probs[part], thresholds).dense() for part in (first, second)]
    assert (parts[0] + parts[1] == whole).all()
    sums = probability_sums(labels[first], probs[first]) + probability_sums(labels[second], probs[second])
    assert np.array_equal(sums.thresholds, thresholds, equal_nan=True)


@given(datasets())
@settings(max_examples=100)
def test_joint_keeps_the_prior_of_given_labels(data):
    labels, probs = data
    counts = np.bincount(labels, minlength=probs.shape[1])
    confident = cl.confident_joint(labels, probs, cl.class_thresholds(labels, probs))
    joint = cl.joint(confident, counts).dense()
    np.testing.assert_allclose(joint.sum(axis=1), counts / counts.sum(), atol=1e-12)
    assert joint.sum() == pytest.approx(1)
    for rule in cl.COUNTING_RULES:
        rate = cl.noise_rate(confident, counts, rule)
        assert 0 <= rate <= 1
        assert 0 <= cl.number_flagged(confident, counts, rule) <= len(labels)


def test_a_probability_at_the_threshold_counts():
    probs = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert cl.confident_joint(np.array([1, 1]), probs, np.array([0.5, 0.75])).dense().tolist() == [[0, 0], [1, 1]]


def test_a_class_without_examples_has_no_threshold_and_is_never_confident():
    labels, probs = np.array([0, 0]), np.array([[0.1, 0.9], [0.3, 0.7]])
    thresholds = cl.class_thresholds(labels, probs)
    assert math.isnan(thresholds[1])
    assert cl.confident_joint(labels, probs, thresholds).dense().tolist() == [[1, 0], [0, 0]]


def test_a_class_that_nothing_was_counted_for_stays_on_the_diagonal():
    joint = cl.joint(JointCells.of(np.array([[0, 0], [1, 3]])), np.array([6, 4])).dense()
    np.testing.assert_allclose(joint, [[0.6, 0.0], [0.1, 0.3]])


def test_no_example_has_no_joint():
    with pytest.raises(ValueError, match="at least one example"):
        cl.joint(JointCells.of(np.zeros((2, 2), dtype=np.int64)), np.zeros(2, dtype=np.int64))


def test_a_whole_number_of_examples_survives_rounding():
    # 0.1 + 0.2 = 0.30000000000000004, and 3 of 10 must come out of sums like it, from above and from below.
    counts = JointCells.of(np.array([[7, 1, 2], [0, 10, 0], [0, 0, 10]]))
    assert cl.number_flagged(counts, np.array([10, 10, 10]), cl.FlagRule.CALIBRATED) == 3


@given(datasets())
@settings(max_examples=100)
def test_margins_equal_the_loop(data):
    labels, probs = data
    margins = quality.normalized_margin(labels, probs)
    for margin, label, row in zip(margins, labels, probs, strict=True):
        assert margin == row[label] - max(p for j, p in enumerate(row) if j != label)
        assert -1 <= margin <= 1


def test_suspicion_breaks_ties_by_index():
    assert cl.suspicion_order(np.array([0.0, -1.0, 0.0, -1.0])).tolist() == [1, 3, 0, 2]


#: Far apart, equal, at both ends, and closer to one another than whole numbers of few bits can tell.
MARGINS = [-1.0, -0.5, -0.5 + 1e-16, -0.25, -1e-300, 0.0, 1e-300, 1e-15, 0.5, 1.0 - 2.0**-53, 1.0]


@given(st.lists(st.one_of(st.sampled_from(MARGINS), st.floats(-1, 1)), max_size=40), st.integers(-1, 45))
@settings(max_examples=300)
def test_order_is_by_margin_then_by_index(margins, k):
    order = sorted(range(len(margins)), key=lambda at: (margins[at], at))
    assert cl.suspicion_order(np.array(margins)).tolist() == order
    assert cl.most_suspicious(np.array(margins), k).tolist() == order[: max(k, 0)]


@pytest.mark.parametrize("step", [1.0, 1e-12])
def test_many_margins_are_ordered_as_few_are(step):
    margins = -1 + step * np.random.default_rng(5).integers(0, 50_000, 70_000) / 50_000
    assert (cl.suspicion_order(margins) == np.argsort(margins, kind="stable")).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_more_margins_than_are_tried_as_whole_numbers(kind, monkeypatch):
    """Of half precision these are exact, and of double precision they are not."""
    monkeypatch.setattr(cl, "_SORTED_AS_KEYS", 10)
    monkeypatch.setattr(cl, "_KEYS_AT_A_TIME", 64)
    own, other = np.random.default_rng(5).random((2, 1000)).astype(kind).astype(np.float64)
    margins = np.concatenate([own - other, own[:100] - other[:100]])
    assert (cl.suspicion_order(margins) == np.argsort(margins, kind="stable")).all()
    assert (cl._keys(margins) is None) == (kind is np.float64)


def test_half_precision_is_read_as_it_is():
    probs = np.array([[0.1, 0.9], [0.6, 0.4]], dtype=np.float16)
    labels = np.array([1, 0])
    assert quality.self_confidence(labels, probs).tolist() == [float(np.float16(0.9)), float(np.float16(0.6))]
    expected = float(np.float16(0.9)) - float(np.float16(0.1))
    assert quality.normalized_margin(labels, probs)[0] == expected


# Off-diagonal counts, rho * n under the calibrated rule, number flagged under the uncalibrated one (published lists).
PUBLISHED = {
    "mnist_test_set": (15, 15.9, 15),
    "cifar10_test_set": (244, 283.1, 275),
    "20news_test_set": (55, 94.7, 93),
    "imdb_test_set": (1076, 1309.2, 1310),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_release(shared, name):
    release = shared / "label-errors"
    labels = np.load(release / f"original_test_labels/{name}_original_labels.npy")
    probs = np.load(release / f"cross_validated_predicted_probabilities/{name}_pyx.npy")
    off_diagonal, calibrated, uncalibrated = PUBLISHED[name]
    counts = np.bincount(labels, minlength=probs.shape[1])
    joint = cl.confident_joint(labels, probs, cl.class_thresholds(labels, probs))
    assert joint.off_diagonal.total == off_diagonal
    assert round(cl.noise_rate(joint, counts, cl.FlagRule.CALIBRATED) * len(labels), 1) == calibrated
    assert cl.number_flagged(joint, counts, cl.FlagRule.UNCALIBRATED) == uncalibrated
    guesses = np.load(release / f"cross_validated_predicted_labels/{name}_pyx_argmax_predicted_labels.npy")
    assert (quality.guessed_labels(probs) == guesses).all()
