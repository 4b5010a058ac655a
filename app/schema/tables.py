"""The tables of a catalogue: the contract between ingest, which writes them, and the server, which reads them.

A catalogue is one SQLite file. This module declares its tables and nothing else: no query, no formula. The tables of
reviewers' answers are declared in ``votes``, the numbers of issues beside choices in ``facet_tables``, and those of the
logs of dataset versions and disputes in ``change_log``.

Four conventions:

*A label is a label set.* Every label that a dataset can have is a row of ``label_sets``: ids ``0 .. n_classes - 1`` are
the single classes, larger ids are sets of several (or no) classes, as in AudioSet. ``given``, ``guessed`` and
``corrected`` are such ids in every table, so single-label and multi-label datasets are handled alike.

*An issue's id contains its dataset and its position.* ``id = dataset_id << 32 | position``, where position 0 is the
most suspicious issue of the dataset. Rows in the order of their ids are the default gallery.

*Query plans do not depend on the data.* A catalogue carries no statistics (no ANALYZE), so SQLite chooses by the
indexes declared here alone, the same for every catalogue. With statistics it builds a Bloom filter over all verdicts
for every page, which costs more than the page.

*Sort orders are integers made at ingest.* ``by_margin`` and ``by_disagreement`` number a dataset's issues 0, 1, 2, ...
in that order without ties, so a page needs one comparison and never an OFFSET.
"""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

SCHEMA_VERSION: Final = 14

#: By how many bits a dataset's id is shifted to the left in the ids of its issues.
ISSUE_ID_SHIFT: Final = 32

#: Examples in one row of ``examples``; every block but the last of a dataset is full.
EXAMPLES_PER_BLOCK: Final = 65_536

metadata = MetaData()

# One row per key: "schema_version", "version" (identifies the content; changes with every write) and "written_at"
# (ISO 8601, UTC).
meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("position", Integer, nullable=False),  # the order on the home page
    Column("modality", Text, nullable=False),  # "image", "text", "audio", "tabular" or "question"
    Column("sample", Boolean, nullable=False),  # planted errors and simulated raters: every page must say so
    Column("size", Integer),  # examples in the test set, |D|
    Column("n_classes", Integer, nullable=False),
    Column("labels_known", Boolean, nullable=False),  # the given labels of all examples are in ``examples``
    Column("n_flagged", Integer),  # flagged by confident learning over the whole dataset; null if unknown
    Column("n_checked", Integer, nullable=False),
    Column("n_errors", Integer, nullable=False),
    Column("n_issues", Integer, nullable=False),  # rows of ``issues``: flagged or reviewed
    Column("n_guesses_changed", Integer, nullable=False),  # reviewed issues whose guess is no longer the one shown
    Column("estimated_errors", Integer),  # Table 1: flagged * errors / checked if a sample was checked, else errors
    Column("percent_error", Float),  # 100 * estimated errors / size
    Column("agreements", Text, nullable=False),  # JSON list of the agreement thresholds offered, ascending: [3, 4, 5]
    Column("raters", Integer, nullable=False),
    Column("vote_options", Text, nullable=False),  # JSON list of option names; [] if votes go to class names
    Column("flag_rule", Text),  # the rule in use, in words for readers; null without a matrix
    Column("confident_learning", Text),  # JSON object of facts: rho by rule, counts; null without a matrix
    Column("prediction_report", Text),  # JSON object, see PredictionReport; null if it is not known
    Column("about", Text, nullable=False),  # JSON object: what the manifest says (see ingest.manifest.parse.About)
    Column("missing", Text, nullable=False),  # JSON list of sentences: what is missing or therefore cannot be shown
    Column("media_report", Text),  # JSON object (see ingest.datasets.media.report); null without media
    Column("version", Text, nullable=False),  # identifies this dataset's content; part of the addresses of its media
    Column("built_at", Text, nullable=False),  # ISO 8601, UTC
)

# The files a dataset was built from.
sources = Table(
    "sources",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("path", Text, primary_key=True),  # as the manifest names it, relative
    Column("role", Text, nullable=False),  # see ingest.datasets.fingerprints.Role
    Column("sha256", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
)

classes = Table(
    "classes",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("class_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("n_examples", Integer),  # given label counts over the whole dataset; null if labels are missing
    Column("threshold", Float),  # t_j; null for a class without examples, or without a matrix
)

# All label sets in use. Ids below n_classes are the classes themselves.
label_sets = Table(
    "label_sets",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("label_id", Integer, primary_key=True),
    Column("members", Text, nullable=False),  # JSON list of class ids, ascending
)

# The non-empty cells of the confident joint and of its calibration.
joint_cells = Table(
    "joint_cells",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("given", Integer, primary_key=True),
    Column("latent", Integer, primary_key=True),
    Column("count", Integer, nullable=False),  # confident joint C
    Column("probability", Float, nullable=False),  # joint Q, sums to 1 over the dataset
)

issues = Table(
    "issues",
    metadata,
    Column("id", Integer, primary_key=True),  # dataset_id << 32 | position in suspicion order
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("idx", Integer, nullable=False),  # index of the example in the test set
    Column("key", Text),  # the dataset's own name of the example, if it has one
    Column("given", Integer, nullable=False),
    Column("guessed", Integer),  # by the model that flags; null without a model's guess
    Column("shown", Integer),  # the guess that reviewers were shown, even if the model's has changed; null without
    Column("flagged", Boolean, nullable=False),  # by confident learning, under the dataset's flag rule
    Column("self_confidence", Float),
    Column("normalized_margin", Float),
    Column("doubting", Integer),  # models averaged whose own guess is not the given label; null if there is one
    Column("rank", Integer),  # 1 = lowest normalized margin of ALL examples of the dataset
    Column("by_margin", Integer, nullable=False),
    Column("by_disagreement", Integer, nullable=False),
    Column("votes", Text),  # JSON object option -> count, in the order of vote_options; null if not reviewed
    # Counts in the order of vote_options, "0-3-0-2"; null without votes, or if votes go to names.
    Column("vote_pattern", Text),
    Column("consensus", Text),  # the option (or class names) that a majority chose, as a word; null without one
    # At most 5 classes and their probabilities, largest first, packed (see app.schema.packing); null without a matrix.
    Column("top_probs", LargeBinary),
    # JSON list of [begin, end, share] for words of a text, in characters, that support the guessed label (share from
    # 0 to 1) or the given one (below 0) by a linear model's weights; null without such a model.
    Column("spans", Text),
    Column("url", Text),  # where the example can be seen on another site (a YouTube clip); null without
    Column("excerpt", Text),  # the most telling beginning of a text; null without
    # JSON object kind -> [width, height] ([0, 0] if it has none) of its rows in ``media``; null without.
    Column("media", Text),
)

# The first three could be unique, but are not: see ingest.catalogue.issue_table.
Index("issues_by_idx", issues.c.dataset_id, issues.c.idx)
Index("issues_by_margin", issues.c.dataset_id, issues.c.by_margin)
Index("issues_by_disagreement", issues.c.dataset_id, issues.c.by_disagreement)
Index("issues_by_given", issues.c.dataset_id, issues.c.given)
Index("issues_by_pair", issues.c.dataset_id, issues.c.given, issues.c.guessed)
Index("issues_by_guessed", issues.c.dataset_id, issues.c.guessed)
Index("issues_by_shown", issues.c.dataset_id, issues.c.shown, sqlite_where=issues.c.shown.is_not(None))
Index("issues_by_votes", issues.c.dataset_id, issues.c.vote_pattern, sqlite_where=issues.c.vote_pattern.is_not(None))
Index("issues_not_flagged", issues.c.dataset_id, sqlite_where=text("flagged = 0"))

# The verdict at each agreement threshold, as app.domain.review.verdicts computed it. Reviewed examples only.
verdicts = Table(
    "verdicts",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("category", Text, nullable=False),
    Column("corrected", Integer),  # label id, for correctable ones only
    Column("several", Text),  # JSON list of the classes agreed on, for multi-label ones only
    Column("opinions", Text),  # a letter for each second opinion (see app.schema.opinions); null without any
    # Of correctable ones only, where they are known; see app.domain.confidence.
    Column("confidence", Float),  # the probability that a majority of unlimited raters would make the correction
    Column("probability_right", Float),  # the probability that it is right, learnt from second opinions
    Column("by_confidence", Integer),  # 0, 1, 2, ... at each threshold, the highest confidence first
    sqlite_with_rowid=False,
)

Index("verdicts_by_category", verdicts.c.dataset_id, verdicts.c.agreement, verdicts.c.category, verdicts.c.issue_id)
Index(
    "verdicts_by_corrected",
    verdicts.c.dataset_id,
    verdicts.c.agreement,
    verdicts.c.corrected,
    verdicts.c.issue_id,
    sqlite_where=verdicts.c.corrected.is_not(None),
)
Index(
    "verdicts_by_confidence",
    verdicts.c.dataset_id,
    verdicts.c.agreement,
    verdicts.c.by_confidence,
    sqlite_where=verdicts.c.by_confidence.is_not(None),
)

# The given labels of all examples, packed, so that fifty million labels do not need fifty million rows.
examples = Table(
    "examples",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    # Index of the block's first example; a multiple of EXAMPLES_PER_BLOCK.
    Column("start", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("labels", LargeBinary, nullable=False),  # ``count`` label ids; see app.schema.packing
    Column("keys", LargeBinary),  # the keys of these examples; null if the dataset has no keys of its own
)

media = Table(
    "media",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("idx", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),  # see ingest.media.items.Kind
    Column("type", Text, nullable=False),  # media type, as served
    Column("width", Integer),
    Column("height", Integer),
    Column("seconds", Float),
    Column("encoding", Text),  # "gzip" if the bytes are gzip-compressed; null if they are as served
    Column("bytes", LargeBinary, nullable=False),
)

# For each class, the examples that the model is surest of and that are not issues. Their media are in ``media`` too.
exemplars = Table(
    "exemplars",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("class_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 is the surest
    Column("idx", Integer, nullable=False),
    Column("self_confidence", Float, nullable=False),
    Column("excerpt", Text),  # as in issues
    Column("media", Text),  # as in issues
)

# Models with known predictions for every example of a dataset, by name and platform together.
models = Table(
    "models",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("platform", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),  # the platform's name for readers: "PyTorch 1.0"
    Column("parameters", Integer),  # number of parameters of the model; null if not stated
    Column("source", Text),  # where the predictions come from; null if not stated
    Column("sha256", Text, nullable=False),  # of the file or files they were read from
    Column("n_examples", Integer, nullable=False),
    Column("n_ranked", Integer, nullable=False),  # number of ranked classes known per example, k
    # zlib over little-endian int32, (k, n): the first choices of all examples, then the second choices, ...
    Column("ranked", LargeBinary, nullable=False),
)

# The models' predictions for issues alone, so that a page need not read the predictions of all examples.
predictions = Table(
    "predictions",
    metadata,
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    # Little-endian int32, the first choice of each model, models in the order of platform and name.
    Column("top", LargeBinary, nullable=False),
    Column("n_given", Integer, nullable=False),  # number of models whose first choice is the given label
)

# Models whose first choice is the given label although reviewers agreed, at some threshold, on another.
repeats = Table(
    "repeats",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("model", Integer, primary_key=True),  # its position among the dataset's models, by platform and name
    Column("issue_id", ForeignKey("issues.id"), primary_key=True),
    sqlite_with_rowid=False,
)

# How stable the ranking of the models is, at each agreement threshold, as app.evaluation computed it.
stability = Table(
    "stability",
    metadata,
    Column("dataset_id", ForeignKey("datasets.id"), primary_key=True),
    Column("agreement", Integer, primary_key=True),
    Column("results", Text, nullable=False),  # JSON object; see app.evaluation.stability
)

# Full-text search, for which SQLAlchemy has no construct. ``issue_search.rowid`` is an issue's id; only issues with a
# text or a key of their own have a row. ``class_search.rowid`` is dataset_id << 32 | class_id.
SEARCH_DDL: Final = (
    'CREATE VIRTUAL TABLE issue_search USING fts5(body, tokenize = "unicode61 remove_diacritics 2")',
    'CREATE VIRTUAL TABLE class_search USING fts5(name, tokenize = "unicode61 remove_diacritics 2")',
)


def issue_id(dataset_id: int, position: int) -> int:
    """The id of the issue at ``position`` (0 is the most suspicious) of a dataset.

    >>> issue_id(3, 5) == 3 * 2**32 + 5
    True
    """
    return dataset_id << ISSUE_ID_SHIFT | position


def issue_id_range(dataset_id: int) -> tuple[int, int]:
    """The smallest and the largest possible id of a dataset's issues."""
    return issue_id(dataset_id, 0), issue_id(dataset_id + 1, 0) - 1
