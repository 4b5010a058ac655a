"""Mark the words of a text that support one label or the other."""

from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

#: Words with at least this share of the strongest one's weight are marked strongly.
_STRONG: Final = 0.6


def highlight(text: str, spans: Iterable[tuple[int, int, float]]) -> Markup:
    """The text as escaped HTML with its telling words marked; ``spans`` are as in ``IssueDetail``, in order.

    >>> print(highlight("Sun & rain", [(0, 3, 1.0), (6, 10, -0.5)]))
    <mark class="guessed strong">Sun</mark> &amp; <mark class="given">rain</mark>
    """
    pieces, at = [], 0
    for begin, end, share in spans:
        side = "guessed" if share > 0 else "given"
        strong = " strong" if abs(share) >= _STRONG else ""
        pieces.append(escape(text[at:begin]))
        pieces.append(Markup('<mark class="{}{}">{}</mark>').format(side, strong, text[begin:end]))
        at = end
    return Markup("").join([*pieces, escape(text[at:])])
