"""Keep, past forgetting, that the answers to a share are for named groups alone (R02, R59)."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.text("false")))
