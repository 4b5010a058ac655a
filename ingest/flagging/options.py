"""The options for flagging examples, shared by the command and the Python function."""

import operator
from numbers import Real

from app.domain.confident_learning.joint import FlagRule
from ingest.errors import shown
from ingest.matrices.probabilities import MOST_TOLERANCE


def rule_of(value: object) -> FlagRule | int:
    """A rule by its name, or a number of examples to flag, as a whole number or its text. ValueError otherwise.

    >>> rule_of("prune-by-class"), rule_of("100"), rule_of(100)
    (<FlagRule.PRUNE_BY_CLASS: 'prune_by_class'>, 100, 100)
    """
    if isinstance(value, str):
        if value.isascii() and value.isdecimal() and len(value) < 19:
            return int(value)
        found = value.replace("-", "_")
        if found in tuple(FlagRule):
            return FlagRule(found)
    elif not isinstance(value, bool):
        try:
            number = operator.index(value)  # type: ignore[arg-type]  # whatever is a whole number, numpy's too
        except TypeError:
            number = -1
        if 0 <= number < 1 << 62:
            return number
    allowed = ", ".join(rule.value for rule in FlagRule)
    raise ValueError(f"expected {allowed} or a number, found {shown(value)}")


def tolerance_of(value: object) -> float:
    """The tolerance for the sums of rows, as a number or its text. ValueError if it is out of range.

    >>> tolerance_of("0.02")
    0.02
    """
    try:
        tolerance = float(value) if isinstance(value, str | Real) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):  # no float is as large as a whole number can be
        tolerance = 0.0
    if not 0 < tolerance <= MOST_TOLERANCE:
        raise ValueError(f"expected a number above 0, at most {MOST_TOLERANCE:g}, found {shown(value)}")
    return tolerance
