"""Differences of accuracies by pairs, with their intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.ranking.paired_difference import paired_difference


def test_a_published_example() -> None:
    """Fagerland, Lydersen and Laake (2014), table of airway hyper-responsiveness: 1 and 7 of 21."""
    difference, (low, high) = paired_difference(1, 7, 21)
    assert round(difference, 3) == -0.286
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 200))
def test_it_leaves_out_zero_where_mcnemars_test_finds_a_difference(first: int, second: int, rest: int) -> None:
    n = first + second + rest + 1
    difference, (low, high) = paired_difference(first, second, n)
    assert -1 <= low <= difference <= high <= 1
    found = first + second > 0 and abs(first - second) / math.sqrt(first + second) > 1.959964
    assert (low > 0 or high < 0) is found


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200))
def test_the_two_may_be_exchanged(first: int, second: int, rest: int) -> None:
    n = first + second + rest
    difference, (low, high) = paired_difference(first, second, n)
    other, (other_low, other_high) = paired_difference(second, first, n)
    assert (other, other_low, other_high) == (-difference, -high, -low)


def test_impossible_counts_are_refused() -> None:
    for counts in ((1, 1, 1), (0, 0, 0), (-1, 1, 4)):
        with pytest.raises(ValueError, match="examples"):
            paired_difference(*counts)
