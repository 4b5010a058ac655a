"""Tables of the change log: versions of each dataset, and changes between their corrected test sets.

They are part of the contract of ``app.schema.tables`` and are written by the same ingest. When a dataset is ingested
again its other rows are replaced, but those of these three tables stay. Examples are identified by their index.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from app.schema.tables import metadata

# All versions of a dataset that have been in this catalogue, the first at position 0 and the current one last.
versions = Table(
    "versions",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("version", Text, nullable=False),  # as in ``datasets``; a version that returns has two rows
    Column("since", Text, nullable=False),  # when it became current; ISO 8601, UTC
    Column("size", Integer),  # as in ``datasets``
    Column("class_names", Text),  # JSON list; null if equal to those of the previous version
    # JSON list of the agreement thresholds at which it was compared with the previous version; null if it was not,
    # because there is none or because the given labels of all examples are not known for both.
    Column("agreements", Text),
    # Whether the flagged examples are known for both, so that policies that remove those were compared too.
    Column("flags_compared", Boolean, nullable=False),
    Column("n_changed", Integer, nullable=False),  # examples that changed under any policy
    Column("n_kept", Integer, nullable=False),  # how many of these are in ``changes``: those of lowest index
)

# How many examples changed from the previous version, for each policy with any change.
change_counts = Table(
    "change_counts",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("multi_label", Text, primary_key=True),  # the policy's treatments
    Column("neither", Text, primary_key=True),
    Column("non_agreement", Text, primary_key=True),
    Column("unreviewed", Text, primary_key=True),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("relabelled", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Examples that changed from the previous version, with everything that any policy needs.
changes = Table(
    "changes",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("key", Text),  # the dataset's own name of it; the former one if it was removed
    Column("before", Text),  # JSON object; see app.corrected.standing_json. Null if it did not exist
    Column("after", Text),  # the same; null if it does not exist any more
    sqlite_with_rowid=False,
)
