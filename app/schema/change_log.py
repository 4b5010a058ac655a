"""Tables of what stays when a dataset is ingested again: the log of its versions, and that of disputes.

They are part of the contract of ``app.schema.tables``. Versions of each dataset, and changes between their corrected
test sets, are written by every ingest; the log of disputes when it or a round is published. All other rows of a dataset
are replaced. Examples are identified by their index.
"""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

from app.schema.tables import metadata

#: What the log calls a dispute that was rejected or settled, and is to be decided anew.
REOPENED: Final = "reopened"

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

# Disputes that are or were decided, by the owner or by a round; of others there is a number alone. One that was
# rejected and taken up again has neither outcome nor why until it is decided anew.
disputes = Table(
    "disputes",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("idx", Integer, primary_key=True),  # index of the example
    Column("code", Text, primary_key=True),  # opaque; names the dispute
    Column("position", Integer, nullable=False),  # 0 is the one decided first, of all datasets
    Column("filed", Text, nullable=False),  # the day; ISO 8601, UTC
    Column("decided", Text, nullable=False),  # ISO 8601, UTC
    Column("claim", Text, nullable=False),  # see app.domain.review.dispute_outcome.Claim
    Column("proposed", Text, nullable=False),  # JSON list of the names of the classes that the claim names
    Column("outcome", Text),  # see app.domain.review.dispute_outcome.Outcome; null where the owner rejected it
    Column("why", Text),  # the owner's reason for that
    # Null where it was rejected: words of visitors are public only once the owner has accepted them.
    Column("reason", Text),
    Column("source", Text),
    Column("round", Text),  # name of the round that decided it
    Column("category", Text),  # the verdict that the outcome follows from
    Column("corrected", Text),  # JSON list of names of classes; null without a corrected label
    # JSON list of [when, what, why] of the decisions before this one, oldest first: "rejected", with the owner's
    # reason, "reopened", or an outcome.
    Column("history", Text, nullable=False),
    sqlite_with_rowid=False,
)

# How many disputes of a dataset nobody had decided when the log was written.
undecided_disputes = Table(
    "undecided_disputes",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("n", Integer, nullable=False),
)
