"""The best pairs of each cell against sorting them all, however they are cut, dropped and told of in advance."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.confident_learning import best_pairs
from app.domain.confident_learning.best_pairs import BestPairs, Pairs, pairs_of


@st.composite
def matrices(draw: Any) -> tuple[Any, Any, Any]:
    """Labels, rows with many ties, and how many pairs each cell wants."""
    m, n = draw(st.integers(1, 4)), draw(st.integers(0, 60))
    top = draw(st.sampled_from([2, 8, 1_000]))
    rows = np.array(draw(st.lists(st.integers(0, top), min_size=n * m, max_size=n * m)), np.float64).reshape(n, m) / top
    labels = np.array(draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n)), np.uint8)
    wanted = np.array(draw(st.lists(st.integers(0, 12), min_size=m * m, max_size=m * m)), np.int64)
    return labels, rows.astype(draw(st.sampled_from([np.float16, np.float32, np.float64]))), wanted


def sorted_out(labels: Any, rows: Any, wanted: Any) -> list[tuple[int, float, int]]:
    """Cell, margin and index of the best pairs, by sorting."""
    m, found = rows.shape[1], []
    for cell, many in enumerate(wanted.tolist()):
        i, j = divmod(cell, m)
        margins = [(float(rows[k, j]) - float(rows[k, i]), -k) for k in range(len(rows)) if labels[k] == i]
        found += [(cell, margin, -k) for margin, k in sorted([one for one in margins if one[0] > 0])[::-1][:many]]
    return found


def as_list(pairs: Pairs) -> list[tuple[int, float, int]]:
    return list(zip(pairs.cell.tolist(), pairs.margin.tolist(), pairs.index.tolist(), strict=True))


@given(matrices(), st.lists(st.integers(0, 60), max_size=4), st.integers(1, 30), st.integers(1, 50))
@settings(max_examples=400)
def test_the_best_are_those_that_sorting_finds(data: Any, cuts: list[int], held: int, numbers: int) -> None:
    labels, rows, wanted = data
    indices = np.arange(len(rows), dtype=np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(best_pairs, "_HELD", held)
        patch.setattr(best_pairs, "_NUMBERS", numbers)
        best = BestPairs(wanted, len(rows))
        late = best.floors
        for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 60], strict=True):
            # Whoever makes pairs may know the floors of a while ago only.
            best.add(pairs_of(labels[start:stop], rows[start:stop], indices[start:stop], late))
            late = best.floors
        assert sorted(as_list(best.best())) == sorted(sorted_out(labels, rows, wanted))
        # No better pair is below the floor that was told.
        for cell, margin, _ in as_list(best.best()):
            assert margin >= best.floors[cell]


def test_pairs_that_are_not_told_of_would_not_have_counted() -> None:
    best = BestPairs(np.array([0, 1, 0, 2]), 100)
    assert best.floors.tolist() == [np.inf, 0, np.inf, 0]
    best.add(Pairs(np.array([1, 1, 3]), np.array([0.5, 0.1, 0.2]), np.array([4, 9, 5])))
    assert as_list(best.best()) == [(1, 0.5, 4), (3, 0.2, 5)]
    assert best.floors.tolist() == [np.inf, 0.5, np.inf, 0]


def test_no_more_is_held_than_is_wanted_and_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_pairs, "_HELD", 10)
    best = BestPairs(np.array([0, 3, 3, 0]), 10**6)
    rng = np.random.default_rng(5)
    margins = rng.random(5_000)
    for index, margin in enumerate(margins):
        best.add(Pairs(np.array([1]), np.array([margin]), np.array([index])))
    assert len(best._held) == 16
    assert best.best().index.tolist() == sorted(np.argsort(-margins)[:3].tolist())
