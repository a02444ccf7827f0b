"""By when an answer has to be fetched, and whether it was; those there are count as fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_WAITS = sa.text("collect_by IS NOT NULL")


def upgrade() -> None:

    op.add_column("answers", sa.Column("collect_by", sa.BigInteger(), nullable=True))
    op.add_column("answers", sa.Column("is_collected", sa.Boolean(), nullable=False, server_default=sa.text("true")))
    op.create_index("ix_answers_collect_by", "answers", ["collect_by"], sqlite_where=_WAITS, postgresql_where=_WAITS)
