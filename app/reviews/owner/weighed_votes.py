"""Dawid and Skene's estimate over the votes of rounds, beside the counting of votes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.review.agreement.dawid_skene import Estimate, dawid_skene
from app.domain.review.agreement.weighed_verdicts import weighed_set_verdict, weighed_verdict
from app.domain.review.verdicts import Verdict
from app.reviews.owner.given_answers import Voted, options_of_question, raters_of_table, vote_table


@dataclass(frozen=True, slots=True)
class Weighed:
    """An example by the estimate: the probability of each answer, largest first, and the verdict that it leads to.

    For an example with a set of classes, ``shares`` has the probability that each of them is there.
    """

    idx: int
    shares: Mapping[str, float]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class WeighedVotes:
    """The estimate of all examples, and how often each rater is right by it."""

    examples: Sequence[Weighed]
    right: Mapping[str, float]  # rater -> the probability of the right answer, over truths as frequent as they are
    converged: bool


def weigh(voted: Sequence[Voted], names: Mapping[int, str]) -> WeighedVotes:
    """Weigh the votes of examples by how their raters err; nothing without votes."""
    if not voted:
        return WeighedVotes((), {}, True)
    table, units, answers = vote_table(voted, names)
    found = dawid_skene(table)
    of_unit = {
        unit: dict(zip(answers, shares.tolist(), strict=True))
        for unit, shares in zip(units, found.posterior, strict=True)
    }
    examples = []
    for one in voted:
        if one.question.kind == "set":
            there = {each: of_unit[(one.idx, each)]["yes"] for each in one.question.classes}
            spelled = {names[each]: share for each, share in there.items()}
            examples.append(
                Weighed(one.idx, _largest_first(spelled), weighed_set_verdict(frozenset(one.question.given), there))
            )
            continue
        options = options_of_question(one.question, names)
        shares = {word: share for word, share in of_unit[one.idx].items() if word in options}
        eligible = None if one.question.eligible is None else frozenset(one.question.eligible)
        by_answer = {options[word]: share for word, share in shares.items()}
        settled = weighed_verdict(one.question.given[0], by_answer, eligible=eligible)
        examples.append(Weighed(one.idx, _largest_first(shares), settled))
    return WeighedVotes(examples, _right(found, raters_of_table(voted)), found.converged)


def _right(found: Estimate, raters: Sequence[str]) -> dict[str, float]:
    shares = (found.confusion.diagonal(axis1=1, axis2=2) * found.prevalence).sum(axis=1)
    return dict(zip(raters, shares.tolist(), strict=True))


def _largest_first(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))
