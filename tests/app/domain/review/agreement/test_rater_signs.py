"""Signs that a rater does not look."""

import numpy as np
import pytest
from scipy.stats import binomtest

from app.domain.review.agreement.pairwise import WithOthers
from app.domain.review.agreement.rater_signs import RaterCounts, Sign, side_bias, signs, usual_seconds

FINE = WithOthers(40, 0.9, 0.8, 0.9)


def counts(**changed: object) -> RaterCounts:
    usual = {"n_answers": 40, "n_a": 19, "n_b": 21, "most_common": 20, "others_share": 0.5, "n_timed": 40, "n_fast": 0}
    return RaterCounts(**{**usual, "gold": 0, "gold_right": 0, "repeats": 0, "repeats_same": 0, **changed})


def test_the_side_test_is_scipys():
    for n_a in range(0, 31):
        assert side_bias(n_a, 30 - n_a) == pytest.approx(binomtest(n_a, 30).pvalue, abs=1e-12)
    assert side_bias(0, 0) == 1.0


@pytest.mark.parametrize(
    ("changed", "agreement", "expected"),
    [
        ({}, FINE, []),
        ({"n_a": 40, "n_b": 0}, FINE, [Sign.ONE_SIDE]),
        ({"n_a": 9, "n_b": 0, "n_answers": 9}, FINE, []),
        ({"n_a": 1, "n_b": 1, "most_common": 38, "others_share": 0.2}, FINE, [Sign.ONE_ANSWER]),
        ({"n_a": 1, "n_b": 1, "most_common": 38, "others_share": 0.9}, FINE, []),
        ({}, WithOthers(40, 0.5, 0.0, 0.2), [Sign.RANDOM]),
        ({}, WithOthers(10, 0.5, 0.0, 0.2), []),
        ({}, WithOthers(40, 0.7, 0.4, 0.6), []),
        ({"n_fast": 21}, FINE, [Sign.TOO_FAST]),
        ({"n_fast": 21, "n_answers": 0}, FINE, [Sign.TOO_FAST]),
        ({"n_fast": 9, "n_timed": 9}, FINE, []),
        ({"gold": 10, "gold_right": 3}, FINE, [Sign.GOLD]),
        ({"gold": 10, "gold_right": 7}, FINE, []),
        ({"repeats": 10, "repeats_same": 3}, FINE, [Sign.REPEATS]),
    ],
)
def test_signs(changed, agreement, expected):
    assert signs(counts(**changed), agreement, usual=0.6) == expected


def test_where_nobody_agrees_nobody_is_called_random():
    """20news has an alpha of .04: there a kappa near 0 says nothing about a rater."""
    assert signs(counts(), WithOthers(40, 0.5, 0.0, 0.02), usual=0.05) == []


def test_careful_raters_are_left_in_peace():
    """Of a thousand who choose sides by what they see, at most a few are called one-sided."""
    draw = np.random.default_rng(0)
    called = sum(
        Sign.ONE_SIDE in signs(counts(n_a=int(n), n_b=40 - int(n)), FINE, 0.8) for n in draw.binomial(40, 0.5, 1000)
    )
    assert called <= 4


def test_usual_time():
    assert usual_seconds([2.0, 4.0, 90.0]) == 4.0
    assert usual_seconds([]) is None
