"""What can be said of two rankings' agreement: only what all of its interval says.

A Kendall's tau of few examples has an interval that may reach from a reversed ranking to an unmoved one. What lies
within it may be so, so a sentence that rules it out would be wrong.
"""

from collections.abc import Mapping
from typing import Any, Final

#: From here on two rankings are much the same.
_SAME: Final = 0.8
_OPEN: Final = "these examples do not tell"


def on_pruned(agreement: Mapping[str, Any]) -> str:
    """What correcting does to the ranking on the pruned set, as a sentence's beginning.

    >>> on_pruned({"kendall": 0.9, "intervals": {"kendall": (0.5, 1.0)}})
    'On the whole pruned set these examples do not tell whether correcting the labels moves the ranking'
    """
    low, high = _ends(agreement)
    if low > _SAME:
        return "On the whole pruned set correcting the labels hardly moves the ranking"
    if high <= _SAME:
        return "On the whole pruned set correcting the labels moves the ranking"
    return f"On the whole pruned set {_OPEN} whether correcting the labels moves the ranking"


def on_correctable(agreement: Mapping[str, Any]) -> str:
    """What correcting does to the ranking on the correctable set, as a sentence's end.

    >>> on_correctable({"kendall": -0.47, "intervals": {"kendall": (-0.83, 0.17)}})
    'where they were wrong, these examples do not tell whether it turns over'
    >>> on_correctable({"kendall": -0.44, "intervals": {"kendall": (-0.77, -0.13)}})
    'where they were wrong it turns over'
    """
    low, high = _ends(agreement)
    if high < 0:
        return "where they were wrong it turns over"
    if low < 0:
        return f"where they were wrong, {_OPEN} whether it turns over"
    if low >= _SAME:
        return "where they were wrong it stays much the same"
    if high < _SAME:
        return "where they were wrong it shifts"
    return f"where they were wrong, {_OPEN} whether it shifts"


def _ends(agreement: Mapping[str, Any]) -> tuple[float, float]:
    """The interval of Kendall's tau: all that can be where there is none, or one that resampling could not vary."""
    low, high = agreement["intervals"]["kendall"] or (-1.0, 1.0)
    return (low, high) if low < high else (-1.0, 1.0)
