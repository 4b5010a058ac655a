"""Sets, accuracies, ranks and crossings: properties on made-up test sets, and loops as oracles."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.ranking.accuracy import KINDS, SETS, joint_counts, marks_by_kind, partition, tally
from app.domain.ranking.crossings import Line, crossing, prevalence_after_removing, prevalences
from app.domain.ranking.rank_correlation import kendall_tau, kendall_taus, ranks, spearman, spearmans, tied
from app.domain.review.corrections import sizes
from app.domain.review.verdicts import NONE_OF_THEM, Category, verdict


def made_up(seed: int, n: int = 300, m: int = 7, k: int = 5):
    """Labels, verdicts and predictions of one model, drawn from a seed."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(m, size=n)
    ranked = np.array([rng.permutation(m)[:k] for _ in range(n)], np.int32)
    agreeing = rng.random(n) < 0.5
    for row in np.flatnonzero(agreeing):
        others = [c for c in ranked[row] if c != labels[row]]
        ranked[row] = [labels[row], *others][:k]
    verdicts = {}
    for index in rng.choice(n, n // 3, replace=False):
        votes = map(int, rng.multinomial(5, [0.3, 0.4, 0.1, 0.2]))
        ours, guess = int(labels[index]), int((labels[index] + 1 + rng.integers(m - 1)) % m)
        answers = (frozenset({ours}), frozenset({guess}), frozenset({ours, guess}), NONE_OF_THEM)
        verdicts[int(index)] = ours, dict(zip(answers, votes, strict=True)), guess
    return labels.astype(np.int64), verdicts, ranked


def at_agreement(verdicts, agreement: int):
    found = {}
    for index, (ours, votes, guess) in verdicts.items():
        kind = verdict(ours, votes, agreement).category
        found[index] = kind, guess if kind is Category.CORRECTABLE else None
    return found


def test_tally_is_what_a_slow_loop_counts():
    labels, verdicts, ranked = made_up(1)
    test = partition(labels, at_agreement(verdicts, 3))
    found = tally(test, marks_by_kind(test, ranked, 7))
    expected = {part: dict.fromkeys(KINDS, 0) for part in SETS}
    for i, label in enumerate(labels.tolist()):
        kind, corrected = at_agreement(verdicts, 3).get(i, (Category.UNREVIEWED, None))
        unknown = kind in (Category.MULTI_LABEL, Category.NEITHER, Category.NON_AGREEMENT)
        member = ["all"] + ([] if unknown else ["pruned", "correctable" if corrected is not None else "benign"])
        for part in member:
            for top in (1, 5):
                first = ranked[i, :top].tolist()
                expected[part][f"original_top{top}"] += label in first
                if not unknown:
                    right = label if corrected is None else corrected
                    expected[part][f"corrected_top{top}"] += right in first
    # Some examples of D have no known label: what a model predicts for them is neither right nor wrong.
    assert test.unknown.any()
    expected["all"] |= {"corrected_top1": None, "corrected_top5": None}
    assert found.right == expected


def test_where_every_label_is_known_all_examples_are_the_pruned_set():
    labels, verdicts, ranked = made_up(1)
    known = {i: one for i, one in at_agreement(verdicts, 3).items() if one[0] in (Category.CORRECTABLE,)}
    test = partition(labels, known)
    found = tally(test, marks_by_kind(test, ranked, 7))
    assert found.right["all"] == found.right["pruned"]
    assert found.accuracy("all", "corrected_top1") != found.accuracy("all", "original_top1")


def test_the_sets_are_disjoint_and_complete_and_agree_with_the_counts():
    labels, verdicts, _ = made_up(2)
    by_agreement = {}
    for agreement in (3, 4, 5):
        test = partition(labels, at_agreement(verdicts, agreement))
        assert (test.benign.astype(int) + test.correctable + test.unknown == 1).all()
        assert (test.pruned == (test.benign | test.correctable)).all()
        counts = {}
        for kind, _ in at_agreement(verdicts, agreement).values():
            counts[kind] = counts.get(kind, 0) + 1
        assert test.sizes == sizes(len(labels), counts)
        by_agreement[agreement] = test
    # Asking for more agreement never enlarges C, and never touches B.
    for less, more in ((3, 4), (4, 5)):
        assert not (by_agreement[more].correctable & ~by_agreement[less].correctable).any()
        assert (by_agreement[more].benign == by_agreement[less].benign).all()


def test_on_b_original_and_corrected_are_the_same():
    labels, verdicts, ranked = made_up(3)
    test = partition(labels, at_agreement(verdicts, 3))
    found = tally(test, marks_by_kind(test, ranked, 7))
    assert found.right["benign"]["original_top1"] == found.right["benign"]["corrected_top1"]
    assert found.right["benign"]["original_top5"] == found.right["benign"]["corrected_top5"]


@pytest.mark.parametrize("seed", range(5))
def test_order_of_examples_and_numbers_of_classes_do_not_matter(seed):
    labels, verdicts, ranked = made_up(seed)
    plain = partition(labels, at_agreement(verdicts, 3))
    expected = tally(plain, marks_by_kind(plain, ranked, 7))
    rng = np.random.default_rng(seed)

    order = rng.permutation(len(labels))
    place = np.argsort(order)
    moved = {int(place[i]): verdict for i, verdict in at_agreement(verdicts, 3).items()}
    shuffled = partition(labels[order], moved)
    assert tally(shuffled, marks_by_kind(shuffled, ranked[order], 7)) == expected

    names = rng.permutation(7)
    renamed = {i: (c, None if to is None else int(names[to])) for i, (c, to) in at_agreement(verdicts, 3).items()}
    other = partition(names[labels], renamed)
    assert tally(other, marks_by_kind(other, names[ranked].astype(np.int32), 7)) == expected


def test_top_five_is_unknown_where_fewer_choices_are():
    labels, verdicts, ranked = made_up(4)
    test = partition(labels, at_agreement(verdicts, 3))
    found = tally(test, marks_by_kind(test, ranked[:, :3], 7))
    assert found.accuracy("all", "original_top5") is None
    assert found.accuracy("all", "original_top1") is not None
    # With three classes, three choices are all there is to know.
    few = marks_by_kind(partition(labels % 3, {}), (ranked % 3)[:, :3], 3)
    assert few["original_top5"] is not None


def test_what_cannot_be_is_refused():
    labels = np.array([0, 1])
    with pytest.raises(ValueError, match="example 2"):
        partition(labels, {2: (Category.NEITHER, None)})
    with pytest.raises(ValueError, match="no corrected label"):
        partition(labels, {0: (Category.CORRECTABLE, None)})
    with pytest.raises(ValueError, match="for 2 examples"):
        marks_by_kind(partition(labels, {}), np.zeros((3, 1), np.int32), 2)


accuracies = st.integers(0, 200).map(lambda n: n / 200)


@settings(max_examples=300)
@given(accuracies, accuracies, accuracies, accuracies, st.floats(0, 0.9))
def test_the_closed_form_is_where_a_fine_scan_sees_the_order_turn(b1, c1, b2, c2, least):
    first, second = Line(b1, c1), Line(b2, c2)
    found = crossing(first, second, least)
    scan = np.linspace(least, 1, 20_001)
    gap = scan * (c1 - c2) + (1 - scan) * (b1 - b2)
    turns = np.flatnonzero(np.sign(gap[:-1]) * np.sign(gap[1:]) < 0)
    if len(turns):
        assert found is not None
        assert abs(found.prevalence - scan[turns[0]]) <= 2 * (1 - least) / 20_000
        assert math.isclose(found.accuracy, second.at(found.prevalence), abs_tol=1e-9)
    if found is None:
        assert not len(turns)
    else:
        assert least <= found.prevalence <= 1
        other = crossing(second, first, least)
        assert other is not None
        assert math.isclose(other.prevalence, found.prevalence, abs_tol=1e-12)


def test_parallel_and_equal_lines_do_not_cross():
    assert crossing(Line(0.9, 0.5), Line(0.8, 0.4), 0.1) is None
    assert crossing(Line(0.9, 0.5), Line(0.9, 0.5), 0.1) is None
    assert np.isnan(prevalences(np.array([0.3 - 0.2]), np.array([0.2 - 0.3]), 0.0)).all()


@pytest.mark.parametrize("x", [0.0, 0.25, 0.9, 1.0])
def test_accuracy_is_the_same_line_whether_told_by_x_or_by_n(x):
    labels, verdicts, ranked = made_up(6)
    test = partition(labels, at_agreement(verdicts, 3))
    found = tally(test, marks_by_kind(test, ranked, 7))
    for kind in KINDS:
        line = Line(found.accuracy("benign", kind), found.accuracy("correctable", kind))
        n = prevalence_after_removing(x, test.sizes)
        assert math.isclose(line.after_removing(x, test.sizes), line.at(n), abs_tol=1e-12)
        assert math.isclose(line.at(test.sizes.noise_prevalence), found.accuracy("pruned", kind), abs_tol=1e-12)
        assert line.at(1.0) == found.accuracy("correctable", kind)


def test_joint_counts_add_up():
    rng = np.random.default_rng(8)
    first, second, members = (rng.random(50) < 0.5 for _ in range(3))
    both, one, other, neither = joint_counts(first, second, members)
    assert both + one + other + neither == members.sum()
    assert both + one == (first & members).sum()
    assert both + other == (second & members).sum()


scores = st.lists(st.integers(0, 6), min_size=1, max_size=12)


@given(scores)
def test_a_rank_counts_those_who_are_better(values):
    found = ranks(values)
    assert found.tolist() == [1 + sum(other > value for other in values) for value in values]
    assert tied(found).tolist() == [values.count(value) > 1 for value in values]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=12))
def test_correlations_are_what_slow_definitions_say(pairs):
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    concordant = discordant = only_a = only_b = 0
    for i in range(len(pairs)):
        for j in range(i):
            sign = (a[i] - a[j]) * (b[i] - b[j])
            concordant, discordant = concordant + (sign > 0), discordant + (sign < 0)
            only_a += a[i] != a[j]
            only_b += b[i] != b[j]
    tau = kendall_tau(a, b)
    if only_a == 0 or only_b == 0:
        assert tau is None
        assert spearman(a, b) is None
        return
    assert math.isclose(tau, (concordant - discordant) / math.sqrt(only_a * only_b), abs_tol=1e-12)

    def mean_ranks(values):
        return [sum(o < v for o in values) + (values.count(v) + 1) / 2 for v in values]

    expected = np.corrcoef(mean_ranks(a), mean_ranks(b))[0, 1]
    assert math.isclose(spearman(a, b), expected, abs_tol=1e-9)


def test_many_rankings_at_once_are_each_as_alone():
    rng = np.random.default_rng(9)
    first, second = rng.integers(5, size=(2, 40, 6))
    second[7] = 3
    assert ranks(first).tolist() == [ranks(row).tolist() for row in first]
    for at_once, alone in ((kendall_taus, kendall_tau), (spearmans, spearman)):
        found = [None if math.isnan(value) else value for value in at_once(first, second).tolist()]
        assert found == [alone(a, b) for a, b in zip(first, second, strict=True)]
        assert found[7] is None


def test_lists_of_different_lengths_are_no_rankings():
    with pytest.raises(ValueError, match="equal length"):
        kendall_tau([1, 2], [1])
    assert kendall_tau([1], [1]) is None
    assert spearman([], []) is None
