"""Describe the agreement of two rankings in words, claiming only what the whole interval supports.

With few examples, the interval of Kendall's tau may reach from a reversed ranking to an unchanged one. Any value within
it is possible, so a sentence that rules one out would be wrong.
"""

from collections.abc import Mapping
from typing import Any, Final

#: From this tau on, two rankings are much the same.
_SAME: Final = 0.8
_OPEN: Final = "there are too few examples to tell"


def on_pruned(agreement: Mapping[str, Any]) -> str:
    """What correcting does to the ranking on the pruned set, as the beginning of a sentence.

    >>> on_pruned({"kendall": 0.9, "intervals": {"kendall": (0.5, 1.0)}})
    'On the whole pruned set there are too few examples to tell whether correcting the labels changes the ranking'
    """
    low, high = _ends(agreement)
    if low > _SAME:
        return "On the whole pruned set correcting the labels hardly changes the ranking"
    if high <= _SAME:
        return "On the whole pruned set correcting the labels changes the ranking"
    return f"On the whole pruned set {_OPEN} whether correcting the labels changes the ranking"


def on_correctable(agreement: Mapping[str, Any]) -> str:
    """What correcting does to the ranking on the correctable set, as the end of a sentence.

    >>> on_correctable({"kendall": -0.47, "intervals": {"kendall": (-0.83, 0.17)}})
    'on the corrected examples, there are too few examples to tell whether it reverses'
    >>> on_correctable({"kendall": -0.44, "intervals": {"kendall": (-0.77, -0.13)}})
    'on the corrected examples it reverses'
    """
    low, high = _ends(agreement)
    if high < 0:
        return "on the corrected examples it reverses"
    if low < 0:
        return f"on the corrected examples, {_OPEN} whether it reverses"
    if low >= _SAME:
        return "on the corrected examples it stays much the same"
    if high < _SAME:
        return "on the corrected examples it shifts"
    return f"on the corrected examples, {_OPEN} whether it shifts"


def _ends(agreement: Mapping[str, Any]) -> tuple[float, float]:
    """The interval of Kendall's tau; the full range if there is none, or if resampling could not vary it."""
    low, high = agreement["intervals"]["kendall"] or (-1.0, 1.0)
    return (low, high) if low < high else (-1.0, 1.0)
