"""Changes between two versions: one example at a time, and many counted together."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.review.changes import Change, ChangeCounts, ChangeTally, Standing, carried, change
from app.domain.review.corrections import Action, LabelSource, Policy, Treatment, decision, policies
from app.domain.review.verdicts import Category

EVERY = [p for agreement in (3, 4) for p in policies(agreement)]
LABELS = st.sampled_from([(), (0,), (1,), (2,), (0, 1), (1, 2)])


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """An example as a version may know it."""
    if draw(st.booleans()):
        return Standing(draw(LABELS), issue=draw(st.booleans()))
    verdicts = {}
    for agreement in (3, 4):
        category = draw(st.sampled_from([c for c in Category if c is not Category.UNREVIEWED]))
        agreed = category in (Category.CORRECTABLE, Category.MULTI_LABEL)
        verdicts[agreement] = category, draw(LABELS) if agreed else None
    return Standing(draw(LABELS), True, verdicts)


MAYBE = st.none() | standings()


def scored(standing: Standing | None, policy: Policy) -> tuple[int, ...] | None:
    """The label an example is scored with, spelled out case by case."""
    if standing is None:
        return None
    category, agreed = standing.verdicts.get(policy.agreement, (Category.UNREVIEWED, None))
    done = decision(category, policy, issue=standing.issue)
    if done.action is Action.REMOVED:
        return None
    return standing.given if done.carries is LabelSource.GIVEN else agreed


@given(standings(), st.sampled_from(EVERY))
def test_what_is_carried_is_what_the_decision_says(standing, policy):
    assert carried(standing, policy) == scored(standing, policy)


@given(MAYBE, MAYBE, st.sampled_from(EVERY))
def test_a_change_is_another_label(before, after, policy):
    was, now = scored(before, policy), scored(after, policy)
    expected = None
    if was != now:
        expected = Change.ADDED if was is None else Change.REMOVED if now is None else Change.RELABELLED
    assert change(before, after, policy) is expected


@given(standings(), st.sampled_from(EVERY))
def test_what_stays_has_not_changed(standing, policy):
    assert change(standing, standing, policy) is None


@settings(max_examples=60)
@given(st.lists(st.tuples(MAYBE, MAYBE, st.integers(1, 3))))
def test_counting_many_is_counting_each(pairs):
    tally = ChangeTally(EVERY)
    telling = [tally.add(before, after, n) for before, after, n in pairs]
    for (before, after, _), told in zip(pairs, telling, strict=True):
        assert told == any(change(before, after, policy) for policy in EVERY)
    for policy in EVERY:
        counted = Counter(dict.fromkeys(Change, 0))
        for before, after, n in pairs:
            counted[change(before, after, policy)] += n
        expected = ChangeCounts(counted[Change.ADDED], counted[Change.REMOVED], counted[Change.RELABELLED])
        assert tally.counts(policy) == expected


def test_only_policies_that_were_asked_for_are_counted():
    tally = ChangeTally([Policy()])
    flagged_now = Standing((1,)), Standing((1,), issue=True)
    assert not tally.add(*flagged_now)
    dropping = Policy(unreviewed=Treatment.DROP)
    assert change(*flagged_now, dropping) is Change.REMOVED


@pytest.mark.parametrize("category", [Category.CORRECTABLE, Category.MULTI_LABEL])
def test_a_correction_to_nothing_is_refused(category):
    with pytest.raises(ValueError, match="no label that reviewers agreed on"):
        carried(Standing((1,), issue=True, verdicts={3: (category, None)}), Policy())
