"""Badges: small SVG pictures for a README, such as "CIFAR-10 test set: 54 label errors"."""

from typing import Final

from markupsafe import Markup, escape

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
