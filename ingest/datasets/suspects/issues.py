"""A dataset's issues, its flagged and its reviewed examples, as columns in order of suspicion.

There may be millions that nobody reviewed, so these are numbers in arrays, as narrow as they can be. Only reviewed
ones have an object of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.confident_learning.row_scores import RowScores
from ingest.datasets.example_labels import LabelIds
from ingest.datasets.load import Inputs
from ingest.datasets.matrix_report import indices_of_twins
from ingest.datasets.suspects.sort_orders import (
    by_disagreement,
    by_suspicion,
    disagreement,
    narrow,
    places,
    ranks_among_all,
)
from ingest.labels.vote_files import Review

Integers = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Issues:
    """A dataset's issues in order of suspicion; an array by issue is (k,), one by reviewed issue (r,)."""

    indices: Integers  # (k,)
    given: Integers  # (k,) label ids
    guessed: Integers  # (k,) label ids, by the present model
    flagged: NDArray[np.bool_]  # (k,)
    ranks: Integers | None  # (k,) among all examples, from 1; None without a model
    by_margin: Integers  # (k,)
    by_disagreement: Integers  # (k,)
    scores: RowScores | None  # (k,) of confident learning; None without it
    reviewed: NDArray[np.int64]  # (r,) the positions of reviewed issues, ascending
    shown: Integers  # (r,) the guess that reviewers were shown
    reviews: Sequence[Review]  # (r,)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(r,) whether the model now guesses another label than reviewers were shown."""
        changed: NDArray[np.bool_] = self.shown != self.guessed[self.reviewed]
        return changed

    @cached_property
    def positions(self) -> "Positions":
        """The position of each issue by the index of its example."""
        return Positions(self.indices)


class Positions:
    """The positions of issues by the indices of their examples, found by halving.

    >>> positions = Positions(np.array([7, 3, 9]))
    >>> positions[3], 9 in positions, 8 in positions, positions.of(np.array([9, 7])).tolist()
    (1, True, False, [2, 0])
    """

    def __init__(self, indices: Integers) -> None:
        self._order = np.argsort(indices).astype(narrow(len(indices)))
        self._ascending = indices[self._order]

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, index: object) -> bool:
        if not isinstance(index, int | np.integer):
            return False
        place = int(np.searchsorted(self._ascending, index))
        return place < len(self._ascending) and bool(self._ascending[place] == index)

    def __getitem__(self, index: int) -> int:
        """The position of an issue. Raises KeyError if the example is none."""
        if index not in self:
            raise KeyError(index)
        return int(self._order[np.searchsorted(self._ascending, index)])

    def of(self, indices: Integers) -> Integers:
        """(j,) the positions of examples that are issues."""
        return self._order[np.searchsorted(self._ascending, indices)]


def issues_of(inputs: Inputs, label_ids: LabelIds) -> Issues:
    """The issues of a dataset."""
    # In the order of their examples until they are put in that of suspicion.
    reviews = sorted(inputs.reviews, key=lambda review: review.index)
    reviewed = np.array([review.index for review in reviews], np.int64)
    indices, is_flagged = _issues(inputs, reviewed)
    at = np.searchsorted(indices, reviewed)
    order, by_margins = _orders(inputs, indices, at, reviews)
    ranks = _ranks(inputs, indices, by_margins, order)
    entropies = _of_reviewed(len(indices), at, [disagreement(review.ballot.distributions) for review in reviews])
    positions = places(order)[at]
    sorted_reviews = np.argsort(positions)
    ordered = indices[order]
    return Issues(
        ranks=ranks,
        by_margin=_in_order(by_margins, order),
        by_disagreement=order if entropies is None else by_disagreement(entropies)[order],
        indices=ordered,
        given=_given(inputs, label_ids, indices, reviews)[order],
        guessed=_guessed(inputs, label_ids, indices, reviews)[order],
        flagged=is_flagged[order],
        scores=None if inputs.flagging is None else inputs.flagging.scores[ordered],
        reviewed=positions[sorted_reviews].astype(np.int64),
        shown=label_ids.of([reviews[place].shown for place in sorted_reviews.tolist()]),
        reviews=[reviews[place] for place in sorted_reviews.tolist()],
    )


def _issues(inputs: Inputs, reviewed: NDArray[np.int64]) -> tuple[Integers, NDArray[np.bool_]]:
    """(k,) the indices of issues, ascending, and whether each is flagged."""
    flagging = inputs.flagging or inputs.set_flagging
    # Without a matrix, the published list is what confident learning flagged.
    flagged: Integers = reviewed if flagging is None else flagging.flagged
    kind = narrow(max(inputs.size or 0, *(int(some.max(initial=0)) + 1 for some in (flagged, reviewed))))
    flagged = np.sort(flagged.astype(kind))
    if len(twins := indices_of_twins(inputs.report)):
        flagged = np.union1d(flagged, twins.astype(kind))
    indices = np.union1d(flagged, reviewed.astype(kind)) if len(reviewed) else flagged
    is_flagged = np.zeros(len(indices), np.bool_)
    is_flagged[np.searchsorted(indices, flagged)] = True
    return indices, is_flagged


def _orders(
    inputs: Inputs, indices: Integers, at: NDArray[np.intp], reviews: Sequence[Review]
) -> tuple[Integers, Integers]:
    """(k,) the issues in order of suspicion, and in that of their margins; one array where these are the same."""
    scores = _scores(inputs, indices)
    by_margins = by_suspicion(scores, None)
    if not reviews:
        return by_margins, by_margins
    confirmations = _of_reviewed(len(indices), at, [review.ballot.confirmations for review in reviews])
    return by_suspicion(scores, confirmations), by_margins


def _in_order(by_margins: Integers, order: Integers) -> Integers:
    """(k,) where each issue of ``order`` stands in the other one."""
    return np.arange(len(order), dtype=order.dtype) if by_margins is order else places(by_margins)[order]


def _of_reviewed(k: int, at: NDArray[np.intp], values: Sequence[float]) -> NDArray[np.float64] | None:
    """(k,) a number for each reviewed issue, NaN for the others; None if nobody reviewed any."""
    if not values:
        return None
    found = np.full(k, np.nan)
    found[at] = values
    return found


def _scores(inputs: Inputs, indices: Integers) -> NDArray[np.float64]:
    """(k,) what issues are ordered by: label sets have no margin, and go by their self-confidence."""
    if inputs.flagging is not None:
        return inputs.flagging.scores[indices].margins()
    if inputs.set_flagging is not None:
        return inputs.set_flagging.self_confidence[indices]
    return np.full(len(indices), np.nan)


def _ranks(inputs: Inputs, indices: Integers, by_margins: Integers, order: Integers) -> Integers | None:
    if inputs.flagging is not None:
        found: Integers = ranks_among_all(inputs.flagging.scores, indices[by_margins], indices)
        return found if by_margins is order else found[_in_order(by_margins, order)]
    return None if inputs.set_flagging is None else inputs.set_flagging.ranks[indices][order]


def _given(inputs: Inputs, label_ids: LabelIds, indices: Integers, reviews: Sequence[Review]) -> Integers:
    labels = inputs.labels
    if labels is not None and labels.ids is not None:
        return labels.ids_at(indices).astype(label_ids.dtype)
    if labels is not None:
        return label_ids.of([labels[index] for index in indices.tolist()])
    if len(reviews) < len(indices):
        raise ValueError(f"{inputs.manifest.name}: an issue that is neither reviewed nor labelled")
    return label_ids.of([review.given for review in reviews])


def _guessed(inputs: Inputs, label_ids: LabelIds, indices: Integers, reviews: Sequence[Review]) -> Integers:
    guesses = inputs.guesses
    if guesses is not None and guesses.sets is None:
        return guesses.ids_at(indices).astype(label_ids.dtype)
    if guesses is not None:
        return label_ids.of([guesses[index] for index in indices.tolist()])
    # Without a model the published guess is the only one, and every issue is a reviewed one.
    return label_ids.of([review.shown for review in reviews])
