"""Estimate the number of label errors when only part of the flagged examples was reviewed (Table 1)."""

from enum import StrEnum
from math import sqrt
from typing import Final, NamedTuple

#: Standard errors from which a mean rank is no accident of a random sample.
_FAR: Final = 3.0


class Basis(StrEnum):
    """What a number of errors rests on."""

    COUNTED = "counted"  # every flagged example was checked
    ESTIMATED = "estimated"  # the part of the flagged examples that was checked stands for all of them
    AT_LEAST = "at least"  # nothing stands for the flagged examples that nobody checked


class Ranks(NamedTuple):
    """How many examples there are, and the mean of their ranks and of the squares of these."""

    n: int
    mean: float
    mean_square: float


def is_like_all(checked: Ranks, flagged: Ranks) -> bool:
    """Whether those of the flagged examples that were checked may be a random sample, by their mean rank.

    The most suspicious ones are wrong more often, and so say nothing of the others.

    >>> flagged = Ranks(100, 50.5, 3383.5)  # ranks 1 to 100
    >>> is_like_all(Ranks(20, 10.5, 143.5), flagged), is_like_all(Ranks(20, 48.0, 3000.0), flagged)
    (False, True)
    """
    if not 0 < checked.n < flagged.n:
        return True
    variance = max(0.0, flagged.mean_square - flagged.mean**2)
    error = sqrt(variance / checked.n * (flagged.n - checked.n) / (flagged.n - 1))
    return abs(checked.mean - flagged.mean) <= _FAR * error


def basis(waiting: int, *, same_model: bool) -> Basis:
    """What the number of errors rests on, from how many flagged examples nobody has checked.

    ``same_model`` is false where reviewers saw what an earlier model flagged, or the most suspicious examples. That is
    no random sample of what this model flags, so nothing is extrapolated from it.

    >>> basis(0, same_model=False), basis(4, same_model=False)
    (<Basis.COUNTED: 'counted'>, <Basis.AT_LEAST: 'at least'>)
    """
    if not waiting:
        return Basis.COUNTED
    return Basis.ESTIMATED if same_model else Basis.AT_LEAST


def estimated_errors(
    flagged: int, checked_of_flagged: int, errors_of_flagged: int, errors_beside: int, *, same_model: bool
) -> int | None:
    """Errors among the flagged examples, flagged x errors / checked, and those found beside them.

    Where nothing is extrapolated it is what was found. None where nobody has checked a flagged example, so that there
    is nothing to extrapolate from.

    >>> estimated_errors(6_825_383, 2_500, 1_870, 0, same_model=True)
    5105386
    >>> estimated_errors(10, 9, 6, 1, same_model=True), estimated_errors(13, 9, 6, 1, same_model=False)
    (8, 7)
    """
    if not same_model:
        return errors_of_flagged + errors_beside
    if not checked_of_flagged:
        return None
    return round(flagged * errors_of_flagged / checked_of_flagged) + errors_beside
