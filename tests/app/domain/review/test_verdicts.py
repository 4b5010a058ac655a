"""Votes to verdicts: every vote of five over the paper's answers, and any votes against a slow rule."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.review import corrections
from app.domain.review.corrections import Action
from app.domain.review.verdicts import (
    ERROR_CATEGORIES,
    Answer,
    Category,
    Verdict,
    label_set_verdict,
    majority_of,
    verdict,
)
from tests.paper_rule import paper_category

CAT, DOG, BOTH, NONE = frozenset({3}), frozenset({5}), frozenset({3, 5}), frozenset()
OPTIONS = {"given": CAT, "guessed": DOG, "both": BOTH, "neither": NONE}
ALL_VOTES = [dict(zip(OPTIONS, n, strict=True)) for n in product(range(6), repeat=4) if sum(n) == 5]


def named(counts: dict[str, int]) -> dict[Answer, int]:
    return {OPTIONS[option]: n for option, n in counts.items()}


def test_there_are_as_many_votes_as_counting_says():
    assert len(ALL_VOTES) == 56


@pytest.mark.parametrize("counts", ALL_VOTES, ids=str)
def test_every_vote_of_five_is_judged_as_the_paper_does(counts):
    for agreement in (3, 4, 5):
        found = verdict(3, named(counts), agreement)
        assert found.category is paper_category(counts, agreement)
        agreed = {Category.CORRECTABLE: DOG, Category.MULTI_LABEL: BOTH}.get(found.category)
        assert found.agreed == agreed


def slow_verdict(label: int, ballots: list[Answer], agreement: int, majority: int) -> Verdict:
    """Each rater asked in turn, whether everybody so far would make a majority with those who say the same."""
    for ballot in ballots:
        fellows = [other for other in ballots if other == ballot]
        if ballot == {label} and len(fellows) >= majority:
            return Verdict(Category.NON_ERROR)
    for ballot in ballots:
        fellows = [other for other in ballots if other == ballot]
        if len(fellows) < agreement or isinstance(ballot, str):
            continue
        if len(ballot) == 0:
            return Verdict(Category.NEITHER)
        if len(ballot) == 1:
            return Verdict(Category.CORRECTABLE, ballot)
        return Verdict(Category.MULTI_LABEL, ballot)
    return Verdict(Category.NON_AGREEMENT)


CLASSES = st.integers(0, 4)
ANSWERS = st.one_of(
    st.frozensets(CLASSES, max_size=3), CLASSES.map(lambda c: frozenset({c})), st.sampled_from(["neutral", "off-topic"])
)


@st.composite
def votes(draw: st.DrawFn) -> tuple[int, list[Answer], int, int]:
    """A given class, one answer a rater, and an agreement threshold with the majority of so many raters."""
    raters = draw(st.integers(1, 7))
    few = draw(st.lists(ANSWERS, min_size=1, max_size=3))  # of few answers, so that raters often agree
    ballots = draw(st.lists(st.sampled_from(few), min_size=1, max_size=raters))
    majority = majority_of(raters)
    return draw(CLASSES), ballots, draw(st.integers(majority, raters)), majority


@given(votes())
def test_any_votes_are_judged_as_the_slow_rule_does(cast):
    label, ballots, agreement, majority = cast
    assert verdict(label, Counter(ballots), agreement, majority) == slow_verdict(label, ballots, agreement, majority)


@given(votes(), st.randoms())
def test_the_order_of_votes_does_not_matter(cast, random):
    label, ballots, agreement, majority = cast
    shuffled = random.sample(ballots, len(ballots))
    assert verdict(label, Counter(ballots), agreement, majority) == verdict(
        label, Counter(shuffled), agreement, majority
    )


@given(votes(), st.permutations(range(5)))
def test_relabelling_classes_relabels_the_verdict(cast, other):
    def relabelled(answer: Answer) -> Answer:
        return answer if isinstance(answer, str) else frozenset(other[c] for c in answer)

    label, ballots, agreement, majority = cast
    was = verdict(label, Counter(ballots), agreement, majority)
    now = verdict(other[label], Counter(map(relabelled, ballots)), agreement, majority)
    assert now == Verdict(was.category, None if was.agreed is None else relabelled(was.agreed))


@given(votes())
def test_more_agreement_changes_no_error_and_enlarges_no_set(cast):
    label, ballots, agreement, majority = cast
    lower, higher = (verdict(label, Counter(ballots), n, majority) for n in (agreement, agreement + 1))
    assert lower.category.is_error == higher.category.is_error
    assert higher in (lower, Verdict(Category.NON_AGREEMENT))


@given(votes(), st.frozensets(CLASSES))
def test_only_eligible_classes_become_corrected_labels(cast, eligible):
    label, ballots, agreement, majority = cast
    free = verdict(label, Counter(ballots), agreement, majority)
    bound = verdict(label, Counter(ballots), agreement, majority, eligible=eligible)
    held_back = free.corrected is not None and not free.corrected <= eligible
    assert bound == (Verdict(Category.NON_AGREEMENT) if held_back else free)


def test_reviewers_can_agree_on_a_class_that_nobody_guessed():
    found = verdict(3, {CAT: 1, DOG: 0, frozenset({7}): 4}, 3)
    assert (found.category, found.corrected) == (Category.CORRECTABLE, frozenset({7}))


def test_answers_that_name_no_class_are_non_agreement():
    assert verdict(3, {DOG: 1, "neutral": 4, "off-topic": 0}, 3) == Verdict(Category.NON_AGREEMENT)


@pytest.mark.parametrize(("agreement", "majority"), [(2, 3), (3, 0), (0, 0)])
def test_two_answers_must_not_both_win(agreement, majority):
    with pytest.raises(ValueError, match="expected 1 <= majority <= agreement"):
        verdict(3, {CAT: 1, DOG: 1}, agreement, majority)


@pytest.mark.parametrize(("cast", "majority", "least"), [({CAT: 3, DOG: 3}, 3, 4), ({DOG: 2}, 1, 2)])
def test_a_majority_that_is_none_is_refused(cast, majority, least):
    with pytest.raises(ValueError, match=f"expected at least {least}"):
        verdict(3, cast, 5, majority)


@pytest.mark.parametrize(("raters", "majority"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)])
def test_majority(raters, majority):
    assert majority_of(raters) == majority


def test_label_sets_by_hand():
    given = frozenset({1, 2})
    assert label_set_verdict(given, {1: 3, 2: 5, 3: 2}, 3).category is Category.NON_ERROR
    heard_one_more = label_set_verdict(given, {1: 3, 2: 5, 3: 4}, 3)
    assert (heard_one_more.category, heard_one_more.corrected) == (Category.CORRECTABLE, frozenset({1, 2, 3}))
    assert label_set_verdict(given, {1: 3, 2: 5, 3: 4}, 5).corrected == frozenset({2})
    nothing_heard = label_set_verdict(given, {1: 1, 2: 2, 3: 0}, 3)
    assert (nothing_heard.category, nothing_heard.corrected) == (Category.NON_AGREEMENT, None)


def test_label_sets_that_fall_back_to_the_given_one_are_not_corrected():
    # At 3 votes the reviewers hear one label more than given; at 4 only the given one is left.
    votes = {1: 5, 2: 3}
    assert label_set_verdict(frozenset({1}), votes, 3).corrected == frozenset({1, 2})
    assert label_set_verdict(frozenset({1}), votes, 4).category is Category.NON_AGREEMENT
    # At 3 one more, at 4 the given set itself, at 5 a part of it: the way there led back.
    votes = {0: 5, 1: 4, 2: 3}
    assert label_set_verdict(frozenset({0, 1}), votes, 3).corrected == frozenset({0, 1, 2})
    assert label_set_verdict(frozenset({0, 1}), votes, 4).category is Category.NON_AGREEMENT
    assert label_set_verdict(frozenset({0, 1}), votes, 5).category is Category.NON_AGREEMENT


def test_label_sets_stay_errors_and_never_become_correctable_by_asking_for_more():
    for a, b, c in product(range(6), repeat=3):
        at = {t: label_set_verdict(frozenset({0, 1}), {0: a, 1: b, 2: c}, t) for t in (3, 4, 5)}
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
