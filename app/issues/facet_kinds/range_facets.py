"""The facets for scores of the model that flags: an issue has one if its score lies in a range, ``0.1..0.3``.

``app.issues.facets`` lists them. A score takes as many values as there are issues, so issues are not counted by it: the
rows in a range are chosen first, and everything else is counted among them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement

from app.catalogue.records import Dataset
from app.errors import FilterError
from app.issues.facet import Facet
from app.schema import tables

_i: Final = tables.issues.c
_RANGE: Final = re.compile(r"(-?\d{1,3}(?:\.\d{1,9})?)?\.\.(-?\d{1,3}(?:\.\d{1,9})?)?", re.ASCII)


class Range(NamedTuple):
    """Scores from ``low`` up to ``high``, which itself is in the range only where no score is larger.

    So ranges side by side have no issue in common.
    """

    low: float
    high: float


def read_range(name: str, value: str, limits: Range) -> Range:
    """Parse a range; an end that is left out is that of the scale. Raises FilterError with what is expected.

    >>> read_range("margin", "-0.5..0.25", Range(-1, 1)), read_range("margin", "0.25..", Range(-1, 1))
    (Range(low=-0.5, high=0.25), Range(low=0.25, high=1))
    """
    found = _RANGE.fullmatch(value)
    if found is None or value == "..":
        raise _refused(name, value, limits)
    low, high = (limit if text is None else _short(text) for text, limit in zip(found.groups(), limits, strict=True))
    if not limits.low <= low < high <= limits.high:
        raise _refused(name, value, limits)
    return Range(low, high)


def spell_range(value: Range) -> str:
    """A range as an address has it.

    >>> spell_range(Range(-1, 0.125))
    '-1..0.125'
    """
    return f"{value.low:g}..{value.high:g}"


def _short(text: str) -> float:
    # As many digits as are written into addresses, so that a filter and its address are the same filter.
    return float(f"{float(text):g}")


def _refused(name: str, value: str, limits: Range) -> FilterError:
    explanation = (
        f"{name} is {value[:40]!r}; expected two numbers from {limits.low:g} to {limits.high:g}, the smaller first, "
        f"like {spell_range(limits)}."
    )
    return FilterError(name, value, [], explanation)


def _words(value: Range, limits: Range) -> str:
    """A range for readers, with true minus signs."""
    low, high = (f"{end:g}".replace("-", "−") for end in value)
    if value.low == limits.low:
        return f"below {high}"
    return f"at least {low}" if value.high == limits.high else f"from {low} to {high}"


def _score(
    name: str, title: str, column: ColumnElement[Any], limits: Range, exists: Callable[[Dataset], bool]
) -> Facet:
    def read(dataset: Dataset, parameter: str, value: str) -> Range | None:
        if not exists(dataset):
            raise FilterError(parameter, value, [], f"The issues of {dataset.title} have no {title.lower()}.")
        found = read_range(parameter, value, limits)
        # All of the scale is no condition: every issue that has a score would be read to be counted.
        return None if found == limits else found

    def where(_: Dataset, values: Sequence[Range], __: bool) -> list[ColumnElement[bool]]:
        (asked,) = values
        below = column <= asked.high if asked.high == limits.high else column < asked.high
        return [column >= asked.low, below]

    def clause(_: Dataset, chosen: Mapping[str, Range]) -> str:
        return f"with a {title.lower()} {_words(chosen[name], limits)}"

    return Facet(
        name=name,
        title=title,
        narrows=True,
        read=read,
        spell=lambda _, value: spell_range(value),
        says=f"Issues whose {title.lower()} lies in a range, like ``{spell_range(Range(limits.low, 0.25))}``: from the "
        "first number up to, without, the second. An end may be left out.",
        schema={"type": "string"},
        label=lambda _, value: _words(value, limits),
        chip=lambda _, value: f"{title.lower()} {_words(value, limits)}",
        clause=clause,
        where=where,
        columns=(column,),
        exists=exists,
    )


SELF_CONFIDENCE: Final = _score(
    "self_confidence", "Self-confidence", _i.self_confidence, Range(0, 1), lambda dataset: dataset.ranked
)
MARGIN: Final = _score(
    "margin",
    "Normalized margin",
    _i.normalized_margin,
    Range(-1, 1),
    lambda dataset: dataset.ranked and dataset.confident_learning is not None,
)
