"""Rows of tables, for datasets whose examples are such: the values, and which of them are unusual."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import orjson
from sqlalchemy import select

from app.catalogue import access
from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset, Issue
from app.catalogue.table_row import RowValue
from app.schema import tables

#: The kind under which media hold rows.
_KIND: Final = "row"


def table_rows(catalogue: Catalogue, dataset: Dataset, indices: Collection[int]) -> Mapping[int, tuple[RowValue, ...]]:
    """The row of each example that has one; none where they may not be shown."""
    if dataset.modality != "tabular" or not access.may_show(dataset, _KIND):
        return {}
    m = tables.media.c
    found = catalogue.connection.execute(
        select(m.idx, m.bytes).where(m.dataset_id == dataset.id, m.kind == _KIND, m.idx.in_(indices))
    )
    return {row.idx: tuple(map(RowValue._make, orjson.loads(row.bytes))) for row in found}


def with_rows(catalogue: Catalogue, dataset: Dataset, issues: Sequence[Issue]) -> Sequence[Issue]:
    """The issues with their rows."""
    found = table_rows(catalogue, dataset, [issue.idx for issue in issues])
    return [issue._replace(row=found.get(issue.idx)) for issue in issues] if found else issues
