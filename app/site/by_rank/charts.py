"""Charts of errors by rank as SVG; the table below them has the same numbers.

As in ``components.charts``, there are no inline styles: shapes are placed by attributes and coloured by classes.
"""

import math
from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from app.site.by_rank.context import ErrorsByRank

_WIDTH, _HEIGHT = 640, 280
_LEFT, _RIGHT, _ABOVE, _BELOW = 52, 16, 14, 46
_FLOOR: Final = _HEIGHT - _BELOW
_APART: Final = 34  # minimum distance between the words of two ticks, and how much a digit adds
_DIGIT: Final = 6

_Place = Callable[[float], float]


def share_chart(found: ErrorsByRank) -> Markup:
    """Shares of errors in bins of rank, their intervals, and the fitted curve; dashed where none is checked.

    The axis of ranks is logarithmic.
    """
    last = max(found.last, found.forecast.last if found.forecast else 0, 2)
    x = _log_axis(last)
    parts = [_axes(x, last, lambda height: f"{height:.0%}".replace("%", "\N{NO-BREAK SPACE}%"), 1.0)]
    for one in found.bins:
        if one.share is None or one.interval is None:
            continue
        left, right = x(max(one.first - 0.5, 1)), x(one.last)
        right = max(right, left + 2)
        middle, (low, high) = (left + right) / 2, one.interval
        parts.append(
            Markup(
                '<g><title>%s</title><path class="spread" d="M%.1f %.1fV%.1f"/>'
                '<path class="level%s" d="M%.1f %.1fH%.1f"/></g>'
            )
            % (
                f"Ranks {one.first:,} to {one.last:,}: {one.errors:,} of {one.checked:,} checked",
                middle,
                _y(low),
                _y(high),
                "" if one.complete else " part",
                left,
                _y(one.share),
                right,
            )
        )
    inside = [point for point in found.curve if point[0] <= found.last]
    beyond = [point for point in found.curve if point[0] >= (inside[-1][0] if inside else 0)]
    for kind, points in (("fit", inside), ("fit beyond", beyond)):
        if len(points) > 1:
            path = "L".join(f"{x(rank):.1f} {_y(share):.1f}" for rank, share in points)
            parts.append(Markup('<path class="%s" d="M%s"/>') % (kind, path))
    return _svg(parts, "Line chart: share of errors by rank")


def cumulative_chart(found: ErrorsByRank) -> Markup:
    """Errors up to each rank, over a logarithmic axis of ranks."""
    last = max(found.last, 2)
    x = _log_axis(last)
    most = max(found.errors, 1)
    parts = [_axes(x, last, lambda height: f"{height * most:,.0f}", most)]
    path = "".join(f"L{x(one.last):.1f} {_y(one.errors_so_far / most):.1f}" for one in found.bins)
    parts.append(Markup('<path class="level" d="M%d %d%s"/>') % (_LEFT, _FLOOR, path))
    return _svg(parts, "Line chart: cumulative number of errors by rank")


def _log_axis(last: int) -> _Place:
    return lambda rank: _LEFT + math.log(rank) / math.log(last) * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _FLOOR - share * (_FLOOR - _ABOVE)


def _axes(x: _Place, last: int, words: Callable[[float], str], most: float) -> Markup:
    heights = (0.0, 0.25, 0.5, 0.75, 1.0) if most == 1.0 or most >= 4 else (0.0, 1.0)
    lines = "".join(f"M{_LEFT} {_y(height):.1f}H{_WIDTH - _RIGHT}" for height in heights)
    parts = [Markup('<path class="grid" d="%s"/>') % lines]
    parts += [
        Markup('<text x="%d" y="%.1f" text-anchor="end" dominant-baseline="central">%s</text>')
        % (_LEFT - 8, _y(height), words(height))
        for height in heights
    ]
    taken = math.inf
    for rank in [last, *(10**power for power in range(len(str(last)) - 1, -1, -1))]:
        if taken - x(rank) < _APART + _DIGIT * len(f"{rank:,}"):
            continue
        taken = x(rank)
        parts.append(
            Markup('<path class="tick" d="M%.1f %dv5"/><text x="%.1f" y="%d" text-anchor="%s">%s</text>')
            % (taken, _FLOOR, taken, _FLOOR + 19, "end" if rank == last else "middle", f"{rank:,}")
        )
    parts.append(Markup('<text class="axis" x="%d" y="%d">rank →</text>') % (_LEFT, _HEIGHT - 6))
    return Markup("").join(parts)


def _svg(parts: list[Markup], label: str) -> Markup:
    return Markup('<svg class="by-rank" viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>') % (
        _WIDTH,
        _HEIGHT,
        label,
        Markup("").join(parts),
    )
