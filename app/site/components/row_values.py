"""A row of a table as a small table of its own, one line for each column, with unusual values marked."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

from app.catalogue.table_row import RowValue

#: How many columns a card shows; unusual ones come first.
_ON_A_CARD: Final = 6
#: The longest value on a card, in characters.
_LONGEST: Final = 80

#: What a mark means, for the pages that show some.
MEANING: Final = (
    "Marked values are unusual for the given label. A number is, if it lies outside the range in which 95 % of the "
    "rows of this class would lie, judged by the middle half of them; a category, if fewer than 2 % of them have it "
    "and it is half as frequent as others or less."
).replace(" %", "\N{NO-BREAK SPACE}%")


def row_values(idx: int, values: Sequence[RowValue]) -> Markup:
    """The whole row."""
    return _table(idx, values, None, "")


def short_row(idx: int, values: Sequence[RowValue]) -> Markup:
    """The row as a card shows it: unusual values first, then others as far as there is room."""
    if len(values) <= _ON_A_CARD:
        return _table(idx, values, _LONGEST, "")
    chosen = sorted(values, key=lambda value: value.unusual is None)[:_ON_A_CARD]
    more = len(values) - len(chosen)
    return _table(idx, chosen, _LONGEST, f'<p class="aside">and {more} more column{"s" if more > 1 else ""}</p>')


def _table(idx: int, values: Sequence[RowValue], longest: int | None, after: str) -> Markup:
    lines = "".join(_line(value, longest) for value in values)
    return Markup(  # noqa: S704 - all text of the row is escaped in _line
        f'<table class="values"><caption class="hidden">Row {idx}</caption><tbody>{lines}</tbody></table>{after}'
    )


def _line(value: RowValue, longest: int | None) -> str:
    text = "none" if value.value is None else str(value.value)
    text = text if longest is None or len(text) <= longest else f"{text[: longest - 1]}…"
    shown = f'<i class="aside">{text}</i>' if value.value is None else str(escape(text))
    if value.unusual is not None:
        shown = f'<mark class="unusual">{shown}</mark> <span class="aside">{escape(value.unusual)}</span>'
    return f'<tr><th scope="row">{escape(value.column)}</th><td>{shown}</td></tr>'
