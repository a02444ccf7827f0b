"""What waits for a champion is looked for every second, among what does; and all of a share by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITS = sa.text("held_since IS NOT NULL")


def upgrade() -> None:

    op.create_index("ix_shares_held_since", "shares", ["held_since"], sqlite_where=_WAITS, postgresql_where=_WAITS)
    for table in ("consents", "notices", "replies"):
        op.create_index(f"ix_{table}_share_id", table, ["share_id"])
