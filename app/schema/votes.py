"""The tables of reviewers' answers: part of the contract of ``app.schema.tables``.

A vote names classes, so it stays valid when a model's guess changes. The resulting verdicts are in the table
``verdicts``.
"""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, Table, Text

from app.schema.tables import metadata

# One row for each answer that reviewers of an issue could give, in display order.
votes = Table(
    "votes",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("option", Text, nullable=False),  # the key it is counted under in ``issues.votes``
    Column("word", Text, nullable=False),  # the answer; not equal to the option if counted as "other" with others
    # JSON list of the classes that the answer names, [] for none of them; null for a word that names no class.
    Column("classes", Text),
    Column("n", Integer, nullable=False),  # number of raters who gave it
    sqlite_with_rowid=False,
)

# How far the reviewers of a dataset agree; a row for each dataset with votes. See app.domain.review.agreement.alpha.
rater_agreement = Table(
    "rater_agreement",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    # Of what: "options", which answer was chosen; "classes", whether each class is there.
    Column("measured", Text, nullable=False),
    Column("alpha", Float),  # Krippendorff's, nominal; null where it is not defined
    Column("low", Float),  # its central 95 % interval over resampled examples; null where it is not defined
    Column("high", Float),
    Column("examples", Integer, nullable=False),  # with two votes or more
    Column("votes", Integer, nullable=False),  # on those
    Column("weighed", Boolean, nullable=False),  # who gave each vote is known, and ``weighed_verdicts`` has them all
)

# What Dawid and Skene's estimate says of each reviewed example, where all raters of a dataset are known; else no rows.
weighed_verdicts = Table(
    "weighed_verdicts",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("category", Text, nullable=False),
    Column("corrected", Integer),  # label id, for correctable ones only
    Column("several", Text),  # JSON list of the classes, for multi-label ones only
    Column("shares", Text, nullable=False),  # JSON object: option or class name -> its probability, largest first
    sqlite_with_rowid=False,
)
