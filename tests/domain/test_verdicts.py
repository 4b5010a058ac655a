"""Votes to categories: every possible vote of five reviewers is tried."""

from itertools import product

import pytest

from app.domain import corrections
from app.domain.corrections import Action
from app.domain.verdicts import (
    ERROR_CATEGORIES,
    Category,
    Votes,
    category,
    majority_of,
    multi_label_verdict,
)

ALL_VOTES = [Votes(*v) for v in product(range(6), repeat=4) if sum(v) == 5]


def test_there_are_as_many_votes_as_counting_says():
    assert len(ALL_VOTES) == 56


@pytest.mark.parametrize("votes", ALL_VOTES, ids=str)
def test_every_vote_of_five(votes):
    at = {t: category(votes, t) for t in (3, 4, 5)}
    assert (at[3] is Category.NON_ERROR) == (votes.given >= 3)
    # Asking for more agreement never changes what is an error, and never makes one correctable.
    assert len({c.is_error for c in at.values()}) == 1
    for lower, higher in ((3, 4), (4, 5)):
        assert at[higher] is not Category.CORRECTABLE or at[lower] is Category.CORRECTABLE
        assert at[higher] in (at[lower], Category.NON_AGREEMENT)
    for t, c in at.items():
        winners = {
            Category.CORRECTABLE: votes.guessed,
            Category.MULTI_LABEL: votes.both,
            Category.NEITHER: votes.neither,
        }
        if c in winners:
            assert winners[c] >= t
        if c is Category.NON_AGREEMENT:
            assert votes.given < 3
            assert max(winners.values()) < t


def test_answers_without_a_category_are_non_agreement_and_keep_their_word():
    votes = Votes(given=0, guessed=1, elsewhere={"neutral": 4, "off-topic": 0})
    assert category(votes, 3) is Category.NON_AGREEMENT
    assert votes.consensus == "neutral"
    assert votes.total == 5


@pytest.mark.parametrize(("agreement", "majority"), [(2, 3), (3, 0), (0, 0)])
def test_two_answers_must_not_both_win(agreement, majority):
    with pytest.raises(ValueError, match="expected 1 <= majority <= agreement"):
        category(Votes(1, 1), agreement, majority)


@pytest.mark.parametrize(("raters", "majority"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)])
def test_majority(raters, majority):
    assert majority_of(raters) == majority


def test_label_sets_by_hand():
    given = frozenset({1, 2})
    assert multi_label_verdict(given, {1: 3, 2: 5, 3: 2}, 3).category is Category.NON_ERROR
    heard_one_more = multi_label_verdict(given, {1: 3, 2: 5, 3: 4}, 3)
    assert (heard_one_more.category, heard_one_more.corrected) == (Category.CORRECTABLE, frozenset({1, 2, 3}))
    assert multi_label_verdict(given, {1: 3, 2: 5, 3: 4}, 5).corrected == frozenset({2})
    nothing_heard = multi_label_verdict(given, {1: 1, 2: 2, 3: 0}, 3)
    assert (nothing_heard.category, nothing_heard.corrected) == (Category.NON_AGREEMENT, None)


def test_label_sets_that_fall_back_to_the_given_one_are_not_corrected():
    # At 3 votes the reviewers hear one label more than given; at 4 only the given one is left.
    votes = {1: 5, 2: 3}
    assert multi_label_verdict(frozenset({1}), votes, 3).corrected == frozenset({1, 2})
    assert multi_label_verdict(frozenset({1}), votes, 4).category is Category.NON_AGREEMENT
    # At 3 one more, at 4 the given set itself, at 5 a part of it: the way there led back.
    votes = {0: 5, 1: 4, 2: 3}
    assert multi_label_verdict(frozenset({0, 1}), votes, 3).corrected == frozenset({0, 1, 2})
    assert multi_label_verdict(frozenset({0, 1}), votes, 4).category is Category.NON_AGREEMENT
    assert multi_label_verdict(frozenset({0, 1}), votes, 5).category is Category.NON_AGREEMENT


def test_label_sets_stay_errors_and_never_become_correctable_by_asking_for_more():
    for a, b, c in product(range(6), repeat=3):
        at = {t: multi_label_verdict(frozenset({0, 1}), {0: a, 1: b, 2: c}, t) for t in (3, 4, 5)}
        assert len({v.category.is_error for v in at.values()}) == 1
        assert {v.category for v in at.values()} <= {Category.NON_ERROR, Category.CORRECTABLE, Category.NON_AGREEMENT}
        for v in at.values():
            assert (v.corrected is not None) == (v.category is Category.CORRECTABLE)
        for lower, higher in ((3, 4), (4, 5)):
            assert at[higher].category is not Category.CORRECTABLE or at[lower].category is Category.CORRECTABLE


def test_every_category_has_an_action_and_the_sets_add_up():
    counts = {c: n for n, c in enumerate(Category, start=1)}
    sizes = corrections.sizes(1_000, counts)
    assert sizes.benign + sizes.correctable + sizes.unknown == sizes.all == 1_000
    assert sizes.pruned == sizes.all - sizes.unknown
    assert sizes.correctable == counts[Category.CORRECTABLE]
    removed = [c for c in Category if corrections.action(c) is Action.REMOVED]
    assert removed == [c for c in ERROR_CATEGORIES if c is not Category.CORRECTABLE]


def test_sizes_refuse_what_cannot_be():
    with pytest.raises(ValueError, match="test set of 2"):
        corrections.sizes(2, {Category.CORRECTABLE: 2, Category.NEITHER: 1})


def test_an_empty_pruned_set_has_no_noise():
    assert corrections.sizes(1, {Category.NEITHER: 1}).noise_prevalence == 0.0


@pytest.mark.parametrize(
    ("correctable", "unknown", "size", "prevalence"), [(1428, 1488, 50_000, 0.0294), (18, 36, 10_000, 0.0018)]
)
def test_noise_prevalence_of_the_paper(correctable, unknown, size, prevalence):
    sizes = corrections.sizes(size, {Category.CORRECTABLE: correctable, Category.NEITHER: unknown})
    assert round(sizes.noise_prevalence, 4) == prevalence
