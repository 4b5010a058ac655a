"""A chart of ranks by two measures: one line a model, the chosen ones in their own colour and dash."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from app.site.stability.label_fit import fitted
from app.site.stability.results import RankChange

_ROW: Final = 20  # height of a model
_TOP: Final = 34
_BOLD: Final = 1.13  # how much wider bold characters are
_RANK_WIDE: Final = 34  # what a rank beside a name takes


class _Sheet(NamedTuple):
    """The drawing for a screen: its class, how wide it is, and between where and where lines go."""

    name: str
    width: int
    left: int
    right: int


#: The style sheet shows one of the two.
_SHEETS: Final = (_Sheet("wide", 500, 190, 310), _Sheet("narrow", 350, 146, 204))


def slope_chart(moved: Sequence[RankChange], looks: Mapping[str, str], left: str, right: str, label: str) -> Markup:
    """Ranks by two measures, best at the top, one line a model: for a wide and for a narrow screen.

    ``looks`` are the classes of the models to stress; all others are drawn in gray. Names too long for the chart are
    shortened; the title of a line has all of its name. Models of equal rank are listed below each other by name, with
    an equals sign at their rank.
    """
    return Markup("").join(_drawn(sheet, moved, looks, (left, right), label) for sheet in _SHEETS)


def _drawn(
    sheet: _Sheet, moved: Sequence[RankChange], looks: Mapping[str, str], words: tuple[str, str], label: str
) -> Markup:
    height = _TOP + len(moved) * _ROW + 6
    before, after = _slots({m.key: m.before for m in moved}), _slots({m.key: m.after for m in moved})
    parts = [
        Markup('<text class="axis" x="%d" y="16" text-anchor="end">%s</text>') % (sheet.left - 8, words[0]),
        Markup('<text class="axis" x="%d" y="16">%s</text>') % (sheet.right + 8, words[1]),
    ]
    room = sheet.left - 8 - _RANK_WIDE
    names = fitted({m.key: room / _BOLD if m.key in looks else room for m in moved})
    tied_before, tied_after = _shared([m.before for m in moved]), _shared([m.after for m in moved])
    for model in sorted(moved, key=lambda m: m.key in looks):
        y, z, name = before[model.key], after[model.key], names[model.key]
        parts.append(
            Markup('<g class="slope %s"><title>%s: number %d, then %d</title><path d="M%d %dL%d %d"/>%s%s</g>')
            % (
                f"stressed {looks[model.key]}" if model.key in looks else "rest",
                model.key,
                model.before,
                model.after,
                sheet.left,
                y,
                sheet.right,
                z,
                _text(name, model.before, model.before in tied_before, sheet.left - 8, y, "end"),
                _text(name, model.after, model.after in tied_after, sheet.right + 8, z, "start"),
            )
        )
    return Markup('<svg class="slopes %s" viewBox="0 0 %d %d" width="%d" role="img" aria-label="%s">%s</svg>') % (
        sheet.name,
        sheet.width,
        height,
        sheet.width,
        label,
        Markup("").join(parts),
    )


def _slots(ranks: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(ranks, key=lambda key: (ranks[key], key))
    return {key: _TOP + place * _ROW + _ROW // 2 for place, key in enumerate(ordered)}


def _shared(ranks: Sequence[int]) -> set[int]:
    """The ranks that several models share."""
    return {rank for rank in ranks if ranks.count(rank) > 1}


def _text(key: str, rank: int, tied: bool, x: int, y: int, anchor: str) -> Markup:
    place = f"{rank}=" if tied else str(rank)
    words = f"{key}  {place}" if anchor == "end" else f"{place}  {key}"
    return Markup('<text x="%d" y="%d" text-anchor="%s" dominant-baseline="central">%s</text>') % (x, y, anchor, words)
