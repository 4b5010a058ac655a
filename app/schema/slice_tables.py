"""The tables of slices: part of the contract of ``app.schema.tables``.

A slice is a group of examples that a dataset names, such as a subject. The name of the column and those of the slices,
with their numbers of examples, stand in ``datasets.about`` under "slices"; here is which example belongs to which.
"""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from app.schema.tables import metadata

#: The key of ``datasets.about`` under which slices are described, as {"column", "names", "examples"}.
SLICES: Final = "slices"

# One row for each issue of a dataset with slices.
issue_slices = Table(
    "issue_slices",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("slice", Integer, nullable=False),  # number of its name in the list
    sqlite_with_rowid=False,
)

Index("issue_slices_by_slice", issue_slices.c.dataset_id, issue_slices.c.slice, issue_slices.c.issue_id)

# The slice of every example, one row for each dataset with slices.
example_slices = Table(
    "example_slices",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("numbers", LargeBinary, nullable=False),  # packed as labels are; see app.schema.packing
)

# Errors, and accuracies of the models, by slice, at each agreement threshold, as app.evaluation computed them.
slice_results = Table(
    "slice_results",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("results", Text, nullable=False),  # JSON object; see app.evaluation.slice_accuracy
)
