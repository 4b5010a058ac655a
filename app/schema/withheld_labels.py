"""Which open rounds withhold the labels of a dataset, as a connection that withholds them tells in ``about``."""

from collections.abc import Mapping
from typing import Any, Final

#: The key of ``datasets.about`` that no stored catalogue has: the names of the rounds.
WITHHELD_BY: Final = "withheld_by"


def why_no_labels(title: str, about: Mapping[str, Any]) -> str:
    """Why the given labels of a dataset are not to be read, without a full stop.

    >>> why_no_labels("MNIST", {"withheld_by": ["mnist-1"]})
    'The given labels of MNIST are withheld until the round mnist-1 is closed'
    >>> why_no_labels("MNIST", {})
    'The given labels of MNIST are not in this catalogue'
    """
    rounds = about.get(WITHHELD_BY) or ()
    if not rounds:
        return f"The given labels of {title} are not in this catalogue"
    names = " and ".join(rounds)
    until = f"the round {names} is closed" if len(rounds) == 1 else f"the rounds {names} are closed"
    return f"The given labels of {title} are withheld until {until}"
