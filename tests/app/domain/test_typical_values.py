"""What is usual in a column: the middle of a class, which a few wrong labels do not move."""

import numpy as np
import pytest

from app.domain.typical_values import FEWEST, rare_categories, usual_range


def test_of_normal_values_the_middle_95_percent_are_usual() -> None:
    values = np.random.default_rng(0).normal(50, 10, 200_000)
    low, high = usual_range(values)
    assert (low, high) == pytest.approx((50 - 19.6, 50 + 19.6), abs=0.3)


def test_each_side_has_its_own_width() -> None:
    """Of incomes and the like, the upper side is wide and the lower one narrow."""
    values = np.random.default_rng(1).lognormal(0, 1, 100_000)
    low, high = usual_range(values)
    assert 1 - low < high - 1
    assert 0.02 < np.mean(values > high) < 0.1


def test_a_twentieth_of_wrong_labels_does_not_hide_itself() -> None:
    """Quantiles of the class would: 5 % of the rows are of another one, all on one side."""
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(5, 0.5, 95), rng.normal(1, 0.1, 5)])
    low, high = usual_range(values)
    assert np.quantile(values, 0.025) < 1.2
    assert low > 1.5
    assert high > 5.5


def test_shifted_and_stretched_values_have_shifted_and_stretched_ranges() -> None:
    values = np.random.default_rng(3).gamma(2, 1, 500)
    low, high = usual_range(values)
    assert usual_range(3 * values - 7) == pytest.approx((3 * low - 7, 3 * high - 7))
    assert usual_range(-values) == pytest.approx((-high, -low))
    assert usual_range(np.random.default_rng(4).permutation(values)) == (low, high)


@pytest.mark.parametrize(
    ("values", "usual"),
    [
        ([0.0] * 95 + [7.0] * 5, (0, 0)),  # a few of what nearly nobody has are unusual,
        ([0.0] * 80 + [7.0] * 20, (0, np.inf)),  # and a fifth of all is not
        ([1.0] * FEWEST, (1, 1)),
        ([1.0] * (FEWEST - 1) + [np.nan] * 9, (-np.inf, np.inf)),
    ],
)
def test_values_that_are_mostly_the_same(values: list[float], usual: tuple[float, float]) -> None:
    assert usual_range(np.array(values)) == usual


def test_rare_categories_are_fewer_than_one_in_fifty() -> None:
    values = ["a"] * 196 + ["b"] * 4 + ["c"] * 3 + [None]
    assert rare_categories(values) == {"b": 4 / 204, "c": 3 / 204, None: 1 / 204}
    assert rare_categories(["a"] * 49 + ["b"]) == {}
    assert rare_categories([]) == {}
