"""The tables of the follow-up ladder: alerts with who holds them, and the days off of those who do."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from hub.domain.alert import AlertState
from hub.store.columns import Instant, identifier, states
from hub.store.own_tables import metadata

_OPEN = text("state = 'open'")
_CLOSED = text("state = 'closed'")
#: What the sweep has to look at again, and nothing else.
_LOOKED_AT = text("state = 'open' AND look_at IS NOT NULL")

alerts = Table(
    "alerts",
    metadata,
    identifier(),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("level", Integer, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("state", String(16), nullable=False),
    # Whose share it is and which service is silent: what a viewer may see is looked for among 10,000 by these.
    Column("partner_id", String(64), nullable=False, server_default=text("''")),
    Column("service_id", String(64), nullable=False, server_default=text("''")),
    Column("rank", Integer, nullable=False, server_default=text("0")),  # of a delivery's alerts the highest leads
    Column("priority", Integer, nullable=False, server_default=text("2")),  # 0 safety, 1 urgent, 2 other, 3 early
    Column("due_at", Instant, nullable=False, server_default=text("0")),  # when the clock ran out
    # Whoever has it now, by the id of a person in the partnership's file: an alert is never nobody's (R50).
    Column("holder", String(64), nullable=False, server_default=text("'operator'")),
    Column("role", String(24), nullable=False, server_default=text("'operator'")),
    Column("held_since", Instant, nullable=False, server_default=text("0")),
    Column("acted_at", Instant, nullable=False, server_default=text("0")),  # of the last act: idle since then (R48)
    Column("look_at", Instant),  # when it passes on, escalates or wakes, whichever is next
    Column("opened_at", Instant),  # when the holder first looked at it
    Column("top_at", Instant),  # when nobody above was left to hand it to: counted once, as silence (R52)
    Column("taken_by", String(64)),  # who said "I've got this" (R44)
    Column("taken_at", Instant),
    Column("snoozed_until", Instant),
    Column("closed_by", String(64)),  # a person; none where the answer closed it
    Column("closed_why", String(40)),
    UniqueConstraint("delivery_id", "level", "kind"),
    states("state", AlertState),
    Index("ix_alerts_follow_up", "priority", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_alerts_holder", "holder", "priority", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_alerts_partner_id", "partner_id", "priority", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_alerts_service_id", "service_id", "priority", "due_at", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_alerts_closed_at", "closed_at", "id", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
    Index("ix_alerts_look_at", "look_at", sqlite_where=_LOOKED_AT, postgresql_where=_LOOKED_AT),
)

#: When somebody who follows up is away: by the id of a person in the partnership's file, and London's days.
days_off = Table(
    "days_off",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("first", String(10), primary_key=True),
    Column("last", String(10), nullable=False),
    Column("kept_at", Instant, nullable=False),
    Index("ix_days_off_last", "last"),
)
