"""What a person can ask to have flagged: a rule, a number of examples, or a share of them."""

import operator
import re
from decimal import Decimal
from typing import Final

from app.domain.confident_learning.joint import FlagRule

#: A rule, how many examples, or which share of all of them, above 0 and below 1; the last two of lowest margin.
FlagChoice = FlagRule | int | Decimal
#: What can be asked for, for messages.
CHOICES: Final = (
    f'{", ".join(FlagRule)}, a number of examples like 500 or "top 500", or a share of them like "0.05", above 0 and '
    "below 1"
)

_NUMBER: Final = re.compile(r"(?:top )?([0-9]{1,18})")
_SHARE: Final = re.compile(r"0?\.[0-9]{1,20}")


def choice_of(value: object) -> FlagChoice | None:
    """What a value of a manifest, an option or an argument asks for; None for what asks for nothing that there is.

    A rule goes by its name; a number is a whole number, its text or "top 500"; a share is a decimal fraction above 0
    and below 1 or its text.

    >>> choice_of("prune-by-class"), choice_of("top 100"), choice_of("100"), choice_of(100)
    (<FlagRule.PRUNE_BY_CLASS: 'prune_by_class'>, 100, 100, 100)
    >>> choice_of("0.05"), choice_of(0.05), choice_of("5 %"), choice_of(1.0), choice_of(-1)
    (Decimal('0.05'), Decimal('0.05'), None, None, None)
    """
    if isinstance(value, float):
        return _share(f"{Decimal(repr(float(value))):f}")  # the shortest decimal fraction that it is, as it was written
    if isinstance(value, str):
        number, name = _NUMBER.fullmatch(value), value.replace("-", "_")
        if number is not None:
            return int(number[1])
        return FlagRule(name) if name in tuple(FlagRule) else _share(value)
    if isinstance(value, bool):
        return None
    try:
        number_of_examples = operator.index(value)  # type: ignore[arg-type]  # any whole number, numpy's too
    except TypeError:
        return None
    return number_of_examples if 0 <= number_of_examples < 1 << 62 else None


def _share(text: str) -> Decimal | None:
    share = Decimal(text) if _SHARE.fullmatch(text) else Decimal(0)
    return share or None


def number_asked(asked: int | Decimal, n: int) -> int:
    """How many of n examples a number or a share asks for: a share of them is rounded down, like rho * n.

    A share is a decimal fraction and is taken as it was written, so that no binary rounding takes an example away.

    >>> number_asked(500, 7532), number_asked(Decimal("0.05"), 7532), number_asked(Decimal("0.29"), 100)
    (500, 376, 29)
    """
    if not isinstance(asked, Decimal):
        return asked
    numerator, denominator = asked.as_integer_ratio()
    return numerator * n // denominator


def in_words(choice: FlagChoice) -> str:
    """What was asked for, for readers.

    >>> in_words(FlagRule.BOTH), in_words(1000), in_words(Decimal("0.050"))
    ('both', 'the 1,000 lowest margins', 'the lowest margins, 5 % of the examples')
    """
    if isinstance(choice, FlagRule):
        return choice.value
    if isinstance(choice, Decimal):
        return f"the lowest margins, {percent(choice)} of the examples"
    return f"the {choice:,} lowest margins"


def percent(share: Decimal) -> str:
    """A share in per cent, with all of its digits.

    >>> percent(Decimal("0.05")), percent(Decimal("0.0125")), percent(Decimal("0.3"))
    ('5 %', '1.25 %', '30 %')
    """
    text = f"{share.scaleb(2):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
