"""Agreement of raters with each other, against plain loops."""

from itertools import combinations

import numpy as np
import pytest

from app.domain.review.agreement.pairwise import agreements, confused, with_others
from app.domain.review.agreement.vote_table import VoteTable
from tests.app.domain.review.agreement.votes_made import planted, two_by_two


def test_pairs_are_those_of_a_plain_loop():
    votes, _ = planted(1, two_by_two(0.9, 0.7, 0.8, 0.6, 0.9, 0.5, 0.8), n_examples=60, votes=4)
    by_example: dict[int, dict[int, int]] = {}
    for example, rater, answer in zip(votes.example, votes.rater, votes.answer, strict=True):
        by_example.setdefault(int(example), {})[int(rater)] = int(answer)
    together, same = np.zeros((7, 7), int), np.zeros((7, 7), int)
    for said in by_example.values():
        for one, other in [*combinations(said, 2), *((b, a) for a, b in combinations(said, 2))]:
            together[one, other] += 1
            same[one, other] += said[one] == said[other]
    found = agreements(votes)
    for table, expected in zip(found, (together, same), strict=True):
        assert (table - np.diag(np.diag(table)) == expected).all()
    assert np.diag(found[0]).tolist() == np.bincount(votes.rater, minlength=7).tolist()


def test_a_rater_who_tosses_coins_agrees_as_chance_does():
    votes, _ = planted(2, two_by_two(0.95, 0.95, 0.95, 0.95, 0.5), n_examples=400)
    *careful, coin = with_others(votes)
    assert abs(coin.kappa) < 0.12
    assert coin.high < 0.2
    assert min(one.kappa for one in careful) > 0.5
    assert all(one.examples == 400 for one in careful)


def test_an_example_counts_once_however_many_look():
    """Nine who agree on one example are no more evidence than one."""
    rows = [(0, rater, "x") for rater in range(10)] + [(1, 0, "x"), (1, 1, "y")]
    votes = VoteTable.of(rows, range(2), range(10), ["x", "y"])
    assert with_others(votes)[0].share == 0.5


def test_who_votes_alone_has_no_agreement():
    found = with_others(VoteTable.of([(0, 0, "x"), (1, 1, "x")], range(2), range(2), ["x"]))
    assert [one.share for one in found] == [None, None]


def test_classes_that_cannot_be_told_apart_come_first():
    pair = np.array([0, 0, 1, 2])
    found = confused(pair, np.array([3, 2, 5, 1]), np.array([2, 3, 0, 0]))
    assert [(one.pair, one.examples, one.divided, one.share) for one in found] == [
        (0, 2, 2, 0.6),
        (1, 1, 0, 0.0),
        (2, 1, 0, None),
    ]


def test_two_votes_of_a_rater_on_an_example_are_refused():
    with pytest.raises(ValueError, match="rater 1 has two votes on example 0"):
        VoteTable(np.array([0, 0]), np.array([1, 1]), np.array([0, 0]), 1, 2, 1)
