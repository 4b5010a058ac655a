"""Badges: small SVG pictures for a README, such as "CIFAR-10 test set: 54 label errors"."""

from typing import Final

from markupsafe import Markup, escape

from app.catalogue.records import Dataset
from app.web.templates import counted

#: Width of a character at this font size, on average; ``textLength`` makes the text fit exactly.
_CHARACTER: Final = 6.6
_PADDING: Final = 8
_BADGE: Final = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{name}: {value}">'
    "<title>{name}: {value}</title>"
    '<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>'
    '<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3a3d40"/>'
    '<rect x="{left}" width="{right}" height="20" fill="#b3261e"/></g>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
    '<text x="{padding}" y="14" textLength="{name_width}">{name}</text>'
    '<text x="{value_at}" y="14" textLength="{value_width}">{value}</text></g></svg>\n'
)


def badge_width(name: str, value: str) -> int:
    """The width of a badge, in pixels.

    >>> badge_width("a", "bc")
    52
    """
    return sum(round(_CHARACTER * len(text)) + 2 * _PADDING for text in (name, value))


def summary(dataset: Dataset) -> str:
    """How many label errors a dataset has, as a badge says it.

    Of a dataset of which only a part was checked this is the estimate; without any review, how many
    examples are flagged.
    """
    if not dataset.n_checked:
        return counted(dataset.n_issues, "flagged example")
    if dataset.estimated_errors is not None and dataset.estimated_errors != dataset.n_errors:
        return f"about {counted(dataset.estimated_errors, 'label error')}"
    return counted(dataset.n_errors, "label error")


def badge(name: str, value: str) -> str:
    """A badge with a name and a value as SVG.

    >>> "<title>CIFAR-10 test set: 54 label errors</title>" in badge("CIFAR-10 test set", "54 label errors")
    True
    """
    name_width, value_width = (round(_CHARACTER * len(text)) for text in (name, value))
    left, right = name_width + 2 * _PADDING, value_width + 2 * _PADDING
    return _BADGE.format(
        name=escape(name),
        value=escape(value),
        width=left + right,
        left=left,
        right=right,
        padding=_PADDING,
        name_width=name_width,
        value_width=value_width,
        value_at=left + _PADDING,
    )
