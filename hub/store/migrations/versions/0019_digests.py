"""Mails that go together, what a reader knows cannot be reached, and how often they want mail (TH15)."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_TOGETHER = sa.text("pace = 'together' AND state = 'queued' AND digest_id IS NULL")
_DIGESTS = sa.text("topic IN ('digest', 'digest.last')")
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.add_column("notices", sa.Column("pace", sa.String(length=8), nullable=False, server_default=sa.text("'now'")))
    op.add_column("notices", sa.Column("digest_id", sa.String(length=32), nullable=True))
    op.create_index("ix_notices_digest_id", "notices", ["digest_id"])
    op.create_index(
        "ix_notices_together", "notices", ["recipient", "due_at"], sqlite_where=_TOGETHER, postgresql_where=_TOGETHER
    )
    op.create_index(
        "ix_notices_digests", "notices", ["recipient", "created_at"], sqlite_where=_DIGESTS, postgresql_where=_DIGESTS
    )
    op.create_table(
        "readers",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("daily_since", sa.BigInteger(), nullable=True),
        sa.Column("refused_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_readers")),
    )
    op.create_table(
        "outages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("alerts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    op.create_index(
        "ix_outages_open",
        "outages",
        ["reader", "service_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
