"""A notice may name a service that is offered."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.add_column("notices", sa.Column("service_id", sa.String(length=64), nullable=True))
