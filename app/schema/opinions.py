"""The tables of second opinions, and of controls: part of the contract of ``app.schema.tables``.

What an opinion says of reviewed issues is also in ``verdicts.opinions``: one letter for each source, in the order of
their positions (see ``app.domain.opinions.stances``), because filters, cards and policies ask for it.
"""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Integer, LargeBinary, Table, Text

from app.schema.tables import metadata

# Independent relabellings of a dataset's examples, in the order in which they were read.
opinion_sources = Table(
    "opinion_sources",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0, 1, 2, ...
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("independent", Boolean, nullable=False),  # others are derived from the verdicts: shown, never counted
    Column("about", Text, nullable=False),  # JSON object: licence, citation, address, caveats
    Column("sha256", Text, nullable=False),  # of the file
    Column("covered", Integer, nullable=False),  # examples that it names a class for
    Column("agreeing", Float, nullable=False),  # the share of these for which it holds the given label
    Column("counted", Boolean, nullable=False),  # its weights are numbers of raters
    # Packed by ``app.schema.packing``: the number of classes of each example, these classes, and their weights.
    Column("lengths", LargeBinary, nullable=False),
    Column("classes", LargeBinary, nullable=False),
    Column("weights", LargeBinary),  # null where all are 1
)

# What each source names for issues alone, so that a page need not unpack what it names for all examples.
opinions = Table(
    "opinions",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("source", Integer, primary_key=True),  # its position
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("classes", Text, nullable=False),  # JSON list of [class id, weight], largest weight first; [] if silent
    sqlite_with_rowid=False,
)

# The version of a dataset's content without its opinions, where it has some: ``datasets.version`` follows from both.
bare_versions = Table(
    "bare_versions",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("version", Text, nullable=False),
)

# What the model that flags guesses of every example, in blocks like those of ``examples``; for test sets of moderate
# size alone, and single labels.
guesses = Table(
    "guesses",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("labels", LargeBinary, nullable=False),  # class ids; see app.schema.packing
)

# The stability of the models' ranking where C holds only what an opinion confirms: other corrections are in U.
confirmed_stability = Table(
    "confirmed_stability",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("source", Text, primary_key=True),  # the name of the opinion
    Column("results", Text, nullable=False),  # as in ``stability``
)

# What a dataset's opinions say at each agreement threshold, as app.evaluation.opinions.opinion_report computed it.
opinion_reports = Table(
    "opinion_reports",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("results", Text, nullable=False),  # JSON object
)

# How far corrections can be trusted, as app.evaluation.opinions.confidence_report computed it. One row a dataset.
confidence_reports = Table(
    "confidence_reports",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("results", Text, nullable=False),  # JSON object
)

# Controls of the models' ranking at each agreement threshold, as app.evaluation.opinions.controls computed them.
controls = Table(
    "controls",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("results", Text, nullable=False),  # JSON object
)
