"""Tables of the change log: versions of each dataset, and changes between their corrected test sets.

They are part of the contract of ``app.schema.tables`` and are written by the same ingest. When a dataset is ingested
again its other rows are replaced, but those of these three tables stay. Examples are identified by their index.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from app.schema.tables import metadata

# Every version of a dataset that stood in this catalogue, the first one at position 0 and the current one last.
versions = Table(
    "versions",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("version", Text, nullable=False),  # as in ``datasets``; one that comes back has two rows
    Column("since", Text, nullable=False),  # when it became the current one; ISO 8601, UTC
    Column("size", Integer),  # as in ``datasets``
    Column("class_names", Text),  # JSON list; null where they are those of the version before
    # JSON list of the agreement thresholds at which it was compared with the version before; null where it was not,
    # because there is none or because the given labels of all examples are not known of both.
    Column("agreements", Text),
    # Which examples were flagged is known of both, so that policies that leave those out were compared too.
    Column("flags_compared", Boolean, nullable=False),
    Column("n_changed", Integer, nullable=False),  # examples that changed under any policy
    Column("n_kept", Integer, nullable=False),  # of these, the ones in ``changes``: those of lowest index
)

# How many examples changed from the version before, under each policy under which any did.
change_counts = Table(
    "change_counts",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("multi_label", Text, primary_key=True),  # the treatments of the policy
    Column("neither", Text, primary_key=True),
    Column("non_agreement", Text, primary_key=True),
    Column("unreviewed", Text, primary_key=True),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("relabelled", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Examples that changed from the version before, with all that any policy asks of them.
changes = Table(
    "changes",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("key", Text),  # the dataset's own name of it now, or before where it is not there any more
    Column("before", Text),  # JSON object; see app.corrected.standing_json. Null where it was not there
    Column("after", Text),  # the same; null where it is not there any more
    sqlite_with_rowid=False,
)
