"""Estimate the number of label errors when only part of the flagged examples was reviewed (Table 1)."""

from enum import StrEnum


class Basis(StrEnum):
    """What a number of errors rests on."""

    COUNTED = "counted"  # every flagged example was checked
    ESTIMATED = "estimated"  # the part of the flagged examples that was checked stands for all of them
    AT_LEAST = "at least"  # nothing stands for the flagged examples that nobody checked


def basis(waiting: int, *, same_model: bool) -> Basis:
    """What the number of errors rests on, from how many flagged examples nobody has checked.

    ``same_model`` is false where reviewers saw what an earlier model flagged. That is no random sample of what this one
    flags, so nothing is extrapolated from it.

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
