"""Intervals, against resampling example by example."""

import numpy as np
import pytest

from app.domain.bootstrap import accuracy_interval, crossing_intervals


def test_an_interval_is_that_of_resampled_examples():
    right = np.zeros(400, bool)
    right[:300] = True
    rng = np.random.default_rng(0)
    means = right[rng.integers(400, size=(4_000, 400))].mean(axis=1)
    low, high = accuracy_interval(300, 400)
    assert abs(low - np.quantile(means, 0.025)) < 0.01
    assert abs(high - np.quantile(means, 0.975)) < 0.01


def test_intervals_are_the_same_every_time_and_narrow_with_more_examples():
    assert accuracy_interval(9, 18) == accuracy_interval(9, 18)
    widths = [high - low for low, high in (accuracy_interval(n // 2, n) for n in (20, 200, 2_000))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("n", [1, 3, 18, 1_428])
def test_a_clean_sweep_is_not_certainty(n):
    low, high = accuracy_interval(n, n)
    assert high == 1.0
    # At the bound, n of n happens in 2.5 % of test sets.
    assert abs(low**n - 0.025) < 0.001 * n
    assert low < 1
    assert accuracy_interval(0, n) == (0.0, pytest.approx(1 - low, abs=1e-9))


def test_no_examples_no_interval_and_no_nonsense():
    assert accuracy_interval(0, 0) is None
    with pytest.raises(ValueError, match="3 right of 2"):
        accuracy_interval(3, 2)


def test_crossing_intervals_are_those_of_resampled_examples():
    benign, correctable = np.array([[800, 60, 30, 10]]), np.array([[10, 4, 16, 10]])
    intervals, shares = crossing_intervals(benign, correctable, 40 / 940)

    def drawn(counts, rng):
        kinds = np.repeat([0, 1, -1, 0], counts)
        return kinds[rng.integers(len(kinds), size=(2_000, len(kinds)))].mean(axis=1)

    rng = np.random.default_rng(5)
    gap_b, gap_c = drawn(benign[0], rng), -drawn(correctable[0], rng)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = gap_b / (gap_b + gap_c)
    at = at[(at >= 40 / 940) & (at <= 1)]
    assert abs(shares[0] - len(at) / 2_000) < 0.03
    assert abs(intervals[0, 0] - np.quantile(at, 0.025)) < 0.02
    assert abs(intervals[0, 1] - np.quantile(at, 0.975)) < 0.1


def test_models_that_never_trade_places_have_no_interval():
    same = np.array([[100, 0, 0, 10]])
    intervals, shares = crossing_intervals(same, same, 0.1)
    assert np.isnan(intervals).all()
    assert shares.tolist() == [0.0]
    intervals, shares = crossing_intervals(np.array([[5, 1, 0, 0]]), np.array([[0, 0, 0, 0]]), 0.0)
    assert np.isnan(intervals).all() or shares[0] < 1
