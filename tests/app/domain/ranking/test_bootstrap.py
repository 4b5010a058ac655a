"""Intervals, against resampling example by example."""

import numpy as np
import pytest

from app.domain.ranking import bootstrap
from app.domain.ranking.bootstrap import (
    accuracy_interval,
    correlation_intervals,
    crossing_intervals,
    many_right_counts,
    rank_intervals,
    right_counts,
)
from app.domain.ranking.rank_correlation import kendall_tau, ranks, spearman


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


def test_counts_of_many_examples_are_those_of_drawing_each():
    """Of models that are right on much the same examples, in two sets of which each keeps its size."""
    rng = np.random.default_rng(2)
    ease = rng.random(6_000)[:, None]
    marks = rng.random((6_000, 9)) * 0.4 + ease * 0.6 < np.linspace(0.6, 0.64, 9)
    sets = [marks[:1_500], marks[1_500:]]
    # Each set by draws of its own: one seed for both would make what happens in one happen in the other.
    each = np.concatenate([right_counts(sets[0]), right_counts(np.flip(sets[0], axis=0))])
    other = np.concatenate([right_counts(sets[1]), right_counts(np.flip(sets[1], axis=0))])
    exact = each + rng.permutation(other)
    found = many_right_counts(sets)
    assert found.shape == (1_000, 9)
    assert np.abs(found.mean(axis=0) - marks.sum(axis=0)).max() < 5
    assert np.allclose(np.cov(found.T), np.cov(exact.T), rtol=0.15, atol=40)
    assert np.abs(rank_intervals(found) - rank_intervals(exact)).max() <= 1


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


def test_a_pair_has_one_interval_whichever_comes_first_and_whatever_else_is_asked():
    rng = np.random.default_rng(3)
    benign = rng.multinomial(900, [0.8, 0.1, 0.05, 0.05], size=6)
    correctable = rng.multinomial(60, [0.2, 0.2, 0.4, 0.2], size=6)
    intervals, shares = crossing_intervals(benign, correctable, 60 / 960)
    swapped = [0, 2, 1, 3]
    for place in range(6):
        for order in ([0, 1, 2, 3], swapped):
            alone = crossing_intervals(benign[[place]][:, order], correctable[[place]][:, order], 60 / 960)
            assert alone[0][0].tolist() == intervals[place].tolist()
            assert alone[1][0] == shares[place]


def made_up_marks(n: int, models: int) -> np.ndarray:
    rng = np.random.default_rng(11)
    hard = rng.random((n, 1))
    return hard < rng.random(models) * 0.4 + 0.4 + 0.2 * (rng.random((n, models)) - 0.5)


def slowly_resampled(marks: np.ndarray, replicates: int) -> list[list[int]]:
    """Right answers a column, drawing example by example."""
    rng = np.random.default_rng(77)
    return [
        [int(column[rows].sum()) for column in marks.T]
        for rows in rng.integers(len(marks), size=(replicates, len(marks)))
    ]


def test_right_answers_are_those_on_resampled_examples():
    marks = made_up_marks(500, 4)
    drawn, slow = right_counts(marks), np.array(slowly_resampled(marks, 1_000))
    assert drawn.shape == (1_000, 4)
    assert np.abs(drawn.mean(axis=0) - marks.sum(axis=0)).max() < 2
    assert np.abs(drawn.std(axis=0) - slow.std(axis=0)).max() < 1
    # What holds between models is kept, for each draw is the same for all of them.
    assert np.abs(np.corrcoef(drawn.T) - np.corrcoef(slow.T)).max() < 0.1
    assert right_counts(marks[:, [2]]).ravel().tolist() == drawn[:, 2].tolist()
    assert right_counts(np.zeros((0, 3), bool)).tolist() == [[0, 0, 0]] * 1_000


def test_ranks_and_correlations_are_as_sure_as_slow_loops_say():
    marks = made_up_marks(200, 6)
    other = made_up_marks(200, 6)[:, ::-1] & marks
    slow = [np.array(slowly_resampled(some, 1_000)) for some in (marks, other)]
    places = np.array([ranks(row) for row in slow[0]])
    expected = np.quantile(places, (0.025, 0.975), axis=0, method="inverted_cdf").T
    found = rank_intervals(right_counts(marks))
    assert np.abs(found - expected).max() <= 1
    assert ((found[:, 0] <= ranks(marks.sum(axis=0))) & (ranks(marks.sum(axis=0)) <= found[:, 1])).all()
    for measure, interval in zip(
        (kendall_tau, spearman), correlation_intervals(right_counts(marks), right_counts(other)), strict=True
    ):
        values = [measure(a, b) for a, b in zip(*slow, strict=True)]
        low, high = np.quantile([value for value in values if value is not None], (0.025, 0.975))
        assert abs(interval[0] - low) < 0.1
        assert abs(interval[1] - high) < 0.1


def test_one_model_has_one_place_and_no_correlation():
    alone = right_counts(made_up_marks(30, 1))
    assert rank_intervals(alone).tolist() == [[1, 1]]
    assert correlation_intervals(alone, alone) == (None, None)
    nobody = right_counts(np.zeros((30, 0), bool))
    assert rank_intervals(nobody).tolist() == []
    assert correlation_intervals(nobody, nobody) == (None, None)


@pytest.mark.parametrize("defining", [0, 1, 499, 500, 501, 1_000])
def test_an_interval_needs_half_of_the_replicates(defining: int) -> None:
    """Where all models are equal in most replicates, those few that tell them apart are no interval."""
    second = np.tile([1, 2, 3], (1_000, 1))
    first = np.tile([3, 2, 1], (1_000, 1))
    first[defining:] = 7
    for interval in correlation_intervals(first, second):
        assert interval == ((-1.0, -1.0) if defining >= 500 else None)


@pytest.mark.parametrize("columns", [1, 5, 70])
def test_kinds_of_examples_are_drawn_as_often_as_examples(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large set, kinds are drawn: the same means, spreads and correlations between models."""
    marks = np.repeat(made_up_marks(40, columns), 5, axis=0)
    single = right_counts(marks, 4_000)
    monkeypatch.setattr(bootstrap, "_SINGLE", 100)
    kinds = right_counts(marks, 4_000)
    assert kinds.shape == single.shape
    assert right_counts(marks, 4_000).tolist() == kinds.tolist()
    spread = single.std(axis=0)
    assert np.abs(kinds.mean(axis=0) - single.mean(axis=0)).max() < 0.1 * spread.max()
    assert np.allclose(kinds.std(axis=0), spread, rtol=0.1, atol=1e-9)
    if columns > 1:
        first, second = (np.cov(found, rowvar=False) for found in (single, kinds))
        assert np.abs(first - second).max() < 0.15 * np.abs(first).max()


def test_a_large_set_is_resampled_without_drawing_each_of_its_examples() -> None:
    """Of three million examples; one by one, a thousand times, they take minutes."""
    marks = np.tile(made_up_marks(30, 3), (100_001, 1))
    found = right_counts(marks)
    assert np.abs(found.mean(axis=0) / marks.sum(axis=0) - 1).max() < 0.001
    assert 0.8 < found[:, 0].std() / np.sqrt(len(marks) * marks[:, 0].mean() * (1 - marks[:, 0].mean())) < 1.2
