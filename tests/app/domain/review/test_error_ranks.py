"""Errors by rank: bins, intervals and what the next examples probably hold."""

import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from app.domain.review.error_ranks import (
    checked_throughout,
    next_ranks,
    rank_bins,
    rank_curve,
    wilson,
)

CHECKED = st.dictionaries(st.integers(1, 400), st.booleans(), min_size=1, max_size=60)


def arrays(checked: dict[int, bool]) -> tuple[Any, Any]:
    ranks = sorted(checked)
    return np.array(ranks, np.int64), np.array([checked[rank] for rank in ranks], np.bool_)


@given(st.integers(1, 5000), st.data())
def test_the_interval_is_that_of_scipy(of: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, of))
    expected = binomtest(found, of).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(wilson(found, of), (expected.low, expected.high), atol=1e-9)


@given(CHECKED)
def test_bins_hold_every_checked_example_once(checked: dict[int, bool]) -> None:
    bins = rank_bins(*arrays(checked))
    assert [one.first for one in bins] == [1, *(one.last + 1 for one in bins[:-1])]
    assert bins[-1].last == max(checked)
    for one in bins:
        inside = [error for rank, error in checked.items() if one.first <= rank <= one.last]
        so_far = [error for rank, error in checked.items() if rank <= one.last]
        assert (one.checked, one.errors) == (len(inside), sum(inside))
        assert (one.checked_so_far, one.errors_so_far) == (len(so_far), sum(so_far))
        assert one.complete == all(rank in checked for rank in range(one.first, one.last + 1))


@given(CHECKED, st.integers(1, 30), st.integers(0, 100))
def test_the_next_ranks_are_the_lowest_unchecked_ones(checked: dict[int, bool], most: int, more: int) -> None:
    ranks, _ = arrays(checked)
    size = max(checked) + more
    unchecked = [rank for rank in range(1, size + 1) if rank not in checked]
    assert next_ranks(ranks, most, size).tolist() == unchecked[:most]
    assert checked_throughout(ranks) == next(rank for rank in range(1, 500) if rank not in checked) - 1


@settings(max_examples=25, deadline=None)
@given(CHECKED)
def test_the_curve_never_rises_and_the_forecast_is_about_its_ranks(checked: dict[int, bool]) -> None:
    ranks, errors = arrays(checked)
    curve = rank_curve(ranks, errors)
    shares = curve.shares(np.arange(1, 2000))
    assert np.all(np.diff(shares) <= 1e-12)
    assert 0 <= shares[-1] <= shares[0] <= 1
    following = next_ranks(ranks, 20, 2000)
    found = curve.forecast(following)
    assert (found.examples, found.first, found.last) == (20, following[0], following[-1])
    assert 0 <= found.interval[0] <= found.interval[1] <= 20
    below = curve.falls_below(0.3, 1999)
    expected = np.flatnonzero(shares < 0.3)
    assert below == (expected[0] + 1 if len(expected) else None)


def test_the_weighed_curves_agree_with_sums_over_a_fine_grid() -> None:
    """By the formula in the module's docstring, in plain Python: means over every pair of a fixed fine grid."""
    ranks, errors = np.array([1, 2, 3, 5, 8, 13, 21, 34]), np.array([1, 1, 1, 0, 1, 0, 0, 0], np.bool_)
    middle = sum(map(math.log, ranks)) / len(ranks)
    total, mean, by_number = 0.0, 0.0, [0.0, 0.0, 0.0]
    for i, j in product(range(400), range(400)):
        a, b = -16 + (i + 0.5) * 32 / 400, -(j + 0.5) * 12 / 400

        def p(rank: int, a: float = a, b: float = b) -> float:
            return 1 / (1 + math.exp(-(a + b * (math.log(rank) - middle))))

        weight = p(1, b=0.0) * (1 - p(1, b=0.0)) * math.exp(-((b / 2) ** 2) / 2)
        for rank, error in zip(ranks.tolist(), errors.tolist(), strict=True):
            weight *= p(rank) if error else 1 - p(rank)
        total += weight
        mean += weight * p(35)
        one, two = p(40), p(50)
        for n, chance in enumerate(((1 - one) * (1 - two), one + two - 2 * one * two, one * two)):
            by_number[n] += weight * chance
    curve = rank_curve(ranks, errors)
    assert curve.shares(np.array([35]))[0] == pytest.approx(mean / total, abs=2e-4)
    found = curve.forecast(np.array([40, 50]))
    assert found.expected == pytest.approx((by_number[1] + 2 * by_number[2]) / total, abs=4e-4)
    cumulated = np.cumsum(by_number) / total
    assert found.interval == tuple(int(np.searchsorted(cumulated, end)) for end in (0.025, 0.975))


def test_many_answers_find_the_curve_that_made_them() -> None:
    rng = np.random.default_rng(0)
    ranks = np.arange(1, 20_001)
    truth = 1 / (1 + np.exp(-(4 - 0.9 * np.log(ranks))))
    shares = rank_curve(ranks, rng.random(len(ranks)) < truth).shares(ranks)
    assert np.abs(shares - truth)[20:].max() < 0.03


def test_intervals_hold_what_the_next_hundred_really_hold() -> None:
    """Of 80 made-up reviews about 95 in a hundred: the interval is neither too narrow nor the whole range."""
    rng = np.random.default_rng(1)
    inside, width = 0, 0
    for _ in range(80):
        n, a, b = rng.integers(50, 400), rng.normal(3, 1), -abs(rng.normal(0, 1))
        ranks = np.arange(1, n + 101)
        errors = rng.random(len(ranks)) < 1 / (1 + np.exp(-(a + b * np.log(ranks))))
        low, high = rank_curve(ranks[:n], errors[:n]).forecast(ranks[n:]).interval
        inside += low <= errors[n:].sum() <= high
        width += high - low
    assert inside >= 72
    assert width / 80 < 35


@pytest.mark.parametrize(("error", "least", "most"), [(True, 90, 100), (False, 0, 3)])
def test_answers_that_are_all_the_same_give_a_finite_forecast(error: bool, least: float, most: float) -> None:
    ranks = np.arange(1, 94)
    found = rank_curve(ranks, np.full(93, error)).forecast(np.arange(94, 194))
    assert least <= found.expected <= most
    assert found.interval[0] < found.interval[1]
