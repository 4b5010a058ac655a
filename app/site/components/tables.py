"""Headers of sortable tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Header:
    """A column header: its title, the address that sorts by it, and how the table is sorted by it now."""

    title: str
    href: str
    numeric: bool
    state: str | None  # "ascending", "descending" (the words of aria-sort) or None


def header(
    name: str,
    title: str,
    numeric: bool,
    wanted: str,
    fragment: str = "",
    parameter: str = "sort",
    others: Mapping[str, str] | None = None,
) -> Header:
    """The header of a column. The first click puts the largest figures or first names on top; the next reverses."""
    state = {name: "ascending", f"-{name}": "descending"}.get(wanted)
    first = f"-{name}" if numeric else name
    back = name if numeric else f"-{name}"
    query = urlencode({**(others or {}), parameter: back if wanted == first else first})
    return Header(title, f"?{query}{fragment}", numeric, state)
