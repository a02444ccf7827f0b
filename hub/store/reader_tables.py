"""The tables of what is told and to whom: notices, and their readers with what each wants, gets and knows."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, text

from hub.domain.notice import NoticeState
from hub.store.columns import Instant, identifier, states
from hub.store.own_tables import metadata

_OPEN = text("ended_at IS NULL")
#: What waits to go with others, and the mails that others went in.
_TOGETHER = text("pace = 'together' AND state = 'queued' AND digest_id IS NULL")
_DIGESTS = text("topic IN ('digest', 'digest.last')")


notices = Table(
    "notices",
    metadata,
    identifier(),
    Column("channel", String(8), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("recipient", String(80), nullable=False),  # the id of a champion, client or service; never an address
    Column("share_id", ForeignKey("shares.id"), index=True),
    Column("delivery_id", ForeignKey("deliveries.id")),
    Column("alert_id", ForeignKey("alerts.id")),
    Column("ring_id", ForeignKey("rings.id")),
    Column("connection_id", String(64)),
    Column("service_id", String(64)),  # one that is offered
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempt", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("reason", String(80)),
    Column("pace", String(8), nullable=False, server_default=text("'now'")),  # whether it may wait for others
    Column("digest_id", String(32), index=True),  # the notice that it goes in, which alone is sent
    states("state", NoticeState),
    Index("ix_notices_channel_state_due_at", "channel", "state", "due_at"),  # each channel has its own way out,
    Index("ix_notices_together", "recipient", "due_at", sqlite_where=_TOGETHER, postgresql_where=_TOGETHER),
    Index("ix_notices_digests", "recipient", "created_at", sqlite_where=_DIGESTS, postgresql_where=_DIGESTS),
)

#: By the id of a person in the partnership's file; none where there is nothing to say of them.
readers = Table(
    "readers",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("daily_since", Instant),  # when they asked for one mail a day; none: they did not
    Column("refused_since", Instant),  # since when a mail server will not have mail for them
)

#: One reader, and one service that nothing gets to for now: told when it starts and when it ends (TH15).
outages = Table(
    "outages",
    metadata,
    identifier(),
    Column("reader", String(64), nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("alerts", Integer, nullable=False),  # how many of them there were, told or not
    Index("ix_outages_open", "reader", "service_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
)
