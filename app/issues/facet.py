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

#: Values of a facet in a query, in SQL and in Python: a class id, a word, a number.
Value = Any


class CountedIn(IntEnum):
    """The groups of issues in which a facet can be counted. Each kind includes the columns of those before it."""

    STORED = 0  # the tables of ``app.schema.facet_tables``, which ingest counts
    ISSUES = 1  # groups counted over all issues when first needed, in a reader thread
    MODELS = 2  # the issues that reviewers corrected, one by one, with models' predictions and opinions


@dataclass(frozen=True, slots=True)
class Others:
    """The form field for choices that there is no room to list."""

    label: Callable[[Dataset, int], str]  # of the field, given the number of choices left out
    listed: Callable[[Dataset], Sequence[str]] | None = None  # what to choose from; None if a class is typed in


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facet:
    """One property of issues. ``value`` is one choice; a filter holds one value, or a tuple if ``many``."""

    name: str  # of its query parameter
    #: The name that a dataset gives the parameter instead; both are read, and its own is written.
    called: Callable[[Dataset], str | None] = lambda _: None
    title: str  # heading of its choices
    heading: Callable[[Dataset], str | None] = lambda _: None  # instead of the title

    # Its parameter
    read: Callable[[Dataset, str, str], Value]  # (dataset, name, text); raises FilterError with what is allowed
    spell: Callable[[Dataset, Value], str] = lambda _, value: str(value)
    says: str  # its description in the documentation
    schema: Mapping[str, Any]  # in OpenAPI
    many: bool = False  # several values can be given and mean any of them
    everything: str | None = None  # the value that sets no condition, if a page without one shows less
    #: The values that a page shows whose address names none.
    shown_first: Callable[[Dataset], Sequence[Value]] = lambda _: ()

    # Its words
    label: Callable[[Dataset, Value], str]  # as a choice
    chip: Callable[[Dataset, Value], str]  # as an active filter
    #: The kind of issue ("correctable issue") for all values chosen. At most one facet has it.
    noun: Callable[[Sequence[Value]], str] | None = None
    #: Its part of the sentence, given name -> value for all chosen facets that share this function.
    clause: Callable[[Dataset, Mapping[str, Value]], str] | None = None

    # Its condition
    #: Whether every issue with these values was reviewed. If so, the query starts from the verdicts.
    reviewed: Callable[[Sequence[Value]], bool] = lambda _: False
    #: Its SQL condition on ``issues`` joined with ``verdicts``; the last argument says whether verdicts come first.
    where: Callable[[Dataset, Sequence[Value], bool], list[ColumnElement[bool]]]

    # Its counts
    #: Whether the rows with its value are chosen before anything is counted, as those of a search are. Such a facet has
    #: no choices with counts: its values are a continuum.
    narrows: bool = False
    counted_in: CountedIn = CountedIn.STORED
    stored: ColumnElement[Any] | None = None  # its column in the table ``facets``, if ingest counts it
    #: Its columns in ``issues``, ``verdicts`` and ``predictions``; several are read as a tuple.
    columns: Sequence[ColumnElement[Any]]
    #: The values of an issue, computed from its columns. An issue with a null column has none.
    means: Callable[[Dataset, Any], Sequence[Value]] = lambda _, stored: (stored,)

    # Its choices
    exists: Callable[[Dataset], bool] = lambda _: True  # whether the dataset has any choice
    #: Choices in display order, given the chosen ones; by default all values there are, most frequent first.
    order: Callable[[Dataset, Sequence[Value]], Sequence[Value]] | None = None
    indented: frozenset[Value] = frozenset()  # choices shown as part of the one above
    folded: bool = False  # its choices are folded until one is chosen
    others: Others | None = None

    def parameter(self, dataset: Dataset) -> str:
        """The name of its query parameter for a dataset."""
        return self.called(dataset) or self.name

    def put(self, values: Sequence[Value]) -> Value:
        """Values as a filter holds them; no value is () for a facet with ``many``, else None."""
        return tuple(values) if self.many else next(iter(values), None)

    def taken(self, held: Value) -> Sequence[Value]:
        """The values that a filter holds."""
        values: Sequence[Value] = held if self.many else (held,)
        return values


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a facet offers. ``count`` is how many issues the gallery shows after choosing it."""

    value: str  # as the query string spells it
    label: str
    count: int
    active: bool
    query: str  # query string (without "?") of the gallery with this choice taken; taken back when active
    indented: bool = False  # part of the choice above it


@dataclass(frozen=True, slots=True)
class Choices:
    """What one facet offers to choose. ``more`` counts the choices left out."""

    name: str  # name of the parameter
    title: str
    choices: tuple[Choice, ...]
    more: int = 0
    folded: bool = False  # shown when it is opened


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter: what it says, and the query string that is left when it is removed."""

    label: str
    query: str


#: What a filter holds for a facet without a choice.
NOTHING: Final = (None, ())
