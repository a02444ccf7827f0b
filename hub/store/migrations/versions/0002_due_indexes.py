"""Indexes for what is looked for all the time: what may be claimed, what runs out, what is not sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CLAIMABLE = sa.text("state IN ('queued', 'retrying')")
_UNSEALED = sa.text("position IS NULL")


def upgrade() -> None:

    op.create_index(
        "ix_deliveries_claimable",
        "deliveries",
        ["connection_id", "due_at"],
        sqlite_where=_CLAIMABLE,
        postgresql_where=_CLAIMABLE,
    )
    op.create_index("ix_consents_state_ends_at", "consents", ["state", "ends_at"])
    op.create_index(
        "ix_audit_events_unsealed",
        "audit_events",
        ["kept_at", "id"],
        sqlite_where=_UNSEALED,
        postgresql_where=_UNSEALED,
    )
