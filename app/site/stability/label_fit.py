"""Shorten models' names to the width that a chart has for them, so that they can still be told apart."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Final

#: Widths of characters at the charts' 12 pixels in a wide font, in pixels; all others take ``_WIDE``.
_WIDTHS: Final = dict.fromkeys("fijlrtI./-", 4.4) | dict.fromkeys("mwMW…", 12.0)
_WIDE: Final = 7.4
#: How much of what is kept of a name that is too long is its beginning.
_BEGINNING: Final = 0.6


def fitted(widths: Mapping[str, float]) -> dict[str, str]:
    """What a chart shows for each key of a model, in so many pixels: all of it, its name alone, or the ends of that.

    Of keys that would look alike, it shows where they begin to differ. Where all models are of one platform, all show
    it or none does.

    >>> widths = {"torch/resnet50": 120, "scikit-learn/random-forest": 120, "torch/a-network-tuned-on-imagenet": 120}
    >>> list(fitted(widths).values())
    ['torch/resnet50', '…/random-forest', 'a-network…agenet']
    >>> list(fitted({"torch/resnet50": 120, "torch/efficientnet-b7": 120}).values())
    ['…/resnet50', '…/efficientnet-b7']
    """
    of_one = len({key.rpartition("/")[0] for key in widths}) == 1
    whole = not of_one or all(_wide(key) <= width for key, width in widths.items())
    found = {key: _shortened(key, width, whole) for key, width in widths.items()}
    for shown, n in Counter(found.values()).items():
        alike = [key for key in found if found[key] == shown] if n > 1 else []
        same = _common_beginning(alike)
        found |= {key: _cut(f"…{key.removeprefix(same)}" if same else key, widths[key], 1.0) for key in alike}
    return found


def _common_beginning(keys: Sequence[str]) -> str:
    """The words that keys have in common at their beginning; words end with - _ . or /."""
    words = zip(*(re.split(r"(?<=[-_./])", key) for key in keys), strict=False)
    return "".join(word[0] for word in takewhile(lambda word: len(set(word)) == 1, words))


def _shortened(key: str, width: float, whole: bool) -> str:
    platform, _, name = key.rpartition("/")
    without = f"…/{name}" if platform else name
    texts = (key, without) if whole else (without,)
    return next((text for text in texts if _wide(text) <= width), None) or _cut(name, width, _BEGINNING)


def _cut(text: str, width: float, share: float) -> str:
    """The text, or as much of it as fits: a share of what is kept from its beginning, the rest from its end."""
    shown, kept = text, len(text)
    while kept > 1 and _wide(shown) > width:
        kept -= 1
        head = round(kept * share)
        shown = f"{text[:head]}…{text[len(text) - kept + head :]}"
    return shown


def _wide(text: str) -> float:
    return sum(_WIDTHS.get(character, _WIDE) for character in text)
