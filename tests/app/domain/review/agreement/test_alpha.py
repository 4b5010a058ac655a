"""Krippendorff's alpha, against the library, by hand, and as published votes have it."""

import krippendorff
import numpy as np
import pytest

from app.domain.review.agreement.alpha import alpha


def by_library(counts: np.ndarray) -> float:
    return krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_librarys(seed):
    """Any numbers of votes an example, of none and one too."""
    draw = np.random.default_rng(seed)
    n_answers = int(draw.integers(2, 7))
    counts = draw.integers(0, int(draw.integers(2, 6)), size=(int(draw.integers(2, 200)), n_answers))
    assert alpha(counts).value == pytest.approx(by_library(counts), abs=1e-12)


def test_unanimous_votes_for_different_answers_are_perfect_agreement():
    counts = np.array([[5, 0, 0], [0, 5, 0], [0, 0, 3]])
    assert alpha(counts).value == pytest.approx(by_library(counts), abs=1e-12)
    assert alpha(counts).value == 1.0
    assert alpha(counts).interval is None, "resampling has nothing to vary"


def test_one_answer_everywhere_has_no_alpha():
    assert alpha(np.array([[5, 0], [5, 0]])).value is None
    assert alpha(np.array([[1, 0], [0, 1]])).value is None, "nobody looked at anything twice"
    assert alpha(np.zeros((0, 3), np.int64)).examples == 0


def test_examples_with_one_vote_change_nothing():
    counts = np.array([[3, 2], [5, 0], [0, 5], [1, 4]])
    more = np.vstack([counts, [[1, 0], [0, 1], [0, 0]]])
    assert alpha(more) == alpha(counts)
    assert (alpha(more).examples, alpha(more).votes) == (4, 20)


def test_neither_the_order_of_examples_nor_the_names_of_answers_matter():
    draw = np.random.default_rng(3)
    counts = draw.multinomial(5, [0.5, 0.3, 0.2], size=80)
    found = alpha(counts)
    assert alpha(counts[draw.permutation(80)]) == found
    assert alpha(counts[:, [2, 0, 1]]).value == pytest.approx(found.value, abs=1e-12)


def test_the_interval_holds_what_it_says():
    """Of rounds drawn from one population, about 95 in 100 intervals hold its alpha."""
    draw = np.random.default_rng(11)
    population = draw.multinomial(5, [0.6, 0.3, 0.1], size=3_000)
    population[:1_500] = draw.multinomial(5, [0.1, 0.8, 0.1], size=1_500)
    true = alpha(population).value
    held = 0
    for _ in range(100):
        low, high = alpha(population[draw.integers(len(population), size=150)]).interval
        held += low <= true <= high
    assert 88 <= held <= 100


def test_counts_below_zero_are_refused():
    with pytest.raises(ValueError, match="none below 0"):
        alpha(np.array([[-1, 3]]))
