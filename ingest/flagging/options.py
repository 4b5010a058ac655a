"""The options for flagging examples, shared by the command and the Python function."""

from numbers import Real

from app.domain.confident_learning.flag_choice import CHOICES, FlagChoice, choice_of
from ingest.errors import shown
from ingest.matrices.probabilities import MOST_TOLERANCE


def rule_of(value: object) -> FlagChoice:
    """A rule by its name, a number of examples to flag, or a share of all examples. ValueError otherwise.

    >>> rule_of("prune-by-class"), rule_of("top 100"), rule_of("0.05")
    (<FlagRule.PRUNE_BY_CLASS: 'prune_by_class'>, 100, Decimal('0.05'))
    """
    choice = choice_of(value)
    if choice is None:
        raise ValueError(f"expected {CHOICES}, found {shown(value)}")
    return choice


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
