"""Tables of what visitors dispute."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of disputes."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "disputes",
        sa.Column("id", number, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("filed_at", sa.Float(), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("proposed", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round_id", number, nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_disputes_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint("code", name=op.f("uq_disputes_code")),
        sa.UniqueConstraint("digest", name=op.f("uq_disputes_digest")),
    )
    op.create_index(op.f("ix_disputes_state_dataset"), "disputes", ["state", "dataset"], unique=False)
    op.create_index(op.f("ix_disputes_dataset_idx"), "disputes", ["dataset", "idx"], unique=False)
    op.create_table(
        "dispute_events",
        sa.Column("id", number, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("dispute_id", number, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round_id", number, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name=op.f("fk_dispute_events_dispute_id")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_dispute_events_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute_events")),
    )
    op.create_index(op.f("ix_dispute_events_dispute_id"), "dispute_events", ["dispute_id"], unique=False)
