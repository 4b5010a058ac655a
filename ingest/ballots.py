"""The votes on one example, whichever way they were cast, and what they come to.

The verdict itself is ``app.domain.verdicts``'; how a file spells votes is ``mturk``'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.verdicts import Category, Votes, category, majority_of, multi_label_verdict
from ingest.readers import LabelSet


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes come to at one agreement threshold. ``corrected`` is there for correctable examples only."""

    category: Category
    corrected: LabelSet | None


class Ballot(Protocol):
    """The votes on one example, in whatever dialect they were cast."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Option or class name -> votes, in the order to show."""

    @property
    def pattern(self) -> str | None:
        """The counts as "0-3-0-2"; None where votes go to class names."""

    @property
    def consensus(self) -> str | None:
        """What a majority chose, as a word; None without one."""

    @property
    def confirmations(self) -> float:
        """How many votes the given label got; of several given labels, the mean."""

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        """The votes as counts of answers to one question, or to several."""

    def verdict(self, agreement: int) -> Verdict:
        """The verdict at an agreement threshold."""


@dataclass(frozen=True, slots=True)
class OptionBallot:
    """Votes on one given and one guessed label."""

    counts: Mapping[str, int]
    votes: Votes
    guessed: LabelSet
    raters: int

    @property
    def pattern(self) -> str:
        return "-".join(str(n) for n in self.counts.values())

    @property
    def consensus(self) -> str | None:
        return self.votes.consensus

    @property
    def confirmations(self) -> float:
        return self.votes.given

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        return [tuple(self.counts.values())]

    def verdict(self, agreement: int) -> Verdict:
        found = category(self.votes, agreement, majority_of(self.raters))
        return Verdict(found, self.guessed if found is Category.CORRECTABLE else None)


@dataclass(frozen=True, slots=True)
class LabelBallot:
    """Votes on each of several labels: did the rater find it in the example."""

    counts: Mapping[str, int]
    votes: Mapping[int, int]
    given: LabelSet
    raters: int

    @property
    def pattern(self) -> None:
        return None

    @property
    def consensus(self) -> str | None:
        majority = majority_of(self.raters)
        return "; ".join(name for name, n in self.counts.items() if n >= majority) or None

    @property
    def confirmations(self) -> float:
        return sum(self.votes[label] for label in self.given) / len(self.given) if self.given else 0.0

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        return [(n, self.raters - n) for n in self.counts.values()]

    def verdict(self, agreement: int) -> Verdict:
        found = multi_label_verdict(frozenset(self.given), self.votes, agreement, majority_of(self.raters))
        return Verdict(found.category, None if found.corrected is None else tuple(sorted(found.corrected)))
