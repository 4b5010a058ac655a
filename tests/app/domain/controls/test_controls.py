"""Controls of rankings, against loops and against data in which the answer is known."""

import itertools

import numpy as np
import pytest
from scipy import stats

from app.domain.controls.capacity import capacity_correlation
from app.domain.controls.confused_pairs import can_tell, concentration, most_confused
from app.domain.controls.flagger import marked
from app.domain.controls.random_relabelling import draws_at_most, random_relabelling
from app.domain.controls.turnover import marks_of, turnover


def predictions(n: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (n, k)).astype(np.int32)


def test_turnover_counts_and_correlates_what_each_model_predicts() -> None:
    firsts, rng = predictions(60, 7), np.random.default_rng(1)
    given, other = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    other = np.where(other == given, (given + 1) % 4, other)
    ranked = [column[:, None] for column in firsts.T]
    found = turnover(marks_of(ranked, given, 1), marks_of(ranked, other, 1))
    by_given = [sum(int(row[model] == label) for row, label in zip(firsts, given, strict=True)) for model in range(7)]
    by_other = [sum(int(row[model] == label) for row, label in zip(firsts, other, strict=True)) for model in range(7)]
    assert found.given.tolist() == by_given
    assert found.other.tolist() == by_other
    assert (found.given + found.other + found.neither).tolist() == [60] * 7
    assert found.tau == pytest.approx(stats.kendalltau(by_given, by_other).statistic)
    assert found.interval is not None
    assert found.interval[0] <= found.interval[1]


def test_where_nothing_else_is_predicted_one_ranking_reverses_the_other() -> None:
    """The arithmetic that a turned ranking can rest on, whichever label is right."""
    firsts = np.random.default_rng(2).integers(0, 2, (40, 6)).astype(np.int32)
    ranked = [column[:, None] for column in firsts.T]
    found = turnover(marks_of(ranked, np.zeros(40, np.int64), 1), marks_of(ranked, np.ones(40, np.int64), 1))
    assert found.neither.tolist() == [0] * 6
    assert found.tau == pytest.approx(-1)


def test_no_example_has_no_turnover() -> None:
    nothing = np.zeros((0, 3), np.bool_)
    assert turnover(nothing, nothing).tau is None
    assert turnover(nothing, nothing).interval is None
    with pytest.raises(ValueError, match="same shape"):
        turnover(nothing, np.zeros((1, 3), np.bool_))


def test_random_labels_are_drawn_as_often_as_they_may_be() -> None:
    """Two examples with few choices: the mean over draws is near the mean over all equally likely choices."""
    firsts = np.array([[0, 1, 2, 1], [0, 0, 1, 3], [2, 0, 0, 3]], np.int32)
    given, corrected = np.array([0, 0, 0]), np.array([1, 1, 3])
    options = [sorted(set(row.tolist()) - {0}) for row in firsts]
    by_given = (firsts == 0).sum(axis=0)
    every = [
        stats.kendalltau(by_given, (firsts == np.array(chosen)[:, None]).sum(axis=0)).statistic
        for chosen in itertools.product(*options)
    ]
    found = random_relabelling(firsts, given, corrected, draws=4_000)
    assert found.mean == pytest.approx(np.nanmean(every), abs=0.03)
    assert found.observed == pytest.approx(stats.kendalltau(by_given, [0, 1, 1, 2]).statistic)
    assert found.interval == pytest.approx((np.nanmin(every), np.nanmax(every)), abs=1e-9)


def test_the_observed_value_is_one_of_the_draws() -> None:
    firsts = predictions(30, 5)
    found = random_relabelling(firsts, np.zeros(30, np.int64), np.full(30, 1), draws=99)
    assert found.at_most is not None
    assert 1 / 100 <= found.at_most <= 1
    assert found == random_relabelling(firsts, np.zeros(30, np.int64), np.full(30, 1), draws=99)


def test_a_p_value_is_no_share_of_the_draws() -> None:
    """Also where some draws tie all models and define no tau."""
    for n in (1_000, 986, 640):
        for at_most in (0, 1, n // 3 + 1, n - 1, n):
            turning, of = draws_at_most((1 + at_most) / (1 + n), 1_000)
            assert (1 + turning) / (1 + of) == pytest.approx((1 + at_most) / (1 + n))
            assert n <= of <= 1_000
    assert draws_at_most(896 / 1001) == (895, 1_000)
    with pytest.raises(ValueError, match="p-value"):
        draws_at_most(0.0, 10)


def test_where_all_models_repeat_the_given_label_nothing_is_drawn() -> None:
    found = random_relabelling(np.zeros((3, 2), np.int32), np.zeros(3, np.int64), np.ones(3, np.int64))
    assert (found.mean, found.interval, found.at_most) == (None, None, None)


def test_a_model_is_marked_that_agrees_more_than_its_accuracy_explains() -> None:
    accuracy = np.linspace(0.6, 0.9, 12)
    agreement = accuracy + 0.01 * np.resize([1, -1], 12)
    assert not marked(agreement, accuracy).any()
    agreement[4] += 0.2
    fit = stats.linregress(accuracy, agreement)
    residuals = agreement - (fit.intercept + fit.slope * accuracy)
    expected = residuals > 2 * np.sqrt((residuals**2).sum() / 10)
    assert np.flatnonzero(expected).tolist() == [4]
    np.testing.assert_array_equal(marked(agreement, accuracy), expected)
    agreement[4] -= 0.4
    assert not marked(agreement, accuracy).any()  # one that agrees less is no advantage


@pytest.mark.parametrize("k", [0, 1, 2])
def test_too_few_models_have_no_line(k: int) -> None:
    assert not marked(np.linspace(0.1, 0.9, k), np.linspace(0.9, 0.1, k)).any()


def test_equally_accurate_models_have_no_line() -> None:
    assert not marked(np.array([0.1, 0.5, 0.9]), np.full(3, 0.8)).any()


def test_capacity_is_correlated_with_right_predictions() -> None:
    parameters, marks = np.array([5, 1, 9, 3]), predictions(50, 4) == 0
    found = capacity_correlation(parameters, marks)
    assert found.tau == pytest.approx(stats.kendalltau(parameters, marks.sum(axis=0)).statistic)
    assert found.interval is not None
    assert -1 <= found.interval[0] <= found.interval[1] <= 1
    assert capacity_correlation(parameters, marks[:0]).tau is None
    with pytest.raises(ValueError, match="4 numbers"):
        capacity_correlation(parameters[:2], marks)


def test_systematic_confusions_are_told_from_random_ones() -> None:
    rng = np.random.default_rng(5)
    given = rng.integers(0, 10, 300)
    systematic = concentration(given, (given + 1) % 10, pairs=5)
    counts = sorted(np.bincount(given), reverse=True)
    assert systematic.share == pytest.approx(sum(counts[:5]) / 300)
    assert systematic.p == pytest.approx(1 / 1001)
    at_random = concentration(given, (given + rng.integers(1, 10, 300)) % 10, pairs=5)
    assert at_random.p > 0.05
    assert at_random.share == pytest.approx(at_random.shuffled, abs=0.03)


def test_as_many_confusions_as_are_counted_tell_nothing() -> None:
    few = concentration(np.array([3, 3, 3, 0, 2, 3, 4]), np.array([5, 5, 5, 8, 7, 6, 7]))
    assert (few.share, few.shuffled, few.p) == (1, 1, 1)
    assert not can_tell(few.share, few.shuffled)
    # Ten confusions of many examples are as systematic as can be: shuffled, they would be more.
    given = np.resize(np.arange(10), 200)
    many = concentration(given, (given + 1) % 10)
    assert (many.share, can_tell(many.share, many.shuffled)) == (1, True)
    assert many.p == pytest.approx(1 / 1001)


def test_the_most_confused_pairs_are_ordered() -> None:
    given, corrected = np.array([1, 1, 0, 2, 2]), np.array([0, 0, 1, 3, 1])
    assert most_confused(given, corrected, pairs=3) == [(1, 0, 2), (0, 1, 1), (2, 1, 1)]
    with pytest.raises(ValueError, match="expected labels"):
        concentration(given[:0], corrected[:0])
