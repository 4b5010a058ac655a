"""Sums by class against exact fractions, whatever the numbers, their order and the blocks they come in."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import exact_sums
from app.domain.confident_learning.exact_sums import sums_by_class

#: Any double from 0 to 1: subnormal ones have bits that the first 34 levels do not reach.
PROBABILITIES = st.one_of(
    st.floats(0, 1, allow_subnormal=True),
    st.sampled_from([0.0, 1.0, 0.1, 5e-324, 2.0**-1074 * 3, 2.0**-31, 1 - 2.0**-53]),
)


@st.composite
def datasets(draw):
    m = draw(st.integers(1, 3))
    values = draw(st.lists(PROBABILITIES, max_size=12))
    labels = draw(st.lists(st.integers(0, m - 1), min_size=len(values), max_size=len(values)))
    return np.array(labels, dtype=np.uint8), np.array(values), m


@given(datasets(), st.randoms(use_true_random=False), st.integers(0, 12))
@settings(max_examples=300)
def test_means_are_exact_in_any_order_and_blocks(data, random, cut):
    labels, values, m = data
    found = sums_by_class(labels, values, m)
    for j in range(m):
        own = [Fraction(float(value)) for label, value in zip(labels, values, strict=True) if label == j]
        assert found.count[j] == len(own)
        assert found.total[j] == float(sum(own))
        if own:
            assert found.thresholds[j] == float(sum(own) / len(own))
    order = list(range(len(labels)))
    random.shuffle(order)
    first, second = order[:cut], order[cut:]
    parts = sums_by_class(labels[first], values[first], m) + sums_by_class(labels[second], values[second], m)
    assert parts.thresholds.tobytes() == found.thresholds.tobytes()


def test_more_rows_than_are_added_up_at_once(monkeypatch):
    monkeypatch.setattr(exact_sums, "_ROWS", 7)
    values = np.full(1000, 0.1)
    assert sums_by_class(np.zeros(1000, np.uint8), values, 1).thresholds.tolist() == [0.1]


def test_equal_numbers_have_themselves_as_mean():
    for n in range(1, 60):
        for value in (0.1, 0.3, 1 / 3, 0.7, 0.9):
            assert sums_by_class(np.zeros(n, np.intp), np.full(n, value), 1).thresholds.tolist() == [value]
