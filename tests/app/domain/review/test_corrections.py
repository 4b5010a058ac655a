"""Policies: what each says of each category, and that sizes are what counting example by example gives."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.review.corrections import TREATMENTS, Action, LabelSource, Policy, Treatment, decision, policies, sizes
from app.domain.review.verdicts import Category

ANY_POLICY = st.sampled_from([p for agreement in (3, 4, 5) for p in policies(agreement)])


def test_the_first_policy_is_the_papers():
    first = next(policies(3))
    assert first == Policy()
    assert {c: decision(c, first).action for c in Category} == {
        Category.CORRECTABLE: Action.CORRECTED,
        Category.MULTI_LABEL: Action.REMOVED,
        Category.NEITHER: Action.REMOVED,
        Category.NON_AGREEMENT: Action.REMOVED,
        Category.NOT_ASKED: Action.REMOVED,
        Category.NON_ERROR: Action.KEPT,
        Category.UNREVIEWED: Action.KEPT,
    }


def test_every_policy_is_another_one():
    assert len(set(policies(4))) == 24


@given(ANY_POLICY, st.sampled_from(Category))
def test_what_the_votes_settle_no_policy_changes(policy, category):
    decided = decision(category, policy)
    if category is Category.CORRECTABLE:
        assert (decided.action, decided.carries) == (Action.CORRECTED, LabelSource.CORRECTED)
    if category is Category.NON_ERROR:
        assert (decided.action, decided.carries) == (Action.KEPT, LabelSource.GIVEN)
    assert (decided.action is Action.REMOVED) == (decided.carries is LabelSource.NONE)
    assert (decided.action is Action.KEPT) == (decided.carries is LabelSource.GIVEN)


@given(ANY_POLICY)
def test_what_nobody_flagged_or_saw_keeps_its_label(policy):
    assert decision(Category.UNREVIEWED, policy, issue=False).action is Action.KEPT


@settings(max_examples=200)
@given(ANY_POLICY, st.lists(st.sampled_from(Category)), st.integers(0, 50))
def test_sizes_are_what_counting_gives(policy, issues, others):
    found = sizes(len(issues) + others, Counter(issues), policy)
    actions = Counter(decision(c, policy).action for c in issues)
    assert found.correctable == actions[Action.CORRECTED]
    assert found.unknown == actions[Action.REMOVED]
    assert found.benign == actions[Action.KEPT] + others
    assert found.all == found.benign + found.correctable + found.unknown
    assert found.pruned == found.benign + found.correctable
    assert 0 <= found.noise_prevalence <= 1


@settings(max_examples=100)
@given(ANY_POLICY, st.lists(st.sampled_from(Category)), st.sampled_from(list(TREATMENTS)))
def test_keeping_a_category_never_removes_more(policy, issues, category):
    values = {c.value: policy.treatment(c) for c in TREATMENTS} | {category.value: Treatment.GIVEN}
    keeping = Policy(policy.agreement, **values)
    counts = Counter(issues)
    assert sizes(len(issues), counts, keeping).unknown <= sizes(len(issues), counts, policy).unknown


@pytest.mark.parametrize("wrong", [{"neither": Treatment.BOTH}, {"unreviewed": Treatment.BOTH}])
def test_a_treatment_that_is_not_offered_is_refused(wrong):
    with pytest.raises(ValueError, match="expected one of"):
        Policy(**wrong)


def test_more_errors_than_examples_are_refused():
    with pytest.raises(ValueError, match="test set of 1"):
        sizes(1, {Category.CORRECTABLE: 2})
