"""Barriers with their moves, the look-up of what is counted of one, and when an alert reached the last rung."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_STATES = "state IN ('identified', 'understood', 'acting', 'removed', 'acknowledged')"


def upgrade() -> None:

    op.add_column("alerts", sa.Column("top_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_tallies_service_id", "tallies", ["service_id", "what", "name"])
    op.create_table(
        "barriers",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.CheckConstraint(_STATES, name=op.f("ck_barriers_state_listed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_barriers")),
        sa.UniqueConstraint("service_id", "cause", "name", name=op.f("uq_barriers_service_id_cause_name")),
    )
    op.create_table(
        "barrier_moves",
        sa.Column("barrier_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.CheckConstraint(_STATES, name=op.f("ck_barrier_moves_state_listed")),
        sa.ForeignKeyConstraint(["barrier_id"], ["barriers.id"], name=op.f("fk_barrier_moves_barrier_id")),
        sa.PrimaryKeyConstraint("barrier_id", "number", name=op.f("pk_barrier_moves")),
    )
