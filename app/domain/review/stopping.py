"""When an example has votes enough: how many more its verdict needs at least, under each stopping rule.

A verdict is settled when no further votes can change it. ``NEVER`` asks for all votes, as the paper did; ``ERROR``
until it is settled whether the label is an error; ``CATEGORY`` until the category is settled at every agreement
threshold that the round offers. Each rule reproduces its own verdicts exactly; a round stopped for one threshold cannot
offer another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Final

from app.domain.review.verdicts import Answer

#: Further votes up to which every combination of answers is tried; beyond it only equal ones are.
_MOST_TRIED: Final = 5


class StoppingRule(StrEnum):
    """When no more votes on an example are asked for."""

    NEVER = "never"
    ERROR = "error"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Stopping:
    """A rule with what it depends on: the votes wanted in all, the majority, and the thresholds offered."""

    rule: StoppingRule
    votes: int
    majority: int
    agreements: tuple[int, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.majority <= self.votes or not self.agreements:
            raise ValueError(f"majority {self.majority} of {self.votes} votes at {self.agreements}: expected some")
        if not self.majority <= min(self.agreements) <= max(self.agreements) <= self.votes:
            raise ValueError(f"thresholds {self.agreements}: expected numbers from {self.majority} to {self.votes}")
        if self.rule is not StoppingRule.NEVER and 2 * self.majority <= self.votes:
            raise ValueError(f"majority {self.majority} of {self.votes} votes: expected more than half")


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with one answer a rater, about an example with one given class.

    ``answers`` are all possible answers, ``eligible`` the classes that can become its label; None for all.
    """

    given: int
    answers: tuple[Answer, ...]
    eligible: frozenset[int] | None = None

    def supports(self, answer: Answer) -> bool:
        """Whether agreement on this answer makes another category than agreement on none."""
        if isinstance(answer, str) or answer == frozenset({self.given}):
            return False
        return len(answer) != 1 or self.eligible is None or answer <= self.eligible


def fewest_more(question: Choice, votes: Mapping[Answer, int], how: Stopping) -> int:
    """The smallest number of further votes after which the verdict could be settled; 0 if it is.

    While no more raters than this look at an example at once, no vote is asked for in vain, in whatever order the
    answers come.

    >>> cat, dog = frozenset({3}), frozenset({5})
    >>> question = Choice(3, (cat, dog))
    >>> how = Stopping(StoppingRule.ERROR, votes=5, majority=3, agreements=(3,))
    >>> [fewest_more(question, {cat: n}, how) for n in range(4)]
    [3, 2, 1, 0]
    """
    counts = tuple(votes.get(answer, 0) for answer in question.answers)
    if sum(counts) != sum(votes.values()):
        unknown = sorted(map(str, set(votes) - set(question.answers)))
        raise ValueError(f"expected votes for {question.answers}, found votes for {', '.join(unknown)}")
    return _fewest_more(question, counts, how)


@lru_cache(maxsize=100_000)
def _fewest_more(question: Choice, counts: tuple[int, ...], how: Stopping) -> int:
    left = how.votes - sum(counts)
    if how.rule is StoppingRule.NEVER or left <= 0:
        return max(left, 0)
    places = range(len(counts))
    for more in range(left):
        mixed = combinations_with_replacement(places, more) if more <= _MOST_TRIED else ((a,) * more for a in places)
        if any(_settled(question, _with(counts, added), left - more, how) for added in mixed):
            return more
    return left


def _with(counts: Sequence[int], added: Sequence[int]) -> list[int]:
    counts = list(counts)
    for place in added:
        counts[place] += 1
    return counts


def _settled(question: Choice, counts: Sequence[int], left: int, how: Stopping) -> bool:
    """Whether ``left`` further votes, whatever they are, leave the verdict as it is."""
    by_answer = dict(zip(question.answers, counts, strict=True))
    given = by_answer.get(frozenset({question.given}), 0)
    if given >= how.majority:
        return True
    if given + left >= how.majority:
        return False
    if how.rule is StoppingRule.ERROR:
        return True
    most = max(counts, default=0)
    best = max((n for answer, n in by_answer.items() if question.supports(answer)), default=None)
    return all(most >= agreement or best is None or best + left < agreement for agreement in how.agreements)


def fewest_more_of_sets(given: frozenset[int], heard: Mapping[int, int], n_votes: int, how: Stopping) -> int:
    """The same for an example with a set of labels, from how many of ``n_votes`` raters named each class asked about.

    A class is settled at a threshold when it has that many votes or can no longer get them. The example is an error as
    soon as one class must end on the other side than it was given; its category is settled with all of its classes.

    >>> how = Stopping(StoppingRule.ERROR, votes=5, majority=3, agreements=(3,))
    >>> fewest_more_of_sets(frozenset({1}), {1: 0, 2: 2}, 2, how)  # class 1 refused once more, or class 2 heard
    1
    """
    left = how.votes - n_votes
    if how.rule is StoppingRule.NEVER or left <= 0:
        return max(left, 0)
    majority = (how.majority,)
    if how.rule is StoppingRule.ERROR:
        all_final = max((_until_final(n, left, majority) for n in heard.values()), default=0)
        differs = [_until(name in given, n, left, how.majority) for name, n in heard.items()]
        return min(all_final, *differs) if differs else 0
    thresholds = tuple(range(how.majority, max(how.agreements) + 1))
    return max((_until_final(n, left, thresholds) for n in heard.values()), default=0)


def _until_final(n: int, left: int, thresholds: tuple[int, ...]) -> int:
    """Further votes after which a class with ``n`` can be on one side of every threshold for good."""
    for more in range(left):
        for yes in range(more + 1):
            if all(n + yes >= one or n + yes + left - more < one for one in thresholds):
                return more
    return left


def _until(given: bool, n: int, left: int, majority: int) -> int:
    """Further votes after which a class can have ended for good on the other side than it was given."""
    if given:
        return max(0, n + left - majority + 1)
    return max(0, majority - n)
