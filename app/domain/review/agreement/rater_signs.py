"""Signs that a rater does not look: always the same side, random answers, too fast, known answers missed.

Each is a fact about a rater with a test behind it, for the owner of a round to judge; none excludes anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from app.domain.review.agreement.pairwise import WithOthers
from app.domain.review.chance import chance_of_so_few

#: Probability below which what a rater does is no chance. Small, because every rater of a round is tested.
RARE: Final = 0.001
#: Votes below which nothing is said of a rater.
LEAST_VOTES: Final = 10
_LEAST_SHARED: Final = 15
#: Agreement beyond chance from which raters of a round are said to agree at all.
_SOME: Final = 0.1
#: An answer in less than this share of the usual time is too fast.
TOO_FAST: Final = 0.3
#: Share of gold items that somebody who looks gets right, at least.
_GOLD: Final = 0.8


class Sign(StrEnum):
    """What may be wrong with a rater's answers."""

    ONE_SIDE = "one_side"
    ONE_ANSWER = "one_answer"
    RANDOM = "random"
    TOO_FAST = "too_fast"
    GOLD = "gold"
    REPEATS = "repeats"


def side_bias(n_a: int, n_b: int) -> float:
    """The probability of a split at least as uneven between the sides (a) and (b), which are drawn at random.

    The two-sided binomial test against one half, exact; 1 without answers. Whatever the truth is, it is behind (a) as
    often as behind (b), so a rater who looks has no side.

    >>> side_bias(5, 5), side_bias(10, 0)
    (1.0, 0.001953125)
    """
    n = n_a + n_b
    return min(1.0, 2 * chance_of_so_few(min(n_a, n_b), n / 2, n)) if n else 1.0


def usual_seconds(medians: Sequence[float]) -> float | None:
    """The time that an answer usually takes in a round: the median of the raters' medians; None without raters."""
    return median(medians) if medians else None


@dataclass(frozen=True, slots=True)
class RaterCounts:
    """What was counted of one rater. Answers are those that were not taken back, repeats and gold items apart."""

    n_answers: int
    n_a: int
    n_b: int
    most_common: int  # how often the rater gave the answer that he or she gave most, as it was sent
    others_share: float | None  # how often the others gave that answer; None without others
    n_timed: int  # answers of any kind whose time is known
    n_fast: int  # of these, in less than ``TOO_FAST`` of the usual time
    gold: int
    gold_right: int
    repeats: int
    repeats_same: int


def signs(counts: RaterCounts, agreement: WithOthers, usual: float | None) -> list[Sign]:
    """The signs of one rater; ``usual`` is the median of kappa over all raters, None where it is not known.

    Random answers are those whose agreement with the others is explained by chance, and not by what is usual in the
    round: where nobody agrees with anybody, nobody is called random.

    >>> always_a = RaterCounts(20, 20, 0, 20, 0.5, 20, 0, 0, 0, 0, 0)
    >>> signs(always_a, WithOthers(20, 0.5, 0.0, 0.2), usual=0.6)
    [<Sign.ONE_SIDE: 'one_side'>]
    """
    found = []
    if counts.n_answers >= LEAST_VOTES:
        if side_bias(counts.n_a, counts.n_b) < RARE:
            found.append(Sign.ONE_SIDE)
        elif _one_answer(counts):
            found.append(Sign.ONE_ANSWER)
    if not found and _random(agreement, usual):
        found.append(Sign.RANDOM)
    if counts.n_timed >= LEAST_VOTES and 2 * counts.n_fast > counts.n_timed:
        found.append(Sign.TOO_FAST)
    if counts.gold and chance_of_so_few(counts.gold_right, _GOLD * counts.gold, counts.gold) < RARE * 10:
        found.append(Sign.GOLD)
    if counts.repeats and chance_of_so_few(counts.repeats_same, _GOLD * counts.repeats, counts.repeats) < RARE * 10:
        found.append(Sign.REPEATS)
    return found


def _one_answer(counts: RaterCounts) -> bool:
    """Nearly always the same answer, which the others rarely give."""
    if counts.others_share is None or counts.others_share > 0.5:
        return False
    return counts.most_common >= 0.95 * counts.n_answers


def _random(agreement: WithOthers, usual: float | None) -> bool:
    """Chance alone explains the agreement with the others, and what is usual in the round does not."""
    if agreement.kappa is None or agreement.high is None or usual is None or agreement.examples < _LEAST_SHARED:
        return False
    low = 2 * agreement.kappa - agreement.high
    return usual > _SOME and low <= 0 and agreement.high < usual
