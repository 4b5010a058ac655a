"""The votes on one example, in whichever form they were given, and the verdict they lead to.

``app.domain.review.verdicts`` defines the verdict; ``vote_files`` reads the spelling of votes in a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.review import verdicts
from app.domain.review.verdicts import Answer, Category, label_set_verdict, majority_of
from ingest.labels.files import LabelSet


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer that raters could give, and how many gave it.

    ``option`` is how it is counted for readers, ``word`` how a rater says it; they differ if several classes are
    counted together as "other". ``classes`` are those that the answer names, () for none of them; None for a word that
    names no class.
    """

    option: str
    word: str
    classes: LabelSet | None
    n: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict at one agreement threshold: the category, and the classes agreed on in ascending order.

    Only correctable and multi-label examples have ``agreed``.
    """

    category: Category
    agreed: LabelSet | None

    @property
    def corrected(self) -> LabelSet | None:
        """The corrected label of a correctable example."""
        return self.agreed if self.category is Category.CORRECTABLE else None


class Ballot(Protocol):
    """The votes on one example, in any dialect."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Option or class name -> votes, in display order."""

    @property
    def votes(self) -> Sequence[Vote]:
        """The answers, in display order."""

    @property
    def pattern(self) -> str | None:
        """The counts as "0-3-0-2"; None if votes go to class names."""

    @property
    def consensus(self) -> str | None:
        """The answer a majority chose, as a word; None without one."""

    @property
    def confirmations(self) -> float:
        """The number of votes for the given label; the mean over several given labels."""

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        """The votes as counts of answers to one question, or to several."""

    def verdict(self, agreement: int) -> Verdict:
        """The verdict at an agreement threshold."""


@dataclass(frozen=True, slots=True)
class ChoiceBallot:
    """One answer per rater, about an example with one given label.

    ``eligible`` are the classes that can become its corrected label, None for all.
    """

    counts: Mapping[str, int]
    votes: Sequence[Vote]
    given: int
    raters: int
    eligible: frozenset[int] | None = None

    @property
    def pattern(self) -> str:
        return "-".join(str(n) for n in self.counts.values())

    @property
    def consensus(self) -> str | None:
        majority = majority_of(sum(vote.n for vote in self.votes))
        return next((vote.word for vote in self.votes if vote.n >= majority), None)

    @property
    def confirmations(self) -> float:
        return self._answers().get(frozenset({self.given}), 0)

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        return [tuple(vote.n for vote in self.votes)]

    def verdict(self, agreement: int) -> Verdict:
        found = verdicts.verdict(
            self.given, self._answers(), agreement, majority_of(self.raters), eligible=self.eligible
        )
        return _ascending(found)

    def _answers(self) -> dict[Answer, int]:
        """The votes by meaning: options that name the same classes are one answer."""
        found: dict[Answer, int] = {}
        for vote in self.votes:
            answer = vote.word if vote.classes is None else frozenset(vote.classes)
            found[answer] = found.get(answer, 0) + vote.n
        return found


@dataclass(frozen=True, slots=True)
class LabelBallot:
    """Votes on each of several labels: whether the rater found it in the example."""

    counts: Mapping[str, int]
    heard: Mapping[int, int]  # class -> raters who found it
    given: LabelSet
    raters: int

    @property
    def votes(self) -> Sequence[Vote]:
        pairs = zip(self.counts, self.heard.items(), strict=True)
        return [Vote(name, name, (class_id,), n) for name, (class_id, n) in pairs]

    @property
    def pattern(self) -> None:
        return None

    @property
    def consensus(self) -> str | None:
        majority = majority_of(self.raters)
        return "; ".join(name for name, n in self.counts.items() if n >= majority) or None

    @property
    def confirmations(self) -> float:
        return sum(self.heard[label] for label in self.given) / len(self.given) if self.given else 0.0

    @property
    def distributions(self) -> Sequence[Sequence[int]]:
        return [(n, self.raters - n) for n in self.counts.values()]

    def verdict(self, agreement: int) -> Verdict:
        return _ascending(label_set_verdict(frozenset(self.given), self.heard, agreement, majority_of(self.raters)))


def _ascending(found: verdicts.Verdict) -> Verdict:
    return Verdict(found.category, None if found.agreed is None else tuple(sorted(found.agreed)))
