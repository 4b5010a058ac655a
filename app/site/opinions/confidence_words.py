"""Probabilities of corrections in words.

Nothing is called better without a paired interval that says so.
"""

from collections.abc import Mapping
from typing import Any, Final

#: What the learnt probability is compared with.
OTHERS: Final = {
    "share": "the plain share of votes",
    "base": "saying the same of all corrections",
    "confidence": "the confidence from votes alone",
}


def per_cent(value: float) -> str:
    """A probability for readers; never one that claims certainty.

    >>> per_cent(0.934), per_cent(0.998), per_cent(0.0004)
    ('93\\xa0%', 'over 99\\xa0%', 'under 1\\xa0%')
    """
    if value > 0.99:
        return "over 99\N{NO-BREAK SPACE}%" if value >= 0.995 else "99\N{NO-BREAK SPACE}%"
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%" if value >= 0.005 else "under 1\N{NO-BREAK SPACE}%"


def gain_words(name: str, gain: Mapping[str, Any], what: str = "It") -> str:
    """Whether a probability beats another, by the interval of the difference of their Brier scores.

    >>> gain_words("share", {"difference": 0.02, "interval": [0.01, 0.03]})
    'It beats the plain share of votes: its Brier score is lower by 0.020 (95 % interval 0.010 to 0.030).'
    >>> gain_words("base", {"difference": 0.001, "interval": [-0.002, 0.004]}).partition(":")[0]
    'It does not beat saying the same of all corrections'
    """
    low, high = gain["interval"]
    spread = f"(95 % interval {_signed(low)} to {_signed(high)})"
    if low > 0:
        return f"{what} beats {OTHERS[name]}: its Brier score is lower by {gain['difference']:.3f} {spread}."
    if high < 0:
        return f"{what} is worse than {OTHERS[name]}: its Brier score is higher by {-gain['difference']:.3f} {spread}."
    apart = _signed(gain["difference"])
    return f"{what} does not beat {OTHERS[name]}: the difference of their Brier scores may be chance, {apart} {spread}."


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
