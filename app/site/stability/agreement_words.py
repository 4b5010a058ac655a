"""Describe the agreement of two rankings in words, claiming only what the whole interval supports.

With few examples, the interval of Kendall's tau may reach from a reversed ranking to an unchanged one. Any value within
it is possible, so a sentence that rules one out would be wrong. ``app.domain.ranking.evidence`` says when nothing may
be told at all.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.ranking.evidence import told, turns

#: From this tau on, two rankings are much the same.
_SAME: Final = 0.8
_OPEN: Final = "there are too few examples to tell"
#: From this p-value on, random relabellings that turn a ranking as far are no rarity.
_NO_RARITY: Final = 0.05


def on_pruned(n: int, agreement: Mapping[str, Any]) -> str:
    """What correcting does to the ranking on the pruned set of n examples, as a sentence without its full stop.

    >>> on_pruned(30, {"intervals": {"kendall": (0.5, 1.0)}})
    'On the whole pruned set there are too few examples to tell whether correcting the labels changes the ranking'
    """
    sure = told(n, agreement["intervals"]["kendall"])
    if sure is not None and sure[0] > _SAME:
        return "On the whole pruned set correcting the labels hardly changes the ranking"
    if sure is not None and sure[1] <= _SAME:
        return "On the whole pruned set correcting the labels changes the ranking"
    return f"On the whole pruned set {_OPEN} whether correcting the labels changes the ranking"


def on_correctable(n: int, agreement: Mapping[str, Any]) -> str:
    """What the ranking does on the n corrected examples, after "On the corrected examples".

    >>> on_correctable(7, {"intervals": {"kendall": (-0.83, 0.17)}})
    'there are too few examples to tell whether it turns over'
    >>> on_correctable(18, {"intervals": {"kendall": (-0.77, -0.13)}})
    'it turns over'
    >>> on_correctable(3, {"intervals": {"kendall": (-0.77, -0.13)}})
    'there are too few examples to tell whether it changes'
    """
    sure = told(n, agreement["intervals"]["kendall"])
    if sure is None:
        return f"{_OPEN} whether it changes"
    if sure[1] < 0:
        return "it turns over"
    if sure[0] < 0:
        return f"{_OPEN} whether it turns over"
    if sure[0] >= _SAME:
        return "it stays much the same"
    if sure[1] < _SAME:
        return "it shifts"
    return f"{_OPEN} whether it shifts"


def turns_where_right(control: Mapping[str, Any] | None) -> bool:
    """Whether the ranking is shown to turn over on flagged examples whose given label reviewers kept.

    >>> turns_where_right({"non_errors": {"n": 221, "tau_interval": [-0.82, -0.36]}}), turns_where_right(None)
    (True, False)
    """
    return control is not None and turns(control["non_errors"]["n"], control["non_errors"]["tau_interval"])


def usual_by_chance(control: Mapping[str, Any] | None) -> float | None:
    """The p-value of random relabellings that turn the ranking as far as the corrected labels, if they are no rarity.

    >>> usual_by_chance({"random": {"at_most": 0.895}}), usual_by_chance({"random": {"at_most": 0.01}})
    (0.895, None)
    """
    p: float | None = ((control or {}).get("random") or {}).get("at_most")
    return p if p is not None and p > _NO_RARITY else None
