"""Numbers of issues with the same value in every facet: part of the contract of ``app.schema.tables``.

Every count beside a choice is a sum of these. Reviewed issues are counted in rows, at each agreement threshold. Those
that nobody reviewed, which may be millions, have the same values at every threshold: they are counted once, and their
counts are packed as columns, for a server reads them all before it shows its first page.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Boolean,
    Column,
    CompoundSelect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    literal,
    select,
    true,
    union_all,
)

from app.schema.packing import pack_labels, unpack_labels
from app.schema.tables import datasets, metadata

#: The category of an issue that nobody reviewed.
UNREVIEWED: Final = "unreviewed"

facets = Table(
    "facets",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("agreement", Integer, nullable=False),
    Column("category", Text, nullable=False),
    Column("given", Integer, nullable=False),
    Column("guessed", Integer),
    Column("corrected", Integer),
    Column("vote_pattern", Text),
    Column("flagged", Boolean, nullable=False),
    Column("n", Integer, nullable=False),
)

Index("facets_by_dataset", facets.c.dataset_id, facets.c.agreement)

# One row for each dataset with issues that nobody reviewed. A facet that is not among the columns has no value.
unreviewed = Table(
    "unreviewed",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("n_issues", Integer, nullable=False),
    # For each combination of values, in ascending order; each packed by ``app.schema.packing.pack_labels``.
    Column("given", LargeBinary, nullable=False),
    Column("guessed", LargeBinary, nullable=False),
    Column("flagged", LargeBinary, nullable=False),
    Column("n", LargeBinary, nullable=False),  # the number of issues that have it
)

_PACKED: Final = ("given", "guessed", "flagged", "n")
#: What a row would hold of a dataset that has none.
NONE: Final[Mapping[str, Any]] = {name: pack_labels(np.zeros(0, np.int64)) for name in _PACKED}


def pack_unreviewed(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """(c,) given, guessed, flagged and n of the combinations as the values of a row of ``unreviewed``.

    >>> row = pack_unreviewed({"given": np.array([3]), "guessed": np.array([7]), "flagged": np.array([1]),
    ...     "n": np.array([20])})
    >>> row["n_issues"], {name: column.tolist() for name, column in unpack_unreviewed(row).items()}
    (20, {'given': [3], 'guessed': [7], 'flagged': [1], 'n': [20]})
    """
    packed = {name: pack_labels(columns[name]) for name in _PACKED}
    return {"n_issues": int(columns["n"].sum()), **packed}


def unpack_unreviewed(row: Mapping[Any, Any]) -> dict[str, NDArray[np.int64]]:
    """The columns of a row of ``unreviewed``. Raises ValueError for bytes that ``pack_unreviewed`` did not make."""
    columns = {name: unpack_labels(row[name]) for name in _PACKED}
    if len({len(column) for column in columns.values()}) != 1:
        raise ValueError("columns of different lengths")
    return columns


def category_counts(dataset_id: int | None = None) -> CompoundSelect[Any]:
    """The query for the number ``n`` of issues of each ``dataset_id``, ``agreement`` and ``category``.

    Of all datasets, or of one.
    """
    f, u = facets.c, unreviewed.c
    by = (f.dataset_id, f.agreement, f.category)
    reviewed = select(*by, func.sum(f.n).label("n")).group_by(*by)
    thresholds = func.json_each(datasets.c.agreements).table_valued("value").alias("thresholds")
    rest = select(u.dataset_id, thresholds.c.value, literal(UNREVIEWED), u.n_issues)
    rest = rest.select_from(unreviewed.join(datasets, datasets.c.id == u.dataset_id).join(thresholds, true()))
    if dataset_id is not None:
        reviewed, rest = reviewed.where(f.dataset_id == dataset_id), rest.where(u.dataset_id == dataset_id)
    return union_all(reviewed, rest)
