"""How many reviewers of an example made its correction, read from a catalogue; and how probable others would.

The number is that of ``app.domain.confidence``: from votes alone, and of corrections alone. Where examples have sets of
labels, each class that was asked about is a question of its own, and the number is of all answers together, as if
these did not depend on each other.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from app.domain.confidence.beta_binomial import Prior, fit_prior, majority_probability
from app.domain.review.verdicts import Category
from app.schema import tables
from app.schema.votes import rater_agreement, votes, weighed_verdicts

#: Digits of a stored probability behind the point.
DIGITS: Final = 6
_GUESSED: Final = "guessed"


class Method(StrEnum):
    """Where the number comes from."""

    BETA_BINOMIAL = "beta_binomial"
    DAWID_SKENE = "dawid_skene"


class WhyNot(StrEnum):
    """Why there is none."""

    NO_VOTES = "no_votes"
    ONE_RATER = "one_rater"
    FEW = "few"


@dataclass(frozen=True, slots=True)
class Correction:
    """What reviewers agreed on instead of the given label of an issue, at an agreement threshold."""

    issue_id: int
    agreement: int
    idx: int
    corrected: int  # label id
    chosen: int  # votes for exactly this; where labels are sets, for the class of it that has fewest
    given: int  # votes for the given label
    asked: int


@dataclass(frozen=True)
class Confidences:
    """The number of each correction, as ``confidences`` found it."""

    method: Method | None
    why_not: WhyNot | None
    prior: Prior | None = None
    fitted: int = 0  # examples, or questions about a class, that the prior was fitted to
    corrections: tuple[Correction, ...] = ()
    values: Mapping[tuple[int, int], float] = field(default_factory=dict)  # by issue and agreement threshold


def confidences(connection: Connection, dataset_id: int) -> Confidences:
    """The probability that a majority of unlimited raters would make each correction of a dataset."""
    d, w = tables.datasets.c, rater_agreement.c
    asked = select(d.raters, d.n_checked, d.vote_options).where(d.id == dataset_id)
    raters, n_checked, options = connection.execute(asked).one()
    if not n_checked:
        return Confidences(None, WhyNot.NO_VOTES)
    if raters == 1:
        return Confidences(None, WhyNot.ONE_RATER)
    found = _Votes(connection, dataset_id, raters, by_class=not json.loads(options))
    corrections = found.corrections()
    if connection.scalar(select(w.weighed).where(w.dataset_id == dataset_id)):
        by_shares = found.of_shares(corrections)
        return Confidences(Method.DAWID_SKENE, None, corrections=corrections, values=by_shares)
    chosen, of = found.questions()
    prior = fit_prior(np.array(chosen, np.int64), np.array(of, np.int64))
    if prior is None:
        return Confidences(None, WhyNot.FEW, fitted=len(chosen), corrections=corrections)
    by_votes = found.of_votes(corrections, prior)
    return Confidences(Method.BETA_BINOMIAL, None, prior, len(chosen), corrections, by_votes)


class _Votes:
    """The votes of a dataset's reviewed issues."""

    def __init__(self, connection: Connection, dataset_id: int, raters: int, *, by_class: bool) -> None:
        self._connection, self._id, self._raters, self._by_class = connection, dataset_id, raters, by_class
        s, n, i = tables.label_sets.c, votes.c, tables.issues.c
        sets = connection.execute(select(s.label_id, s.members).where(s.dataset_id == dataset_id))
        self._members: dict[int, tuple[int, ...]] = {row.label_id: tuple(json.loads(row.members)) for row in sets}
        self._by_answer: dict[int, dict[tuple[int, ...], int]] = {}
        self._totals: dict[int, int] = {}
        rows = select(n.issue_id, n.classes, n.n).where(n.issue_id.between(*tables.issue_id_range(dataset_id)))
        for row in connection.execute(rows.order_by(n.issue_id, n.position)):
            of_issue = self._by_answer.setdefault(row.issue_id, {})
            if row.classes is not None:
                named = tuple(json.loads(row.classes))
                of_issue[named] = of_issue.get(named, 0) + row.n
            self._totals[row.issue_id] = self._totals.get(row.issue_id, 0) + row.n
        reviewed = select(i.id, i.idx, i.given, i.shown, i.guessed).where(
            i.id.between(*tables.issue_id_range(dataset_id)), i.votes.is_not(None)
        )
        self._reviewed = {row.id: row for row in connection.execute(reviewed)}

    def corrections(self) -> tuple[Correction, ...]:
        """All corrections, at every agreement threshold."""
        v = tables.verdicts.c
        rows = select(v.issue_id, v.agreement, v.corrected).where(
            v.dataset_id == self._id, v.category == Category.CORRECTABLE.value
        )
        return tuple(
            self._correction(row.issue_id, row.agreement, row.corrected)
            for row in self._connection.execute(rows.order_by(v.issue_id, v.agreement))
        )

    def _correction(self, issue_id: int, agreement: int, corrected: int) -> Correction:
        issue = self._reviewed[issue_id]
        sides = [self._votes_for(issue_id, self._members[label]) for label in (corrected, issue.given)]
        asked = self._raters if self._by_class else self._totals[issue_id]
        return Correction(issue_id, agreement, issue.idx, corrected, sides[0], sides[1], asked)

    def _votes_for(self, issue_id: int, members: tuple[int, ...]) -> int:
        found = self._by_answer[issue_id]
        if self._by_class:
            return min((found.get((one,), 0) for one in members), default=0)
        return found.get(members, 0)

    def questions(self) -> tuple[list[int], list[int]]:
        """Votes for the label beside the given one, and all votes, of each reviewed issue that had one to choose.

        That is the corrected label, else the guess that reviewers were shown. Where examples have sets of labels, votes
        for each class that was asked about.
        """
        if self._by_class:
            pairs = [(n, self._raters) for found in self._by_answer.values() for n in found.values()]
        else:
            first = {one.issue_id: one.corrected for one in reversed(self.corrections())}
            others = {
                key: next((one for one in (first.get(key), row.shown, row.guessed) if one is not None), row.given)
                for key, row in self._reviewed.items()
            }
            pairs = [
                (self._votes_for(key, self._members[other]), self._totals[key])
                for key, other in others.items()
                if other != self._reviewed[key].given
            ]
        return [chosen for chosen, _ in pairs], [asked for _, asked in pairs]

    def of_votes(self, corrections: tuple[Correction, ...], prior: Prior) -> dict[tuple[int, int], float]:
        """The number of each correction by a prior."""
        probability = lru_cache(maxsize=None)(lambda chosen, asked: majority_probability(prior, chosen, asked))
        if not self._by_class:
            return _each(corrections, lambda one: probability(one.chosen, one.asked))

        def of_set(one: Correction) -> float:
            asked = self._by_answer[one.issue_id]
            sides = [(name[0] in self._members[one.corrected], n) for name, n in asked.items()]
            return math.prod(
                probability(n, one.asked) if there else 1 - probability(n, one.asked) for there, n in sides
            )

        return _each(corrections, of_set)

    def of_shares(self, corrections: tuple[Correction, ...]) -> dict[tuple[int, int], float]:
        """The number of each correction by what Dawid and Skene's estimate says of its example."""
        w, c = weighed_verdicts.c, tables.classes.c
        rows = self._connection.execute(
            select(w.issue_id, w.shares).where(w.issue_id.between(*tables.issue_id_range(self._id)))
        )
        shares: dict[int, Mapping[str, float]] = {row.issue_id: json.loads(row.shares) for row in rows}
        classes = self._connection.execute(select(c.class_id, c.name).where(c.dataset_id == self._id))
        names: dict[int, str] = {row.class_id: row.name for row in classes}

        def of_one(one: Correction) -> float:
            found, members = shares[one.issue_id], self._members[one.corrected]
            if self._by_class:
                there = {names[each] for each in members}
                return math.prod(share if name in there else 1 - share for name, share in found.items())
            is_guess = one.corrected == self._reviewed[one.issue_id].shown and _GUESSED in found
            return found.get(_GUESSED if is_guess else names[members[0]], 0.0)

        return _each(corrections, of_one)


def _each(corrections: tuple[Correction, ...], number: Callable[[Correction], Any]) -> dict[tuple[int, int], float]:
    return {(one.issue_id, one.agreement): round(float(number(one)), DIGITS) for one in corrections}
