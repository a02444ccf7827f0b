"""What nobody could act on, beside the request to ring about it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "gaps",
        sa.Column("ring_id", sa.String(length=32), nullable=False),
        sa.Column("need", sa.String(length=60), nullable=False),
        sa.Column("area", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(["ring_id"], ["rings.id"], name=op.f("fk_gaps_ring_id")),
        sa.PrimaryKeyConstraint("ring_id", name=op.f("pk_gaps")),
    )
