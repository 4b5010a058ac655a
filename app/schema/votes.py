"""The table of reviewers' answers: part of the contract of ``app.schema.tables``.

A vote names classes, so it stays valid when a model's guess changes. The resulting verdicts are in the table
``verdicts``.
"""

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

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
