"""Learning from one half of the opinions what is said of the other: nobody's own opinion enters, and it fits."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from app.domain.confidence.reliability import brier, compare_brier, reliability
from app.domain.confidence.right_or_wrong import cross_fit, fit_logistic, halves, vote_features


def made_up(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, whether right, and what the probability of that was."""
    rng = np.random.default_rng(seed)
    chosen, given = rng.integers(3, 6, n), np.zeros(n, np.int64)
    given = np.minimum(rng.integers(0, 3, n), 5 - chosen)
    features = vote_features(chosen, given, np.full(n, 5))
    p = 1 / (1 + np.exp(-(0.3 + 0.9 * features[:, 0] - 0.4)))
    return features, rng.random(n) < p, p


def test_the_regression_is_the_usual_one() -> None:
    features, right, _ = made_up(600)
    found = fit_logistic(features, right)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    usual = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(standard, right)
    assert found.of(features) == pytest.approx(usual.predict_proba(standard)[:, 1], abs=1e-5)
    assert found.of(features).mean() == pytest.approx(right.mean(), abs=1e-9)


def test_a_column_that_never_changes_changes_nothing() -> None:
    features, right, _ = made_up(300)
    wider = np.hstack([features, np.full((300, 1), 7.0)])
    assert fit_logistic(wider, right).of(wider) == pytest.approx(fit_logistic(features, right).of(features), abs=1e-9)


@pytest.mark.parametrize("right", [np.ones(5, np.bool_), np.zeros(5, np.bool_)])
def test_one_kind_alone_teaches_nothing(right: np.ndarray) -> None:
    with pytest.raises(ValueError, match="marks of both kinds"):
        fit_logistic(np.zeros((5, 1)), right)


def test_halves_stay_what_they_are_and_are_about_equal() -> None:
    found = halves(np.arange(50_000))
    assert found.mean() == pytest.approx(0.5, abs=0.01)
    assert (halves(np.array([40_000, 3, 17])) == found[[40_000, 3, 17]]).all()
    # Neighbours are as often in one half as in two.
    assert (found[1:] == found[:-1]).mean() == pytest.approx(0.5, abs=0.01)


def test_no_example_s_own_opinion_enters_its_number() -> None:
    features, right, _ = made_up(500)
    indices, clear = np.arange(500) * 7, np.random.default_rng(1).random(500) < 0.8
    before = cross_fit(features, right, clear, indices)
    assert before is not None
    for place in (0, 3, 250, 499):
        turned = right.copy()
        turned[place] = not turned[place]
        after = cross_fit(features, turned, clear, indices)
        assert after is not None
        assert after.probabilities[place] == before.probabilities[place]
        assert after.base[place] == before.base[place]
    # Its opinion does enter the numbers of the other half.
    turned = right.copy()
    turned[np.flatnonzero(clear)[0]] ^= True
    after = cross_fit(features, turned, clear, indices)
    assert after is not None
    assert (after.probabilities != before.probabilities).any()


def test_unclear_ones_teach_nothing_and_get_a_number() -> None:
    features, right, _ = made_up(400)
    clear = np.arange(400) < 300
    found, without = (cross_fit(features, marks, clear, np.arange(400)) for marks in (right, right & clear))
    assert found is not None
    assert without is not None
    assert (found.probabilities == without.probabilities).all()
    assert ((found.probabilities > 0) & (found.probabilities < 1)).all()


def test_it_finds_the_probabilities_that_decided() -> None:
    features, right, p = made_up(20_000, seed=4)
    found = cross_fit(features, right, np.ones(20_000, np.bool_), np.arange(20_000))
    assert found is not None
    assert np.abs(found.probabilities - p).max() < 0.04


def test_too_few_of_either_kind() -> None:
    features, right, _ = made_up(200)
    wrong = np.flatnonzero(~right)
    clear = np.ones(200, np.bool_)
    clear[wrong[12:]] = False
    assert cross_fit(features, right, clear, np.arange(200)) is None


def test_brier_by_hand() -> None:
    assert brier(np.array([0.8, 0.8, 0.8]), np.array([True, True, False])) == pytest.approx((0.04 + 0.04 + 0.64) / 3)
    with pytest.raises(ValueError, match="examples"):
        brier(np.array([]), np.array([], np.bool_))


def test_a_better_probability_has_an_interval_above_0_and_turned_round_one_below() -> None:
    _features, right, p = made_up(2_000, seed=2)
    worse = np.full(2_000, 0.5)
    found, turned = compare_brier(worse, p, right), compare_brier(p, worse, right)
    assert found.difference == pytest.approx(brier(worse, right) - brier(p, right))
    assert 0 < found.interval[0] < found.difference < found.interval[1]
    assert turned.difference == pytest.approx(-found.difference)
    assert turned.interval[1] < 0
    # A normal interval of the mean gain is nearly the same.
    gains = (worse - right) ** 2 - (p - right) ** 2
    error = gains.std() / 2_000**0.5
    assert found.interval == pytest.approx([gains.mean() - 1.96 * error, gains.mean() + 1.96 * error], abs=0.15 * error)


def test_the_same_probability_is_no_better() -> None:
    right = np.arange(50) % 3 == 0
    found = compare_brier(np.full(50, 0.4), np.full(50, 0.4), right)
    assert (found.difference, found.interval) == (0, (0, 0))


def test_a_reliability_curve_counts_every_example_once() -> None:
    rng = np.random.default_rng(3)
    said = rng.choice([0.55, 0.7, 0.82, 0.9], 900)
    right = rng.random(900) < said
    points = reliability(said, right)
    assert [point.said for point in points] == pytest.approx([0.55, 0.7, 0.82, 0.9])
    for point in points:
        here = said == point.said
        assert (point.n, point.right) == (here.sum(), right[here].mean())
        assert point.interval[0] <= point.right <= point.interval[1]
    assert sum(point.n for point in points) == 900
    assert sum(point.n * point.right for point in points) == pytest.approx(right.sum())


def test_few_examples_are_one_point() -> None:
    (point,) = reliability(np.array([0.2, 0.9, 0.4]), np.array([False, True, True]))
    assert (point.n, point.said, point.right) == (3, 0.5, pytest.approx(2 / 3))
    assert reliability(np.array([]), np.array([], np.bool_)) == []
