"""The follow-up ladder: who holds an alert, when it passes on, heads-ups, and days off."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OPEN = sa.text("state = 'open'")
_CLOSED = sa.text("state = 'closed'")
_LOOKED_AT = sa.text("state = 'open' AND look_at IS NOT NULL")
_EARLY = sa.text("early_at IS NOT NULL AND state = 'running'")

_NOT_NULL = (
    ("partner_id", sa.String(length=64), "''"),
    ("service_id", sa.String(length=64), "''"),
    ("rank", sa.Integer(), "0"),
    ("priority", sa.Integer(), "2"),
    ("due_at", sa.BigInteger(), "0"),
    ("holder", sa.String(length=64), "'operator'"),
    ("role", sa.String(length=24), "'operator'"),
    ("held_since", sa.BigInteger(), "0"),
    ("acted_at", sa.BigInteger(), "0"),
)
_NULL = (
    ("look_at", sa.BigInteger()),
    ("opened_at", sa.BigInteger()),
    ("taken_by", sa.String(length=64)),
    ("taken_at", sa.BigInteger()),
    ("snoozed_until", sa.BigInteger()),
    ("closed_by", sa.String(length=64)),
    ("closed_why", sa.String(length=40)),
)
#: Those there are stay with the operator, and the first round hands each to whom it belongs.
_FILL = """
UPDATE alerts SET
  partner_id = (SELECT s.partner_id FROM deliveries d JOIN shares s ON s.id = d.share_id WHERE d.id = delivery_id),
  service_id = (SELECT d.service_id FROM deliveries d WHERE d.id = delivery_id),
  rank = CASE level WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE level END,
  due_at = raised_at, held_since = raised_at, acted_at = raised_at,
  look_at = CASE WHEN state = 'open' AND level <> 1 THEN raised_at END
"""


def upgrade() -> None:

    op.add_column("shares", sa.Column("safety", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("clocks", sa.Column("early_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_clocks_early_at", "clocks", ["early_at"], sqlite_where=_EARLY, postgresql_where=_EARLY)
    for name, kind, default in _NOT_NULL:
        op.add_column("alerts", sa.Column(name, kind, nullable=False, server_default=sa.text(default)))
    for name, kind in _NULL:
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    op.execute(_FILL)
    for name, first in (("follow_up", ()), ("holder", ("holder",)), ("partner_id", ("partner_id",)),
                        ("service_id", ("service_id",))):  # fmt: skip
        columns = [*first, "priority", "due_at", "id"]
        op.create_index(f"ix_alerts_{name}", "alerts", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "ix_alerts_closed_at", "alerts", ["closed_at", "id"], sqlite_where=_CLOSED, postgresql_where=_CLOSED
    )
    op.create_index("ix_alerts_look_at", "alerts", ["look_at"], sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT)
    op.create_table(
        "days_off",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("first", sa.String(length=10), nullable=False),
        sa.Column("last", sa.String(length=10), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person", "first", name=op.f("pk_days_off")),
    )
    op.create_index("ix_days_off_last", "days_off", ["last"])
