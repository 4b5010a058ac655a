"""The tables of the vote store.

``events`` is the record and only ever grows: votes, votes taken back, raters excluded and taken in again, rounds closed
and opened again. What stands is computed from it. The other tables say what was asked, who was invited, and who looks
at what just now; the columns marked as kept can be computed anew from the events (``app.reviews.standing``).
``disputes`` are what visitors sent, as they sent it, and ``dispute_events`` is the record of what became of them.

Times are seconds since 1970. Migrations lie beside this module and make the same tables; a test compares the two.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    literal_column,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite numbers rows by itself in columns of this type only.
_ID: Final = BigInteger().with_variant(Integer(), "sqlite")

# Names of keys -> keys that links and forms are signed with; made with the store and shared by all its servers.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("dataset", Text, nullable=False),  # its name in the catalogue
    Column("opened_at", Float, nullable=False),
    Column("settings", Text, nullable=False),  # JSON object; see app.reviews.rounds.Settings
    Column("closed", Boolean, nullable=False),  # kept
)

# The classes that a round asks about, and what is shown of them.
shelves = Table(
    "shelves",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("class_id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("exemplars", Text, nullable=False),  # JSON list of [index of the example, kind of its medium]
)

# The examples of a round.
items = Table(
    "items",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("idx", BigInteger, nullable=False),  # index of the example in the dataset
    Column("spot", BigInteger, nullable=False),  # its place on the circle from which raters draw their next
    Column("question", Text, nullable=False),  # JSON object; see app.reviews.questions.Question
    Column("media", Text, nullable=False),  # JSON list of kinds of media to show
    Column("url", Text),  # where the example is, if it is nowhere here
    Column("gold", Boolean, nullable=False),  # its answer is known; it is asked of everybody and never published
    Column("repeated", Boolean, nullable=False),  # asked of each rater a second time
    Column("practice", Boolean, nullable=False),  # shown with its answer before the round
    Column("n_votes", Integer, nullable=False),  # kept: votes that stand
    Column("wanted", Integer, nullable=False),  # kept: further votes needed at least; 0 when the example is done
    UniqueConstraint("round_id", "idx", "gold", "practice"),
)
#: Examples that need further votes. SQLite uses the index only where the number stands in the statement itself.
STILL_OPEN: Final = items.c.wanted > literal_column("0", Integer)
# In the order in which it is looked for.
Index("ix_items_open", items.c.round_id, items.c.spot, sqlite_where=STILL_OPEN, postgresql_where=STILL_OPEN)

raters = Table(
    "raters",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("code", Text, nullable=False, unique=True),  # opaque; how published ratings name the rater
    Column("name", Text, nullable=False),  # as the owner or the rater wrote it; published nowhere
    Column("salt", BigInteger, nullable=False),  # drawn at random; for orders of the rater's own
    Column("added_at", Float, nullable=False),
    Column("revoked", Boolean, nullable=False),  # kept: the link is no longer accepted
    Column("excluded", Boolean, nullable=False),  # kept: the rater's votes do not stand
)
Index(None, raters.c.round_id)

# An example lent to a rater for some minutes, and the sides that its classes were drawn to.
leases = Table(
    "leases",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),  # opaque; names the task
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("occasion", Integer, nullable=False),  # 1 for a declared repeat, else 0
    Column("sides", Text, nullable=False),  # JSON list of the classes in the order shown: the first is (a)
    Column("lent_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("answered", Boolean, nullable=False),  # kept
    # Nobody gets an example twice, on whatever server.
    UniqueConstraint("item_id", "rater_id", "occasion"),
)
Index(None, leases.c.rater_id, leases.c.answered)

events = Table(
    "events",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", Text, nullable=False),  # see app.reviews.standing.Kind
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("rater_id", ForeignKey("raters.id")),
    Column("item_id", ForeignKey("items.id")),
    Column("lease_id", ForeignKey("leases.id")),
    Column("key", Text),  # the sender's own name of a vote: sent twice, it is counted once
    Column("answer", Text),  # JSON, as it was sent
    Column("meaning", Text),  # JSON, the classes that the answer names; see app.reviews.questions
    Column("seconds", Float),  # from task to answer
    Column("why", Text),
    UniqueConstraint("rater_id", "key"),
)
Index(None, events.c.item_id)
Index(None, events.c.lease_id)
Index(None, events.c.round_id, events.c.kind)

# What visitors say looks wrong. Nothing of who they are is kept.
disputes = Table(
    "disputes",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),  # opaque; names the dispute in public
    Column("dataset", Text, nullable=False),  # its name in the catalogue
    Column("idx", BigInteger, nullable=False),  # index of the example in the dataset
    Column("filed_at", Float, nullable=False),
    Column("claim", Text, nullable=False),  # see app.domain.review.dispute_outcome.Claim
    Column("proposed", Text, nullable=False),  # JSON list of the names of the classes that the claim names
    Column("reason", Text, nullable=False),
    Column("source", Text),  # an http or https address
    Column("digest", Text, nullable=False, unique=True),  # of all that was sent: sent twice, it is one dispute
    Column("state", Text, nullable=False),  # kept; see app.reviews.disputes.moderation.State
    Column("round_id", ForeignKey("rounds.id")),  # kept: the round that asks about it
)
Index(None, disputes.c.state, disputes.c.dataset)
Index(None, disputes.c.dataset, disputes.c.idx)

dispute_events = Table(
    "dispute_events",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("at", Float, nullable=False),
    Column("dispute_id", ForeignKey("disputes.id"), nullable=False),
    Column("state", Text, nullable=False),  # what the dispute became
    Column("round_id", ForeignKey("rounds.id")),
    Column("why", Text),  # the owner's reason for a rejection
    Column("result", Text),  # JSON object: what reviewers made of it; see app.reviews.disputes.moderation.Result
)
Index(None, dispute_events.c.dispute_id)


def given(name: str, *, several: bool = False) -> BindParameter[Any]:
    """A value that a statement is given when it runs, as ``the_NAME``; a list of values if there are several."""
    return bindparam(f"the_{name}", expanding=several)
