"""Cells: groups of issues with the same value in every facet.

Every count is a sum over cells.

The cells of a dataset are counted at ingest. Those of a search or of a range of scores, and of facets that ingest does
not count, are counted once, when they are first needed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.issues.facet import CountedIn, Facet, Value
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter
from app.issues.where import cells_of_issues, cells_of_models
from app.schema import facet_tables

Mask = NDArray[np.bool_]
Counts = dict[Value, int]
_Numbers = NDArray[np.int64]
_Places = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """The stored values of one facet in some cells, each different one once."""

    stored: tuple[Any, ...]  # labels by id, or words; None for none
    cells: _Places  # (cells,) index into ``stored``

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """Values of any kind, as rows hold them."""
        places = {one: place for place, one in enumerate(dict.fromkeys(values))}
        return cls(tuple(places), np.fromiter(map(places.__getitem__, values), np.int32, len(values)))

    @classmethod
    def of_numbers(cls, values: _Numbers, kind: Callable[[int], Any] = int) -> Self:
        """Numbers from 0, none of them much larger than there are; ``kind`` is what they stand for."""
        there = np.flatnonzero(np.bincount(values))
        places = np.zeros(int(values.max(initial=0)) + 1, np.int32)
        places[there] = np.arange(len(there))
        return cls(tuple(map(kind, there.tolist())), places[values])

    @classmethod
    def of_one(cls, value: Any, n: int) -> Self:
        """The same value in ``n`` cells."""
        return cls((value,) if n else (), np.zeros(n, np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one facet in all cells. A cell has one stored value, which can mean several values, or none."""

    cells: _Places  # (cells,) index into ``stored``
    stored: tuple[Any, ...]  # labels by id, or words; None for none
    values: dict[Value, int]  # value -> its index
    meaning: tuple[_Numbers, _Numbers]  # pairs (index into ``stored``, index into ``values``)

    @classmethod
    def of(cls, dataset: Dataset, facet: Facet, parts: Sequence[Coded]) -> Self:
        """The column for values as stored in the catalogue, in parts that follow one another."""
        places: dict[Any, int] = {}
        cells = [
            np.array([places.setdefault(one, len(places)) for one in part.stored], np.int32)[part.cells]
            for part in parts
        ]
        values: dict[Value, int] = {}
        pairs = [
            (place, values.setdefault(value, len(values)))
            for one, place in places.items()
            if one is not None
            for value in facet.means(dataset, one)
        ]
        of_stored, of_values = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return cls(np.concatenate(cells), tuple(places), values, (of_stored, of_values))

    def having(self, wanted: Iterable[Value]) -> Mask:
        """(cells,) which cells have one of the wanted values."""
        places = [self.values[value] for value in wanted if value in self.values]
        of_stored, of_values = self.meaning
        has = np.zeros(len(self.stored), dtype=np.bool_)
        has[of_stored[np.isin(of_values, places)]] = True
        found: Mask = has[self.cells]
        return found

    def counts(self, mask: Mask, n: _Numbers) -> Counts:
        """Value -> number of issues with it in the masked cells; values with none are left out."""
        by_stored = np.bincount(self.cells[mask], weights=n[mask], minlength=len(self.stored))
        of_stored, of_values = self.meaning
        by_value = np.bincount(of_values, weights=by_stored[of_stored], minlength=len(self.values))
        found = by_value.astype(np.int64).tolist()
        return {value: n for value, n in zip(self.values, found, strict=True) if n}


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Groups of issues; ``n`` is the number of issues in each. Each kind of cells has columns for its own facets."""

    n: _Numbers
    columns: dict[str, Column]

    def matching(self, f: IssueFilter, leave_out: str = "") -> Mask:
        """(cells,) which cells a filter selects, ignoring its facet ``leave_out``."""
        mask = np.ones(len(self.n), dtype=np.bool_)
        for facet, values in f.taken():
            if facet.name != leave_out and not facet.narrows:
                mask &= self.columns[facet.name].having(values)
        return mask

    def counts(self, f: IssueFilter, name: str) -> Counts:
        """Value of a facet -> number of issues with it under a filter, ignoring its own choice of this facet."""
        return self.columns[name].counts(self.matching(f, leave_out=name), self.n)

    def stored(self, name: str) -> list[Any]:
        """(cells,) the stored value of a facet: a label by id, None for none."""
        column = self.columns[name]
        return [column.stored[place] for place in column.cells.tolist()]


def cells_for(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, *also: str) -> Cells:
    """Cells with columns for every facet of a filter, and for the facets named in ``also``."""
    named = [FACETS[name] for name in (*(name for name, _ in f.chosen), *also)]
    kind = max((facet.counted_in for facet in named if not facet.narrows), default=CountedIn.STORED)
    narrowed = tuple((name, value) for name, value in f.chosen if FACETS[name].narrows)
    all_rows = f.q is None and not narrowed

    def read() -> Cells:
        if not all_rows or kind is CountedIn.ISSUES:
            require_reader()
        facets = [facet for facet in FACETS.values() if facet.counted_in <= kind and not facet.narrows]
        if kind is CountedIn.STORED and all_rows:
            return _stored(catalogue, dataset, f, facets)
        return _counted(catalogue, dataset, f, kind, facets)

    return catalogue.cells.get((dataset.id, f.agreement, f.q, narrowed, kind), read)


def _stored(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, facets: Iterable[Facet]) -> Cells:
    """The cells that ingest counted: those of reviewed issues, then those of issues that nobody reviewed."""
    t = facet_tables.facets.c
    columns = {facet: facet.stored for facet in facets if facet.stored is not None}
    statement = select(*columns.values(), t.n).where(t.dataset_id == dataset.id, t.agreement == f.agreement)
    *listed, n = _by_column(catalogue.connection.execute(statement).all(), len(columns) + 1)
    packed = _unreviewed(catalogue, dataset)
    found = {
        facet.name: Column.of(dataset, facet, [Coded.of(values), _packed(column, packed)])
        for (facet, column), values in zip(columns.items(), listed, strict=True)
    }
    return Cells(np.concatenate([np.array(n, np.int64), packed[t.n.name]]), found)


def _unreviewed(catalogue: Catalogue, dataset: Dataset) -> Mapping[str, _Numbers]:
    u = facet_tables.unreviewed
    row = catalogue.connection.execute(select(u).where(u.c.dataset_id == dataset.id)).mappings().one_or_none()
    return facet_tables.unpack_unreviewed(facet_tables.NONE if row is None else row)


def _packed(column: ColumnElement[Any], packed: Mapping[str, _Numbers]) -> Coded:
    t = facet_tables.facets.c
    values = packed.get(column.name)
    if values is not None:
        return Coded.of_numbers(values, column.type.python_type)
    return Coded.of_one(facet_tables.UNREVIEWED if column is t.category else None, len(packed[t.n.name]))


def _counted(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: CountedIn, facets: Sequence[Facet]) -> Cells:
    """Cells counted now."""
    columns = [column for facet in facets for column in facet.columns]
    make = cells_of_models if kind is CountedIn.MODELS else cells_of_issues
    statement = make(catalogue.connection, dataset, f, columns)
    *listed, n = _by_column(catalogue.connection.execute(statement).all(), len(columns) + 1)
    by_column, found = iter(listed), {}
    for facet in facets:
        values = [next(by_column) for _ in facet.columns]
        one = values[0] if len(values) == 1 else list(zip(*values, strict=True))
        found[facet.name] = Column.of(dataset, facet, [Coded.of(one)])
    return Cells(np.array(n, np.int64), found)


def _by_column(rows: Sequence[Sequence[Any]], n_columns: int) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True)) or [()] * n_columns
