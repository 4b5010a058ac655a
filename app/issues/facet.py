"""The definition of a facet: one property that issues can be filtered by, with everything needed to use it.

The facets themselves are listed in ``app.issues.facets``. Filter, SQL, counts, sentence, chips, side column and
documentation all read that list, so adding a facet means adding one entry.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import ColumnElement

from app.catalogue.records import Dataset

#: Values that a facet has in a query, in SQL and in Python: a class id, a word, a number.
Value = Any


class CountedIn(IntEnum):
    """The groups of issues that a facet can be counted in. Each kind has the columns of those before it."""

    STORED = 0  # the table ``facets``, which ingest counts
    ISSUES = 1  # groups that are counted over all issues when first asked for, in a reader thread
    MODELS = 2  # the issues that reviewers corrected, one by one, with what the models predict


@dataclass(frozen=True, slots=True)
class Others:
    """How a page asks for one of the choices that there is no room for."""

    label: Callable[[Dataset, int], str]  # of the field, given how many choices are left out
    listed: Callable[[Dataset], Sequence[str]] | None = None  # what to choose from; None where a class is typed in


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facet:
    """One property of issues. ``value`` is one choice; a filter holds one, or, of a facet of ``many``, a tuple."""

    name: str  # of its parameter
    title: str  # above its choices

    # Its parameter
    read: Callable[[Dataset, str, str], Value]  # (dataset, name, text); raises FilterError with what is allowed
    spell: Callable[[Dataset, Value], str] = lambda _, value: str(value)
    says: str  # what the documentation says of it
    schema: Mapping[str, Any]  # in OpenAPI
    many: bool = False  # several of its values mean any of them

    # Its words
    label: Callable[[Dataset, Value], str]  # as a choice
    chip: Callable[[Dataset, Value], str]  # as a filter that is on
    #: The kind of issue: "correctable issue", from all values chosen. At most one facet has it.
    noun: Callable[[Sequence[Value]], str] | None = None
    #: Its part of the sentence, of name -> value of all chosen facets that share this very function.
    clause: Callable[[Dataset, Mapping[str, Value]], str] | None = None

    # Its condition
    #: Whether every issue with these values was reviewed. Then the verdicts lead to the issues.
    reviewed: Callable[[Sequence[Value]], bool] = lambda _: False
    #: What SQL asks of ``issues`` joined with ``verdicts``; the last argument says whether verdicts lead.
    where: Callable[[Dataset, Sequence[Value], bool], list[ColumnElement[bool]]]

    # Its counts
    counted_in: CountedIn = CountedIn.STORED
    stored: ColumnElement[Any] | None = None  # its column of the table ``facets``, where ingest counts it
    #: Its columns of ``issues``, ``verdicts`` and ``predictions``; several of them are read as a tuple.
    columns: Sequence[ColumnElement[Any]]
    #: Which values an issue has, from its columns. One that is null has none.
    means: Callable[[Dataset, Any], Sequence[Value]] = lambda _, stored: (stored,)

    # Its choices
    exists: Callable[[Dataset], bool] = lambda _: True  # whether the dataset has something to choose from
    #: Choices in the order to show, given the chosen ones; without, those there are, most frequent first.
    order: Callable[[Dataset, Sequence[Value]], Sequence[Value]] | None = None
    indented: frozenset[Value] = frozenset()  # choices that are part of the one above
    others: Others | None = None

    def put(self, values: Sequence[Value]) -> Value:
        """Values as a filter holds them; no value is () for a facet of many, else None."""
        return tuple(values) if self.many else next(iter(values), None)

    def taken(self, held: Value) -> Sequence[Value]:
        """The values in what a filter holds."""
        values: Sequence[Value] = held if self.many else (held,)
        return values


#: What a filter holds where a facet is not chosen.
NOTHING: Final = (None, ())
