"""Charts of models as SVG: how ranks change, and accuracy against noise prevalence.

Every page shows the same numbers beside them. As in ``components.charts``, there are no inline styles, shapes are
placed by attributes and coloured by classes, and names are escaped. Lines are told apart by their dashes and by the
names at their ends, never by colour alone.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from app.domain.ranking.crossings import Line
from app.site.stability.results import RankChange

_ROW: Final = 20  # height of a model in a slope chart
_SLOPE_WIDTH: Final = 500
_SLOPE_LEFT: Final = 190
_SLOPE_RIGHT: Final = 310
_TOP: Final = 34

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _ABOVE, _BELOW = 52, 190, 14, 40
_STEPS: Final = 60  # points of a line that is curved, because the axis is logarithmic
_APART: Final = 15  # minimum distance in pixels between names at the ends of lines
_NUMBER_WIDE, _NUMBER_HIGH = 18, 13  # size in pixels of a crossing's number
#: Widths of characters at the charts' 12 pixels in a wide font, in pixels; all others take ``_WIDE``.
_WIDTHS: Final = dict.fromkeys("fijlrtI./-", 4.4) | dict.fromkeys("mwMW…", 12.0)
_WIDE: Final = 7.4
_BOLD: Final = 1.13  # how much wider bold characters are
_RANK_WIDE: Final = 34  # what a rank beside a name takes
#: How much of what is kept of a name that is too long is its beginning.
_BEGINNING: Final = 0.6


class Mark(NamedTuple):
    """A crossing to mark, by its number in the list below the chart."""

    number: int
    prevalence: float
    accuracy: float


def slope_chart(moved: Sequence[RankChange], named: Mapping[str, str], left: str, right: str, label: str) -> Markup:
    """Ranks by two measures, best at the top, one line per model; ``named`` maps keys to emphasise to "up" or "down".

    Names too long for the chart are shortened; the title of a line has all of its name.

    Models of equal rank are listed below each other by name, with an equals sign at their rank.
    """
    height = _TOP + len(moved) * _ROW + 6
    before, after = _slots({m.key: m.before for m in moved}), _slots({m.key: m.after for m in moved})
    parts = [
        Markup('<text class="axis" x="%d" y="16" text-anchor="end">%s</text>') % (_SLOPE_LEFT - 12, left),
        Markup('<text class="axis" x="%d" y="16">%s</text>') % (_SLOPE_RIGHT + 12, right),
    ]
    room = _SLOPE_LEFT - 8 - _RANK_WIDE
    names = fitted({m.key: room / _BOLD if m.key in named else room for m in moved})
    tied_before, tied_after = _shared([m.before for m in moved]), _shared([m.after for m in moved])
    for model in sorted(moved, key=lambda m: m.key in named):
        y, z = before[model.key], after[model.key]
        way = named.get(model.key, "")
        parts.append(
            Markup('<g class="slope %s"><title>%s: number %d, then %d</title><path d="M%d %dL%d %d"/>%s%s</g>')
            % (
                way,
                model.key,
                model.before,
                model.after,
                _SLOPE_LEFT,
                y,
                _SLOPE_RIGHT,
                z,
                _slope_text(names[model.key], model.before, model.before in tied_before, _SLOPE_LEFT - 8, y, "end"),
                _slope_text(names[model.key], model.after, model.after in tied_after, _SLOPE_RIGHT + 8, z, "start"),
            )
        )
    return Markup(
        '<svg class="slopes" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">%s</svg>'
    ) % (_SLOPE_WIDTH, height, _SLOPE_WIDTH, height, label, Markup("").join(parts))


def _slots(ranks: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(ranks, key=lambda key: (ranks[key], key))
    return {key: _TOP + place * _ROW + _ROW // 2 for place, key in enumerate(ordered)}


def _shared(ranks: Sequence[int]) -> set[int]:
    """The ranks that several models share."""
    return {rank for rank in ranks if ranks.count(rank) > 1}


def fitted(widths: Mapping[str, float]) -> dict[str, str]:
    """What a chart shows for each key of a model, in so many pixels: all of it, its name alone, or the ends of that.

    Of keys that would look alike, it shows where they begin to differ.

    >>> widths = {"torch/resnet50": 120, "scikit-learn/random-forest": 120, "torch/a-network-tuned-on-imagenet": 120}
    >>> list(fitted(widths).values())
    ['torch/resnet50', '…/random-forest', 'a-network…agenet']
    """
    found = {key: _shortened(key, width) for key, width in widths.items()}
    for shown, n in Counter(found.values()).items():
        alike = [key for key in found if found[key] == shown] if n > 1 else []
        same = _common_beginning(alike)
        found |= {key: _cut(f"…{key.removeprefix(same)}" if same else key, widths[key], 1.0) for key in alike}
    return found


def _common_beginning(keys: Sequence[str]) -> str:
    """The words that keys have in common at their beginning; words end with - _ . or /."""
    words = zip(*(re.split(r"(?<=[-_./])", key) for key in keys), strict=False)
    return "".join(word[0] for word in takewhile(lambda word: len(set(word)) == 1, words))


def _shortened(key: str, width: float) -> str:
    name = key.rpartition("/")[2]
    return next((text for text in (key, f"…/{name}") if _wide(text) <= width), None) or _cut(name, width, _BEGINNING)


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


def _slope_text(key: str, rank: int, tied: bool, x: int, y: int, anchor: str) -> Markup:
    place = f"{rank}=" if tied else str(rank)
    words = f"{key}  {place}" if anchor == "end" else f"{place}  {key}"
    return Markup('<text x="%d" y="%d" text-anchor="%s" dominant-baseline="central">%s</text>') % (x, y, anchor, words)


class Axis:
    """The axis of noise prevalence, from ``least`` to ``most``; linear or logarithmic."""

    def __init__(self, least: float, scale: str, most: float = 1.0) -> None:
        # A logarithmic axis cannot begin at 0.
        self.least = max(least, 1e-4) if scale == "log" else least
        self.most = most if most > 2 * self.least else 1.0
        self.log = scale == "log" and self.least < 1

    def x(self, prevalence: float) -> float:
        if self.log:
            share = math.log(max(prevalence, self.least) / self.least) / math.log(self.most / self.least)
        else:
            share = (prevalence - self.least) / (self.most - self.least) if self.least < self.most else 0.0
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def shows(self, prevalence: float) -> bool:
        """Whether a prevalence is within the axis."""
        return prevalence <= self.most * (1 + 1e-9)

    def points(self) -> list[float]:
        if not self.log:
            return [self.least, self.most]
        return [self.least * (self.most / self.least) ** (step / _STEPS) for step in range(_STEPS + 1)]

    def ticks(self) -> list[float]:
        marks: tuple[float, ...] = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
        if not self.log:
            marks = tuple(share * self.most for share in (0.2, 0.4, 0.6, 0.8))
        ends = self.x(self.least), self.x(self.most)
        return [self.least, *(t for t in marks if ends[0] + 46 < self.x(t) < ends[1] - 30), self.most]


def prevalence_chart(
    lines: Sequence[tuple[str, Line]], axis: Axis, marks: Sequence[Mark], at: float, label: str
) -> Markup:
    """Accuracy against noise prevalence, one line per model, with numbered crossings and a vertical line at ``at``."""
    heights = [line.at(n) for _, line in lines for n in (axis.least, axis.most)] or [0.0, 1.0]
    scale = _Scale(min(heights), max(heights))
    parts = [_grid(axis, scale)]
    hidden = Markup("") if axis.shows(at) else Markup(' visibility="hidden"')
    parts.append(Markup('<path class="here" d="M%.1f %dV%d"%s/>') % (axis.x(at), _ABOVE, _HEIGHT - _BELOW, hidden))
    ends = _spread([(place, scale.y(line.at(axis.most))) for place, (_, line) in enumerate(lines)])
    edge, names = _WIDTH - _RIGHT, fitted({key: _RIGHT - 18 for key, _ in lines})
    for place, (key, line) in enumerate(lines):
        path = "L".join(f"{axis.x(n):.1f} {scale.y(line.at(n)):.1f}" for n in axis.points())
        lead = f"M{edge} {scale.y(line.at(axis.most)):.1f}L{edge + 12} {ends[place]:.1f}"
        parts.append(
            Markup(
                '<g class="line%d"><title>%s</title><path d="M%s"/><path class="lead" d="%s"/>'
                '<text x="%d" y="%.1f" dominant-baseline="central">%s</text></g>'
            )
            % (place, _told(key, line, axis), path, lead, edge + 16, ends[place], names[key])
        )
    numbers: list[tuple[float, float]] = []
    for mark in (mark for mark in marks if axis.shows(mark.prevalence)):
        x, y = axis.x(mark.prevalence), scale.y(mark.accuracy)
        numbers.append((x, _free(x, y, numbers)))
        parts.append(
            Markup(
                '<g class="crossing"><path d="M%.1f %.1fV%d"/><circle cx="%.1f" cy="%.1f" r="4"/>'
                '<text x="%.1f" y="%.1f" text-anchor="middle">%d</text></g>'
            )
            % (x, y, _HEIGHT - _BELOW, x, y, *numbers[-1], mark.number)
        )
    return Markup('<svg class="prevalence" viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>') % (
        _WIDTH,
        _HEIGHT,
        label,
        Markup("").join(parts),
    )


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> float:
    """The nearest height at which the number of a crossing at (x, y) does not overlap those at ``taken``."""
    near = [other for at, other in taken if abs(at - x) < _NUMBER_WIDE]
    places = (
        place for step in range(len(near) + 1) for place in (y - 8 - step * _NUMBER_HIGH, y + 17 + step * _NUMBER_HIGH)
    )
    inside = (place for place in places if _ABOVE <= place <= _HEIGHT - _BELOW)
    return next((place for place in inside if all(abs(place - other) >= _NUMBER_HIGH for other in near)), y - 8)


def _told(key: str, line: Line, axis: Axis) -> str:
    """The tooltip of a line: its accuracies at both ends."""
    ends = (f"{line.at(n):.2%} at N = {per_cent(n)}" for n in (axis.least, axis.most))
    return f"{key}: {', '.join(ends)}"


class _Scale:
    """The axis of accuracies, between round figures around the smallest and the largest."""

    def __init__(self, low: float, high: float) -> None:
        step = next((s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2) if (high - low) / s <= 6), 0.25)
        self.low, self.high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        if self.low == self.high:
            self.low, self.high = self.low - step, self.high + step
        self.step = step

    def y(self, accuracy: float) -> float:
        return _ABOVE + (self.high - accuracy) / (self.high - self.low) * (_HEIGHT - _ABOVE - _BELOW)

    def ticks(self) -> list[float]:
        return [self.low + n * self.step for n in range(round((self.high - self.low) / self.step) + 1)]


def _grid(axis: Axis, scale: _Scale) -> Markup:
    parts: list[Any] = []
    for accuracy in scale.ticks():
        parts.append(
            Markup(
                '<path class="grid" d="M%d %.1fH%d"/>'
                '<text x="%d" y="%.1f" text-anchor="end" dominant-baseline="central">%s %%</text>'
            )
            % (_LEFT, scale.y(accuracy), _WIDTH - _RIGHT, _LEFT - 6, scale.y(accuracy), f"{100 * accuracy:.3g}")
        )
    for prevalence in axis.ticks():
        parts.append(
            Markup('<path class="tick" d="M%.1f %dv5"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>')
            % (axis.x(prevalence), _HEIGHT - _BELOW, axis.x(prevalence), _HEIGHT - _BELOW + 18, per_cent(prevalence))
        )
    parts.append(
        Markup('<text class="axis" x="%d" y="%d" text-anchor="middle">noise prevalence N</text>')
        % ((_LEFT + _WIDTH - _RIGHT) // 2, _HEIGHT - 5)
    )
    return Markup("").join(parts)


def _spread(ends: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Positions for the names at the ends of lines: near the line, at least ``_APART`` apart, within the chart."""
    ordered = sorted(ends, key=lambda end: end[1])
    placed: list[float] = []
    for _, wanted in ordered:
        placed.append(max(wanted, placed[-1] + _APART) if placed else max(wanted, _ABOVE))
    last = float(_HEIGHT - _BELOW)
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], last)
        last = placed[place] - _APART
    return {end[0]: y for end, y in zip(ordered, placed, strict=True)}


def per_cent(fraction: float) -> str:
    """A fraction for an axis, with no more digits than are needed to distinguish it.

    >>> per_cent(0.0018), per_cent(0.0294), per_cent(0.4), per_cent(1.0)
    ('0.18 %', '2.9 %', '40 %', '100 %')
    """
    value = 100 * fraction
    digits = 2 if value < 1 else 1 if value < 10 else 0
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") + " %" if digits else f"{value:.0f} %"
