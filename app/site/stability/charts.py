"""Accuracy against noise prevalence as SVG, for a wide and for a narrow screen.

Every page shows the same numbers beside it. As in ``components.charts``, there are no inline styles, shapes are placed
by attributes and coloured by classes, and names are escaped. Lines are told apart by colour and dash, which are a
model's own (``looks``), and by the names at their ends.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup

from app.domain.ranking.crossings import Line
from app.site.stability.label_fit import fitted
from app.web.templates import PER_CENT

_STEPS: Final = 60  # points of a line that is curved, because the axis is logarithmic
_APART: Final = 15  # minimum distance in pixels between names at the ends of lines
_NUMBER_WIDE, _NUMBER_HIGH = 18, 13  # size in pixels of a crossing's number
_TICK_WIDE: Final = 40  # what the words at a tick take
_TOP, _BOTTOM = 14, 260  # heights at which the plot begins and ends
_HEIGHT: Final = 300


class _Sheet(NamedTuple):
    """The drawing for a screen: its class, how wide it is, and what is left beside the plot."""

    name: str
    width: int
    left: int
    right: int


#: The style sheet shows one of the two.
_SHEETS: Final = (_Sheet("wide", 720, 52, 190), _Sheet("narrow", 350, 44, 116))


class Mark(NamedTuple):
    """A crossing to mark, by its number in the list below the chart."""

    number: int
    prevalence: float
    accuracy: float


class Axis:
    """The axis of noise prevalence, from ``least`` to ``most``; linear or logarithmic."""

    def __init__(self, least: float, scale: str, most: float = 1.0) -> None:
        # A logarithmic axis cannot begin at 0.
        self.least = max(least, 1e-4) if scale == "log" else least
        self.most = most if most > 2 * self.least else 1.0
        self.log = scale == "log" and self.least < 1

    def share(self, prevalence: float) -> float:
        """Where a prevalence lies, from 0 at the beginning of the axis to 1 at its end."""
        if self.log:
            return math.log(max(prevalence, self.least) / self.least) / math.log(self.most / self.least)
        return (prevalence - self.least) / (self.most - self.least) if self.least < self.most else 0.0

    def shows(self, prevalence: float) -> bool:
        """Whether a prevalence is within the axis."""
        return prevalence <= self.most * (1 + 1e-9)

    def points(self) -> list[float]:
        if not self.log:
            return [self.least, self.most]
        return [self.least * (self.most / self.least) ** (step / _STEPS) for step in range(_STEPS + 1)]

    def marks(self) -> tuple[float, ...]:
        """Prevalences that may have a tick, the ends apart."""
        if self.log:
            return (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
        return tuple(share * self.most for share in (0.2, 0.4, 0.6, 0.8))


def prevalence_chart(
    lines: Sequence[tuple[str, Line]],
    axis: Axis,
    marks: Sequence[Mark],
    at: float,
    label: str,
    looks: Mapping[str, str],
) -> Markup:
    """Accuracy against noise prevalence, one line a model, with numbered crossings and a vertical line at ``at``.

    ``looks`` are the classes of each model's line.
    """
    heights = [line.at(n) for _, line in lines for n in (axis.least, axis.most)] or [0.0, 1.0]
    scale = _Scale(min(heights), max(heights))
    return Markup("").join(
        Markup('<svg class="prevalence %s" viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>')
        % (sheet.name, sheet.width, _HEIGHT, label, _Plot(sheet, axis, scale).drawn(lines, marks, at, looks))
        for sheet in _SHEETS
    )


class _Plot:
    """A chart on one sheet."""

    def __init__(self, sheet: _Sheet, axis: Axis, scale: "_Scale") -> None:
        self.axis, self.scale = axis, scale
        self.left, self.edge = sheet.left, sheet.width - sheet.right
        self.room = sheet.right - 18  # for a name

    def x(self, prevalence: float) -> float:
        return self.left + self.axis.share(prevalence) * (self.edge - self.left)

    def drawn(
        self, lines: Sequence[tuple[str, Line]], marks: Sequence[Mark], at: float, looks: Mapping[str, str]
    ) -> Markup:
        hidden = Markup("") if self.axis.shows(at) else Markup(' visibility="hidden"')
        here = Markup('<path class="here" d="M%.1f %dV%d"%s/>') % (self.x(at), _TOP, _BOTTOM, hidden)
        return Markup("").join([self._grid(), here, *self._lines(lines, looks), *self._crossings(marks)])

    def _lines(self, lines: Sequence[tuple[str, Line]], looks: Mapping[str, str]) -> list[Markup]:
        axis, scale, edge = self.axis, self.scale, self.edge
        ends = _spread([(place, scale.y(line.at(axis.most))) for place, (_, line) in enumerate(lines)])
        names = fitted({key: self.room for key, _ in lines})
        parts = []
        for place, (key, line) in enumerate(lines):
            path = "L".join(f"{self.x(n):.1f} {scale.y(line.at(n)):.1f}" for n in axis.points())
            lead = f"M{edge} {scale.y(line.at(axis.most)):.1f}L{edge + 12} {ends[place]:.1f}"
            parts.append(
                Markup(
                    '<g class="model-line %s"><title>%s</title><path d="M%s"/><path class="lead" d="%s"/>'
                    '<text x="%d" y="%.1f" dominant-baseline="central">%s</text></g>'
                )
                % (looks[key], _told(key, line, axis), path, lead, edge + 16, ends[place], names[key])
            )
        return parts

    def _crossings(self, marks: Sequence[Mark]) -> list[Markup]:
        numbers: list[tuple[float, float]] = []
        parts = []
        for mark in (mark for mark in marks if self.axis.shows(mark.prevalence)):
            x, y = self.x(mark.prevalence), self.scale.y(mark.accuracy)
            numbers.append((x, _free(x, y, numbers)))
            parts.append(
                Markup(
                    '<g class="crossing"><path d="M%.1f %.1fV%d"/><circle cx="%.1f" cy="%.1f" r="4"/>'
                    '<text x="%.1f" y="%.1f" text-anchor="middle">%d</text></g>'
                )
                % (x, y, _BOTTOM, x, y, *numbers[-1], mark.number)
            )
        return parts

    def _grid(self) -> Markup:
        parts: list[Any] = []
        for accuracy in self.scale.ticks():
            y = self.scale.y(accuracy)
            parts.append(
                Markup(
                    '<path class="grid" d="M%d %.1fH%d"/>'
                    '<text x="%d" y="%.1f" text-anchor="end" dominant-baseline="central">%s\N{NO-BREAK SPACE}%%</text>'
                )
                % (self.left, y, self.edge, self.left - 6, y, f"{100 * accuracy:.3g}")
            )
        for prevalence in self._ticks():
            x = self.x(prevalence)
            parts.append(
                Markup('<path class="tick" d="M%.1f %dv5"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>')
                % (x, _BOTTOM, x, _BOTTOM + 18, per_cent(prevalence))
            )
        parts.append(
            Markup('<text class="axis" x="%d" y="%d" text-anchor="middle">noise prevalence N</text>')
            % ((self.left + self.edge) // 2, _HEIGHT - 5)
        )
        return Markup("").join(parts)

    def _ticks(self) -> list[float]:
        """The ends of the axis, and what has room between them."""
        found = [self.axis.least]
        for mark in self.axis.marks():
            if self.x(found[-1]) + _TICK_WIDE < self.x(mark) < self.edge - _TICK_WIDE:
                found.append(mark)
        return [*found, self.axis.most]


def _free(x: float, y: float, taken: Sequence[tuple[float, float]]) -> float:
    """The nearest height at which the number of a crossing at (x, y) does not overlap those at ``taken``."""
    near = [other for at, other in taken if abs(at - x) < _NUMBER_WIDE]
    places = (
        place for step in range(len(near) + 1) for place in (y - 8 - step * _NUMBER_HIGH, y + 17 + step * _NUMBER_HIGH)
    )
    inside = (place for place in places if _TOP <= place <= _BOTTOM)
    return next((place for place in inside if all(abs(place - other) >= _NUMBER_HIGH for other in near)), y - 8)


def _told(key: str, line: Line, axis: Axis) -> str:
    """The tooltip of a line: its accuracies at both ends."""
    ends = (f"{100 * line.at(n):.2f}{PER_CENT} at N = {per_cent(n)}" for n in (axis.least, axis.most))
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
        return _TOP + (self.high - accuracy) / (self.high - self.low) * (_BOTTOM - _TOP)

    def ticks(self) -> list[float]:
        return [self.low + n * self.step for n in range(round((self.high - self.low) / self.step) + 1)]


def _spread(ends: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Positions for the names at the ends of lines: near the line, at least ``_APART`` apart, within the chart."""
    ordered = sorted(ends, key=lambda end: end[1])
    placed: list[float] = []
    for _, wanted in ordered:
        placed.append(max(wanted, placed[-1] + _APART) if placed else max(wanted, _TOP))
    last = float(_BOTTOM)
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], last)
        last = placed[place] - _APART
    return {end[0]: y for end, y in zip(ordered, placed, strict=True)}


def per_cent(fraction: float) -> str:
    """A fraction for an axis, with no more digits than are needed to distinguish it.

    >>> per_cent(0.0018), per_cent(0.0294), per_cent(0.4), per_cent(1.0)
    ('0.18\\xa0%', '2.9\\xa0%', '40\\xa0%', '100\\xa0%')
    """
    value = 100 * fraction
    digits = 2 if value < 1 else 1 if value < 10 else 0
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") + PER_CENT if digits else f"{value:.0f}{PER_CENT}"
