"""What each rater of a round is like: how fast, how often right on known answers, how far from the others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from app.domain.review.agreement.pairwise import WithOthers, with_others
from app.domain.review.agreement.rater_signs import TOO_FAST, RaterCounts, Sign, side_bias, signs, usual_seconds
from app.reviews.owner.given_answers import Given, RoundAnswers, Voted, raters_of_table, vote_table
from app.reviews.questions import CANNOT_TELL, SIDES, named

_ALONE: Final = WithOthers(0, None, None, None)
#: The columns of the table of raters, in order.
RATER_COLUMNS: Final = (
    "rater",
    "name",
    "excluded",
    "why",
    "votes",
    "cannot_tell",
    "median_seconds",
    "too_fast",
    "gold",
    "gold_right",
    "repeats",
    "repeats_same",
    "a",
    "b",
    "side_bias",
    "shared",
    "agreement",
    "kappa",
    "right",
    "remarks",
)


@dataclass(frozen=True, slots=True)
class RaterFigures:
    """One rater. ``right`` is how often he or she is right by Dawid and Skene's estimate; None without votes."""

    code: str
    name: str
    excluded: bool
    why: str | None
    counts: RaterCounts
    votes: int
    cannot_tell: int
    seconds: float | None  # the median
    side_bias: float  # the probability of such a split between the sides by chance
    with_others: WithOthers
    right: float | None
    signs: tuple[Sign, ...]
    remarks: tuple[str, ...]  # the signs in words


def rater_figures(
    answers: RoundAnswers, reasons: Mapping[str, str], right: Mapping[str, float]
) -> tuple[list[RaterFigures], float | None]:
    """The raters of a round in the order in which they were added, and the seconds that an answer usually takes."""
    by_rater: dict[str, list[Given]] = {row.code: [] for row in answers.raters}
    for one in answers.answers:
        by_rater[one.rater].append(one)
    medians = {code: _median(mine) for code, mine in by_rater.items()}
    standing = {code for code in by_rater if code not in answers.excluded}
    usual = usual_seconds([medians[code] for code in standing if medians[code] is not None])  # type: ignore[misc]
    agreement = _agreements(answers)
    kappas = [found.kappa for code, found in agreement.items() if code in standing and found.kappa is not None]
    usual_kappa = median(kappas) if kappas else None
    sent = Counter(one.sent for one in answers.answers if _in_short(one))
    found = []
    for row in answers.raters:
        mine = by_rater[row.code]
        counts, most = _counts(mine, sent, usual)
        beside = agreement.get(row.code, _ALONE)
        shown = tuple(signs(counts, beside, usual_kappa))
        found.append(
            RaterFigures(
                code=row.code,
                name=row.name,
                excluded=bool(row.excluded),
                why=reasons.get(row.code) if row.excluded else None,
                counts=counts,
                votes=sum(one.is_vote for one in mine),
                cannot_tell=sum(CANNOT_TELL in one.meaning for one in mine),
                seconds=medians[row.code],
                side_bias=side_bias(counts.n_a, counts.n_b),
                with_others=beside,
                right=right.get(row.code),
                signs=shown,
                remarks=tuple(_remark(sign, counts, most, beside, usual_kappa, usual) for sign in shown),
            )
        )
    return found, usual


def _agreements(answers: RoundAnswers) -> dict[str, WithOthers]:
    """Each rater with the others whose votes stand; who is excluded is compared with them too, one by one."""
    found = _of(answers.voted(), answers)
    for code in answers.excluded:
        found[code] = _of(answers.voted(answers.excluded - {code}), answers).get(code, _ALONE)
    return found


def _of(voted: Sequence[Voted], answers: RoundAnswers) -> dict[str, WithOthers]:
    if not voted:
        return {}
    table, _, _ = vote_table(voted, answers.names)
    return dict(zip(raters_of_table(voted), with_others(table), strict=True))


def _median(mine: Sequence[Given]) -> float | None:
    taken = [one.seconds for one in mine if one.seconds is not None]
    return float(median(taken)) if taken else None


def _in_short(one: Given) -> bool:
    """Whether an answer is one of those that are compared by what was sent."""
    return one.question.kind != "set" and not one.repeat and CANNOT_TELL not in one.meaning


def _counts(mine: Sequence[Given], sent: Counter[str], usual: float | None) -> tuple[RaterCounts, str]:
    """What is counted of a rater, and the answer that he or she gave most."""
    compared = [one for one in mine if _in_short(one)]
    taken = [one.seconds for one in mine if one.seconds is not None]  # whatever was answered
    told = Counter(one.sent for one in compared)
    most, n_most = told.most_common(1)[0] if told else ("", 0)
    n_others = sent.total() - len(compared)
    first = {one.idx: one.meaning for one in mine if not one.repeat and not one.gold}
    repeats = [(one.meaning, first[one.idx]) for one in mine if one.repeat and one.idx in first]
    gold = [one for one in mine if one.gold and not one.repeat and CANNOT_TELL not in one.meaning]
    sides = Counter(one.sent for one in compared if one.question.kind == "pair")
    counts = RaterCounts(
        n_answers=len(compared),
        n_a=sides[SIDES[0]],
        n_b=sides[SIDES[1]],
        most_common=n_most,
        others_share=(sent[most] - n_most) / n_others if n_others else None,
        n_timed=len(taken),
        n_fast=sum(usual is not None and seconds < TOO_FAST * usual for seconds in taken),
        gold=len(gold),
        gold_right=sum(named(one.meaning) == frozenset(one.question.given) for one in gold),
        repeats=len(repeats),
        repeats_same=sum(again == before for again, before in repeats),
    )
    return counts, most


def _remark(
    sign: Sign, counts: RaterCounts, most: str, beside: WithOthers, usual_kappa: float | None, usual: float | None
) -> str:
    """A sign in words."""
    match sign:
        case Sign.ONE_SIDE:
            side, n = ("a", counts.n_a) if counts.n_a > counts.n_b else ("b", counts.n_b)
            of = counts.n_a + counts.n_b
            often = "always answers" if n == of else f"in {n:,} of {of:,} choices answers"
            return f"{often} “{side}”, the side that is drawn at random"
        case Sign.ONE_ANSWER:
            return f"answers “{most}” {counts.most_common:,} of {counts.n_answers:,} times, which others rarely do"
        case Sign.RANDOM:
            return (
                f"answers look random: agreement with the others is {signed(beside.kappa or 0)} beyond chance, "
                f"where {usual_kappa or 0:.2f} is usual"
            )
        case Sign.TOO_FAST:
            return f"{counts.n_fast:,} of {counts.n_timed:,} answers took less than {TOO_FAST * (usual or 0):.1f} s"
        case Sign.GOLD:
            return f"{counts.gold_right:,} of {counts.gold:,} known answers right"
        case Sign.REPEATS:
            return f"{counts.repeats_same:,} of {counts.repeats:,} repeated examples answered as before"


def signed(value: float) -> str:
    """A number with two places and a true minus; none is less than 0 by less than it shows.

    >>> signed(-0.5), signed(-0.001)
    ('−0.50', '0.00')
    """
    return f"{round(value, 2) or 0:.2f}".replace("-", "−")


def rater_row(one: RaterFigures) -> dict[str, Any]:
    """A rater as JSON and CSV give it."""
    counts, beside = one.counts, one.with_others
    values = (
        one.code,
        one.name,
        one.excluded,
        one.why,
        one.votes,
        one.cannot_tell,
        one.seconds,
        counts.n_fast,
        counts.gold,
        counts.gold_right,
        counts.repeats,
        counts.repeats_same,
        counts.n_a,
        counts.n_b,
        one.side_bias,
        beside.examples,
        beside.share,
        beside.kappa,
        one.right,
        "; ".join(one.remarks),
    )
    return dict(zip(RATER_COLUMNS, values, strict=True))
