"""Charts as SVG, made on the server.

Every page shows the same numbers as text beside them.

Pages forbid inline styles, so shapes are sized by their attributes and coloured by classes of the style sheet. Names
from a dataset are escaped here. Only positions and shades are computed here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from app.catalogue.records import ClassInfo, ConfusionCell
from app.domain.review.corrections import Sizes

_VOTE: Final = 12  # side of one vote's square
_GAP: Final = 3
_CELL: Final = 28  # side of one cell of the heat map, large enough for a finger
_SHADES: Final = 6
_MAP_WIDTH, _MAP_HEIGHT, _MAP_LEFT, _MAP_TOP = 512, 384, 52, 22
_AXIS_WORDS: Final = 92  # room for the titles of the axes
_MOST_CLASSES: Final = 30
_UPRIGHT: Final = 3  # names with at most so many letters stand upright above their column

# Each answer has a shape of its own, so that the bar can be read without colour: given is hollow, guessed is solid,
# both is half and half, neither is crossed out, anything else is a dot.
_SHAPES: Final = {
    "given": '<rect class="v-line" x="{a}" y="1" width="10" height="10"/>',
    "guessed": '<rect class="v-fill" x="{x}" y="0" width="12" height="12"/>',
    "both": '<rect class="v-line" x="{a}" y="1" width="10" height="10"/><path class="v-fill" d="M{x} 12V0L{b} 12Z"/>',
    "neither": '<path class="v-line" d="M{a} 1L{c} 11M{c} 1L{a} 11"/>',
}
_OTHER: Final = '<circle class="v-dot" cx="{m}" cy="6" r="3"/>'


@lru_cache(maxsize=4096)
def vote_bar(votes: tuple[tuple[str, int], ...]) -> Markup:
    """One shape per vote, in the order of the options. Text beside it says the same, so screen readers skip it.

    >>> vote_bar((("given", 1), ("guessed", 2))).count("<rect")
    3
    """
    shapes: list[str] = []
    for option, n in votes:
        for _ in range(n):
            x = len(shapes) * (_VOTE + _GAP)
            shape = _SHAPES.get(option, _OTHER)
            shapes.append(shape.format(x=x, a=x + 1, b=x + 12, c=x + 11, m=x + 6))
    width = max(len(shapes) * (_VOTE + _GAP) - _GAP, 0)
    return Markup('<svg class="ballot" width="%d" height="12" aria-hidden="true">%s</svg>') % (
        width,
        Markup("".join(shapes)),  # noqa: S704 - nothing but the shapes above
    )


@lru_cache(maxsize=2048)
def share_bar(per_mille: int, kind: str = "") -> Markup:
    """A bar that fills ``per_mille`` thousandths of the available width."""
    return Markup(
        '<svg class="share" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="share-ground" width="1000" height="10"/>'
        '<rect class="share-fill %s" width="%d" height="10"/></svg>'
    ) % (kind, max(0, min(per_mille, 1000)))


def sets_bar(sizes: Sizes) -> Markup:
    """The benign, correctable and unknown-label sets as parts of all examples, in one bar.

    The two small sets get a minimum width, because nobody would see them otherwise.
    """
    width = 1000
    small = [max(3.0, width * n / sizes.all) if n else 0.0 for n in (sizes.correctable, sizes.unknown)]
    benign = width - sum(small)
    correctable_at, unknown_at = benign, benign + small[0]
    return Markup(
        '<svg class="sets" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="set-b" width="%.1f" height="40"/>'
        '<rect class="set-c" x="%.1f" width="%.1f" height="40"/>'
        '<rect class="set-u" x="%.1f" width="%.1f" height="40"/></svg>'
    ) % (benign, correctable_at, small[0], unknown_at, small[1])


def most_involved(cells: Sequence[ConfusionCell], most: int = _MOST_CLASSES) -> list[ClassInfo]:
    """The classes that occur in most of the counted issues, at most ``most``, in the order of their ids."""
    weight: dict[int, int] = {}
    infos: dict[int, ClassInfo] = {}
    for cell in cells:
        for info in (cell.given, cell.other):
            weight[info.id] = weight.get(info.id, 0) + cell.count
            infos[info.id] = info
    kept = sorted(weight, key=lambda c: (-weight[c], c))[:most]
    return [infos[c] for c in sorted(kept)]


def heat_map(cells: Sequence[ConfusionCell], address: Callable[[ConfusionCell], str | None], other_word: str) -> Markup:
    """Given labels as rows, the other ones as columns; darker means more issues; a cell links to its ``address``.

    Only the classes of ``most_involved`` have a row and a column. Cells contain their counts, so the shade need not
    be read.
    """
    classes = most_involved(cells)
    at = {info.id: place for place, info in enumerate(classes)}
    shown = [cell for cell in cells if cell.given.id in at and cell.other.id in at]
    largest = max((cell.count for cell in shown), default=1)
    left = _label_width(classes)
    top = left if any(len(info.name) > _UPRIGHT for info in classes) else _AXIS_WORDS // 2
    parts = [_axes(classes, left, top, other_word)]
    parts += [_cell(cell, at, left, top, largest, address(cell), other_word) for cell in shown]
    side = len(classes) * _CELL
    return Markup(
        '<svg class="heat" width="%d" height="%d" viewBox="0 0 %d %d" role="group" aria-label="%s">%s</svg>'
    ) % (
        left + side + 1,
        top + side + 1,
        left + side + 1,
        top + side + 1,
        f"Heat map: given labels down, {other_word} labels across",
        Markup("").join(parts),
    )


class Frame(NamedTuple):
    """The part of a map that is drawn: ``across`` squares wide and twice as many high, ``side`` squares to the unit.

    ``left`` and ``low`` are the numbers of its first square, counted from zero.
    """

    across: int
    side: int
    left: int
    low: int


def score_squares(counts: Mapping[tuple[int, int], int], frame: Frame) -> Markup:
    """Issues by self-confidence, from left to right, and margin, upwards; darker where there are more.

    ``counts`` are by the numbers of a square's lower ends. The drawing has only what is there; a script reads from each
    square where it is and how many issues it has.
    """
    largest = max(counts.values(), default=1)
    width, height = _MAP_WIDTH // frame.across, _MAP_HEIGHT // (2 * frame.across)
    parts = [
        Markup('<rect class="m%d" x="%d" y="%d" width="%d" height="%d" data-at="%d %d" data-n="%d"/>')
        % (
            _log_shade(n, largest),
            _MAP_LEFT + (x - frame.left) * width,
            _MAP_TOP + (2 * frame.across - 1 - (y - frame.low)) * height,
            width,
            height,
            x,
            y,
            n,
        )
        for (x, y), n in sorted(counts.items())
    ]
    return Markup(
        '<svg class="map" viewBox="0 0 %d %d" role="img" aria-label="%s">%s<g class="squares">%s</g></svg>'
    ) % (
        _MAP_LEFT + _MAP_WIDTH + 12,
        _MAP_TOP + _MAP_HEIGHT + 44,
        "Map: self-confidence across, normalized margin up; the table below has the same numbers",
        _map_axes(frame),
        Markup("").join(parts),
    )


def _map_axes(frame: Frame) -> Markup:
    bottom, right = _MAP_TOP + _MAP_HEIGHT, _MAP_LEFT + _MAP_WIDTH
    parts = [
        Markup('<rect class="map-ground" x="%d" y="%d" width="%d" height="%d"/>')
        % (_MAP_LEFT, _MAP_TOP, _MAP_WIDTH, _MAP_HEIGHT)
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, words = _MAP_LEFT + share * _MAP_WIDTH, _map_number((frame.left + share * frame.across) / frame.side)
        line = Markup('<path class="grid" d="M%d %dV%d"/><text x="%d" y="%d" text-anchor="middle">%s</text>')
        parts.append(line % (x, _MAP_TOP, bottom, x, bottom + 18, words))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y, words = bottom - share * _MAP_HEIGHT, _map_number((frame.low + 2 * share * frame.across) / frame.side)
        line = Markup('<path class="grid" d="M%d %dH%d"/><text x="%d" y="%d" text-anchor="end">%s</text>')
        parts.append(line % (_MAP_LEFT, y, right, _MAP_LEFT - 6, y + 4, words))
    parts.append(
        Markup('<text class="axis" x="%d" y="%d" text-anchor="middle">self-confidence →</text>')
        % ((_MAP_LEFT + right) // 2, bottom + 38)
    )
    parts.append(Markup('<text class="axis" x="%d" y="15">↑ margin</text>') % _MAP_LEFT)
    return Markup("").join(parts)


def _map_number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _log_shade(n: int, largest: int) -> int:
    """The shade, 2 to 6, in even steps of the logarithm: squares differ by orders of magnitude, and 1 is hardly seen.

    >>> _log_shade(1, 1000), _log_shade(32, 1000), _log_shade(1000, 1000), _log_shade(1, 1)
    (2, 4, 6, 6)
    """
    return 2 + int((_SHADES - 2) * (math.log(n) / math.log(largest) if largest > 1 else 1.0))


def _label_width(classes: Sequence[ClassInfo]) -> int:
    longest = max((len(_short(info.name)) for info in classes), default=0)
    return max(_AXIS_WORDS, 24 + int(longest * 8.8))


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"


def _axes(classes: Sequence[ClassInfo], left: int, top: int, other_word: str) -> Markup:
    upright = all(len(info.name) <= _UPRIGHT for info in classes)
    parts = [
        Markup('<text class="axis" x="%d" y="%d" text-anchor="end">given ↓</text>') % (left - 8, top - 26),
        Markup('<text class="axis" x="%d" y="%d" text-anchor="end">%s →</text>') % (left - 8, top - 8, other_word),
        Markup('<path class="grid" d="%s"/>') % _grid(len(classes), left, top),
    ]
    for place, info in enumerate(classes):
        middle = place * _CELL + _CELL // 2
        name = escape(_short(info.name))
        row, column = top + middle, left + middle
        turned = Markup('text-anchor="middle" x="%d" y="%d"') % (column, top - 8)
        if not upright:
            turned = Markup('dominant-baseline="central" transform="translate(%d %d) rotate(-90)"') % (column, top - 8)
        parts.append(
            Markup('<text x="%d" y="%d" text-anchor="end" dominant-baseline="central">%s</text><text %s>%s</text>')
            % (left - 8, row, name, turned, name)
        )
        x, y = left + place * _CELL, top + place * _CELL
        parts.append(Markup('<rect class="own" x="%d" y="%d" width="%d" height="%d"/>') % (x, y, _CELL, _CELL))
    return Markup("").join(parts)


def _grid(n: int, left: int, top: int) -> str:
    side = n * _CELL
    lines = [f"M{left + place * _CELL} {top}v{side}M{left} {top + place * _CELL}h{side}" for place in range(n + 1)]
    return "".join(lines)


def _cell(
    cell: ConfusionCell, at: Mapping[int, int], left: int, top: int, largest: int, href: str | None, other_word: str
) -> Markup:
    x, y = left + at[cell.other.id] * _CELL, top + at[cell.given.id] * _CELL
    words = f"{cell.count:,} given {cell.given.name}, {other_word} {cell.other.name}"
    shade = _shade(cell.count, largest)
    drawn = Markup(
        '<rect class="h%d" x="%d" y="%d" width="%d" height="%d"/>'
        '<text class="n%d" x="%d" y="%d" text-anchor="middle" dominant-baseline="central">%s</text><title>%s</title>'
    ) % (shade, x, y, _CELL, _CELL, shade, x + _CELL // 2, y + _CELL // 2, _brief(cell.count), words)
    if href is None:
        return Markup("<g>%s</g>") % drawn
    return Markup('<a href="%s" aria-label="%s">%s</a>') % (href, words, drawn)


def _shade(count: int, largest: int) -> int:
    """The shade, 1 to 6, in even steps of the square root, so that single issues differ from handfuls."""
    return max(1, round(_SHADES * math.sqrt(count / largest)))


def _brief(count: int) -> str:
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.0f}M"
