"""Opinions and what they say of two labels, against loops that are obviously right."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.opinions.opinion import Opinion
from app.domain.opinions.stances import CATEGORIES, STANCES, Stance, Support, cross_table, stances, support
from app.domain.review.verdicts import Category

#: (n, 4) numbers of raters.
COUNTS = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=12)


def held_by_hand(counts: list[int]) -> set[int]:
    """The classes that most raters chose; none where nobody was asked."""
    most = max(counts)
    return {place for place, n in enumerate(counts) if n == most and most > 0}


def said_by_hand(held: set[int], own: int, another: int) -> Stance:
    if not held:
        return Stance.SILENT
    if own == another:
        another = -1
    if own in held:
        return Stance.BOTH if another in held else Stance.GIVEN
    return Stance.GUESSED if another in held else Stance.OTHER


@given(COUNTS, st.data())
def test_an_opinion_holds_its_plurality_and_all_that_ties_for_it(counts: list[list[int]], data: Any) -> None:
    opinion = Opinion.of_counts(np.array(counts))
    assert [set(opinion.held.members(row)) for row in range(len(counts))] == [held_by_hand(row) for row in counts]
    indices = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=8)), np.int64)
    labels = st.lists(st.integers(-1, 6), min_size=len(indices), max_size=len(indices))
    own, another = np.abs(np.array(data.draw(labels), np.int64)), np.array(data.draw(labels), np.int64)
    found = [STANCES[place] for place in stances(opinion, indices, own, another)]
    triples = zip(indices, own, another, strict=True)
    assert found == [said_by_hand(held_by_hand(counts[i]), int(a), int(b)) for i, a, b in triples]
    for place, (i, a) in enumerate(zip(indices, own, strict=True)):
        total = sum(counts[i])
        share = opinion.share(indices, own)[place]
        n = counts[i][a] if a < 4 else 0
        assert np.isnan(share) if not total else share == pytest.approx(n / total)


def test_sets_labels_and_counts_say_the_same_where_they_are_the_same() -> None:
    by_set = Opinion.of_sets([[2], [], [1, 0]])
    by_count = Opinion.of_counts([[0, 0, 5], [0, 0, 0], [4, 4, 1]])
    by_label = Opinion.of_labels([2, -1, 0])
    assert [by_set.held.members(row) for row in range(3)] == [(2,), (), (0, 1)]
    assert [by_count.held.members(row) for row in range(3)] == [(2,), (), (0, 1)]
    assert [by_label.held.members(row) for row in range(3)] == [(2,), (), (0,)]
    assert by_count.named(2) == [(0, 4), (1, 4), (2, 1)]
    assert len(Opinion.of_sets([])) == 0
    assert not Opinion.of_sets([[]]).holds(np.array([0]), np.array([3])).any()


def test_relabelling_the_classes_changes_no_stance() -> None:
    rng = np.random.default_rng(3)
    counts, order = rng.integers(0, 4, (50, 6)), rng.permutation(6)
    own, another = rng.integers(0, 6, 50), rng.integers(0, 6, 50)
    renamed = np.empty_like(counts)
    renamed[:, order] = counts
    before = stances(Opinion.of_counts(counts), np.arange(50), own, another)
    after = stances(Opinion.of_counts(renamed), np.arange(50), order[own], order[another])
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("offsets", "classes", "weights"),
    [([0, 2], [1], [1]), ([0, 2], [3, 3], [1, 1]), ([0, 2], [3, 1], [1, 1]), ([0, 1], [0], [0]), ([1, 1], [], [])],
)
def test_what_is_no_opinion_is_refused(offsets: list[int], classes: list[int], weights: list[int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Opinion(np.array(offsets), np.array(classes, np.int64), np.array(weights, np.int64), False)


def test_a_cross_table_has_every_cell() -> None:
    said = [(Category.CORRECTABLE, Stance.GUESSED), (Category.CORRECTABLE, Stance.GUESSED)]
    table = cross_table([*said, (Category.NON_ERROR, Stance.SILENT)])
    assert list(table) == [one for one in CATEGORIES if one is not Category.NOT_ASKED]
    assert cross_table([(Category.NOT_ASKED, Stance.BOTH)])[Category.NOT_ASKED][Stance.BOTH] == 1
    assert all(list(row) == list(Stance) for row in table.values())
    assert table[Category.CORRECTABLE][Stance.GUESSED] == 2
    assert sum(n for row in table.values() for n in row.values()) == 3


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("guessed silent", Support.CONFIRMED),
        ("given other", Support.OPPOSED),
        ("given guessed", Support.DIFFER),
        ("both other silent", Support.OPEN),
        ("", Support.OPEN),
    ],
)
def test_sources_together(said: str, expected: Support) -> None:
    assert support([Stance(word) for word in said.split()]) is expected
