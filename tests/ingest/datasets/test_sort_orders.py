"""Orders of issues, against the slow and obvious way to say them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.confident_learning.row_scores import RowScores
from ingest.datasets.suspects.sort_orders import (
    by_disagreement,
    by_suspicion,
    disagreement,
    narrow,
    places,
    ranks_among_all,
)

numbers = st.one_of(st.just(math.nan), st.sampled_from([-0.5, 0.0, 0.25, 1.0]))
issues = st.lists(st.tuples(numbers, numbers), max_size=12)


def last(value: float) -> tuple[bool, float]:
    return math.isnan(value), 0.0 if math.isnan(value) else value


@given(issues)
def test_suspicion(rows: list[tuple[float, float]]) -> None:
    margins, confirmations = (
        np.array(column, dtype=float) for column in (zip(*rows, strict=True) if rows else ([], []))
    )
    expected = sorted(range(len(rows)), key=lambda i: (last(margins[i]), last(confirmations[i])))
    assert by_suspicion(margins, confirmations).tolist() == expected
    nobody = np.full(len(rows), np.nan)
    assert by_suspicion(margins, None).tolist() == by_suspicion(margins, nobody).tolist()


@given(st.lists(numbers, max_size=12))
def test_places_are_those_of_a_stable_sort(values: list[float]) -> None:
    array = np.array(values, dtype=float)
    indices = np.arange(len(values))
    ascending = sorted(indices, key=lambda i: last(array[i]))
    descending = sorted(indices, key=lambda i: last(-array[i]))
    assert [ascending.index(i) for i in indices] == places(by_suspicion(array, None)).tolist()
    assert [descending.index(i) for i in indices] == by_disagreement(array).tolist()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any))
def test_disagreement_does_not_care_which_answer_got_the_votes(counts: list[int]) -> None:
    shuffled = [counts[i] for i in np.random.default_rng(sum(counts)).permutation(len(counts))]
    assert disagreement([counts]) == disagreement([shuffled])
    assert 0 <= disagreement([counts]) <= math.log2(5) + 1e-9


def test_ranks_tell_the_closest_margins_of_half_precision_apart() -> None:
    """The smallest steps beside 1 and beside 0, in single precision as well."""
    least = np.float16(2.0**-24)
    own = np.array([1, 1, 1, 0, 0, 0], np.float16)
    other = np.array([0, least, 2 * least, 0, least, 2 * least], np.float16)
    scores = RowScores(own, other, np.zeros(6, np.uint8))
    lowest_first = np.array([5, 4, 3, 2, 1, 0])
    assert ranks_among_all(scores, lowest_first, np.arange(6)).tolist() == [1, 2, 3, 4, 5, 6]
    assert ranks_among_all(scores, np.array([1]), np.array([1])).tolist() == [5]


def test_disagreement_by_hand() -> None:
    assert disagreement([(2, 1, 1, 0)]) == 1.5
    assert disagreement([(5, 0), (0, 5), (0, 0)]) == 0
    assert disagreement([]) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=40), st.sampled_from(["e", "f", "d"]))
def test_ranks_are_places_among_all_examples_whatever_the_blocks(examples: list[tuple[int, bool]], kind: str) -> None:
    """Equal margins, of examples that are issues and of others, across blocks of seven."""
    own = np.array([quarter / 4 for quarter, _ in examples], kind)
    scores = RowScores(own, 1 - own, np.zeros(len(own), np.uint8))
    order = sorted(range(len(own)), key=lambda i: (own[i], i))
    chosen = np.array([i for i in order if examples[i][1]], np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingest.datasets.suspects.sort_orders._BLOCK", 7)
        found = ranks_among_all(scores, chosen, np.sort(chosen))
    assert found.tolist() == [order.index(i) + 1 for i in chosen]
    assert found.dtype == narrow(len(own))
