"""The bound on what chance brings about, against the probability itself."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.review.chance import chance_of, chance_of_so_few


def slow_tail(found: int, probabilities: list[float]) -> float:
    """The probability of at least ``found`` of independent events: all outcomes, one event after another."""
    of = [1.0]
    for p in probabilities:
        of = [a * (1 - p) + b * p for a, b in zip([*of, 0.0], [0.0, *of], strict=True)]
    return sum(of[found:])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.data())
def test_chance_is_never_called_smaller_than_it_is(probabilities, data):
    found = data.draw(st.integers(0, len(probabilities)))
    bound = chance_of(found, sum(probabilities), len(probabilities))
    assert slow_tail(found, probabilities) <= bound + 1e-9
    assert 0 <= bound <= 1


@given(st.integers(1, 30), st.data())
def test_it_is_exact_where_all_events_are_alike(of, data):
    p = data.draw(st.integers(1, 9)) / 10
    found = data.draw(st.integers(0, of))
    if found >= of * p + 1:
        exact = sum(comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(found, of + 1))
        assert chance_of(found, of * p, of) == pytest.approx(exact)


@given(st.integers(1, 30), st.data())
def test_few_and_more_are_all_there_is(of, data):
    p = data.draw(st.integers(0, 10)) / 10
    found = data.draw(st.integers(0, of))
    few = sum(comb(of, k) * p**k * (1 - p) ** (of - k) for k in range(found + 1))
    assert chance_of_so_few(found, of * p, of) == pytest.approx(few, abs=1e-12)


def test_a_probability_that_is_too_small_for_a_number_is_none():
    assert (chance_of(1, 5e-324, 2), chance_of_so_few(1, 5e-324, 3)) == (0, 1)


def test_so_few_of_very_many():
    assert chance_of_so_few(3_000, 4_000.0, 8_000) < 1e-9
    assert chance_of_so_few(4_000, 4_000.0, 8_000) == pytest.approx(0.5, abs=0.01)


def test_more_than_chance_is_less_likely():
    chances = [chance_of(found, 3.5, 2_000) for found in range(2_001)]
    assert chances == sorted(chances, reverse=True)
    assert (chances[0], chances[-1]) == (1.0, 0.0)


@pytest.mark.parametrize(("found", "expected"), [(-1, 0.0), (0, -0.5), (6, 1.0), (1, 5.5)])
def test_what_cannot_be_counted(found, expected):
    for count in (chance_of, chance_of_so_few):
        with pytest.raises(ValueError, match="expected numbers from 0 to 5"):
            count(found, expected, 5)
