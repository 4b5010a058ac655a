"""The reliability of probabilities as SVG; the table below it has the same numbers.

There are no inline styles: shapes are placed by attributes and coloured by classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

_SIDE: Final = 320
_LEFT, _ABOVE, _RIGHT, _BELOW = 48, 14, 26, 46
_TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def reliability_chart(points: Sequence[Mapping[str, Any]], what: str) -> Markup:
    """Share of confirmed corrections over the probability said, with intervals; the diagonal is perfect."""
    parts = [_axes()]
    for point in points:
        x, (low, high) = _x(point["said"]), point["interval"]
        told = f"Said {point['said']:.2f}: {point['right']:.2f} of {point['n']:,} confirmed"
        parts.append(
            Markup(
                '<g><title>%s</title><path class="spread" d="M%.1f %.1fV%.1f"/><circle cx="%.1f" cy="%.1f" r="4"/></g>'
            )
            % (told, x, _y(low), _y(high), x, _y(point["right"]))
        )
    if len(points) > 1:
        line = "L".join(f"{_x(point['said']):.1f} {_y(point['right']):.1f}" for point in points)
        parts.append(Markup('<path class="said" d="M%s"/>') % line)
    return Markup('<svg class="reliability" viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>') % (
        _LEFT + _SIDE + _RIGHT,
        _ABOVE + _SIDE + _BELOW,
        f"Reliability curve: {what}",
        Markup("").join(parts),
    )


def _axes() -> Markup:
    lines = "".join(f"M{_LEFT} {_y(tick):.1f}h{_SIDE}M{_x(tick):.1f} {_ABOVE}v{_SIDE}" for tick in _TICKS)
    parts = [Markup('<path class="grid" d="%s"/>') % lines]
    parts.append(Markup('<path class="perfect" d="M%.1f %.1fL%.1f %.1f"/>') % (_x(0), _y(0), _x(1), _y(1)))
    for tick in _TICKS:
        word = f"{100 * tick:.0f}\N{NO-BREAK SPACE}%"
        parts.append(
            Markup('<text x="%d" y="%.1f" text-anchor="end" dominant-baseline="central">%s</text>')
            % (_LEFT - 8, _y(tick), word)
        )
        parts.append(
            Markup('<text x="%.1f" y="%d" text-anchor="middle">%s</text>') % (_x(tick), _ABOVE + _SIDE + 18, word)
        )
    parts.append(Markup('<text class="axis" x="%d" y="%d">said →</text>') % (_LEFT, _ABOVE + _SIDE + 38))
    return Markup("").join(parts)


def _x(probability: float) -> float:
    return _LEFT + probability * _SIDE


def _y(share: float) -> float:
    return _ABOVE + (1 - share) * _SIDE
