"""Cells: groups of issues with the same value in every facet.

Every count is a sum over cells.

The cells of a dataset are counted at ingest. Those of a search, and of facets that ingest does not count, are counted
once, when they are first needed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select

from app.catalogue.current import Catalogue
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.issues.facet import CountedIn, Facet, Value
from app.issues.facets import FACETS
from app.issues.filter import IssueFilter
from app.issues.where import cells_of_issues, cells_of_models
from app.schema import tables

Mask = NDArray[np.bool_]
Counts = dict[Value, int]
_Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The values of one facet in all cells. A cell has one stored value, which can mean several values, or none."""

    cells: _Numbers  # (cells,) index into ``stored``
    stored: tuple[Any, ...]  # labels by id, or words; None for none
    values: dict[Value, int]  # value -> its index
    meaning: tuple[_Numbers, _Numbers]  # pairs (index into ``stored``, index into ``values``)

    @classmethod
    def of(cls, dataset: Dataset, facet: Facet, stored: Sequence[Any]) -> Self:
        """The column for values as stored in the catalogue."""
        places = {one: place for place, one in enumerate(dict.fromkeys(stored))}
        values: dict[Value, int] = {}
        pairs = [
            (place, values.setdefault(value, len(values)))
            for one, place in places.items()
            if one is not None
            for value in facet.means(dataset, one)
        ]
        cells = np.fromiter(map(places.__getitem__, stored), np.int64, len(stored))
        of_stored, of_values = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return cls(cells, tuple(places), values, (of_stored, of_values))

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

    @classmethod
    def of(cls, dataset: Dataset, facets: Collection[Facet], rows: Sequence[Sequence[Any]], *, stored: bool) -> Self:
        """Cells from rows that hold the columns of each facet in turn and then the number of issues."""
        widths = [1 if stored else len(facet.columns) for facet in facets]
        by_column = iter(list(zip(*rows, strict=True)) or [()] * (sum(widths) + 1))
        columns = {}
        for facet, width in zip(facets, widths, strict=True):
            values = [next(by_column) for _ in range(width)]
            columns[facet.name] = Column.of(dataset, facet, values[0] if width == 1 else [*zip(*values, strict=True)])
        return cls(np.array(next(by_column), dtype=np.int64), columns)

    def matching(self, f: IssueFilter, leave_out: str = "") -> Mask:
        """(cells,) which cells a filter selects, ignoring its facet ``leave_out``."""
        mask = np.ones(len(self.n), dtype=np.bool_)
        for facet, values in f.taken():
            if facet.name != leave_out:
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
    asked = [FACETS[name].counted_in for name in (*(name for name, _ in f.chosen), *also)]
    kind = max(asked, default=CountedIn.STORED)

    def read() -> Cells:
        if f.q is not None or kind is CountedIn.ISSUES:
            require_reader()
        facets = [facet for facet in FACETS.values() if facet.counted_in <= kind]
        stored = kind is CountedIn.STORED and f.q is None
        statement = _stored(dataset, f, facets) if stored else _counted(catalogue, dataset, f, kind, facets)
        return Cells.of(dataset, facets, catalogue.connection.execute(statement).all(), stored=stored)

    return catalogue.cells.get((dataset.id, f.agreement, f.q, kind), read)


def _stored(dataset: Dataset, f: IssueFilter, facets: Iterable[Facet]) -> Select[Any]:
    t = tables.facets.c
    columns = [facet.stored for facet in facets if facet.stored is not None]
    return select(*columns, t.n).where(t.dataset_id == dataset.id, t.agreement == f.agreement)


def _counted(
    catalogue: Catalogue, dataset: Dataset, f: IssueFilter, kind: CountedIn, facets: Iterable[Facet]
) -> Select[Any]:
    columns = [column for facet in facets for column in facet.columns]
    make = cells_of_models if kind is CountedIn.MODELS else cells_of_issues
    return make(catalogue.connection, dataset, f.agreement, f.q, columns)
