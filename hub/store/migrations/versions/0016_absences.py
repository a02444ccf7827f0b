"""When trusted people are away or leave, and whom a person named as their cover (R07, R08)."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_WHOSE = ("partner_id", "trusted_person", "person")


def upgrade() -> None:
    op.create_table(
        "absences",
        *(sa.Column(name, sa.String(length=64), nullable=False) for name in _WHOSE),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("first", sa.String(length=10), nullable=False),
        sa.Column("last", sa.String(length=10), nullable=True),
        sa.Column("offered_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('away', 'left')", name=op.f("ck_absences_kind_listed")),
        sa.PrimaryKeyConstraint(*_WHOSE, "kind", name=op.f("pk_absences")),
    )
    op.add_column("trusted_people", sa.Column("cover", sa.String(length=64), nullable=True))
    op.add_column("shares", sa.Column("cover", sa.String(length=64), nullable=True))
    for table in ("trusted_people", "shares"):
        named = sa.text("cover IS NOT NULL")
        op.create_index(
            f"ix_{table}_partner_id_cover", table, ["partner_id", "cover"], sqlite_where=named, postgresql_where=named
        )
