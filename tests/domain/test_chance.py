"""The bound on what chance brings about, against the probability itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.chance import chance_of


def slow_tail(found: int, probabilities: list[float]) -> float:
    """The probability of at least ``found`` of independent events: all outcomes, one event after another."""
    of = [1.0]
    for p in probabilities:
        of = [a * (1 - p) + b * p for a, b in zip([*of, 0.0], [0.0, *of], strict=True)]
    return sum(of[found:])


PROBABILITIES = st.lists(st.floats(0, 1), max_size=12)


@given(PROBABILITIES, st.integers(0, 12))
def test_chance_is_never_called_smaller_than_it_is(probabilities, found):
    bound = chance_of(found, sum(probabilities))
    assert slow_tail(found, probabilities) <= bound * (1 + 1e-9) <= 1 + 1e-9


@given(st.floats(0, 20), st.integers(0, 30))
def test_more_than_chance_is_less_likely(expected, found):
    assert chance_of(found + 1, expected) <= chance_of(found, expected)


@pytest.mark.parametrize(("found", "expected"), [(-1, 0.0), (0, -0.5)])
def test_what_cannot_be_counted(found, expected):
    with pytest.raises(ValueError, match="neither can be below 0"):
        chance_of(found, expected)
