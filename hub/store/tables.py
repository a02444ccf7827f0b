"""The hub's tables: what is kept, what is encrypted, and which states are allowed."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from hub.domain.answer import AnswerState
from hub.domain.consent import ConsentState
from hub.domain.delivery import CLAIMABLE, DeliveryKind, DeliveryState
from hub.store.columns import Instant, identifier, listed, sealed, states

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class ClockState(StrEnum):
    """A clock runs until its rung is reached (stopped) or its time comes (passed)."""

    RUNNING = "running"
    STOPPED = "stopped"
    PASSED = "passed"


class AlertState(StrEnum):
    """An alert is open until someone takes it or the service answers."""

    OPEN = "open"
    CLOSED = "closed"


class NoticeState(StrEnum):
    """A notice's life: the same shape as a delivery's, but it never carries a story."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    DEAD_LETTERED = "dead_lettered"
    CANCELLED = "cancelled"


class InboxState(StrEnum):
    """A message from a partner: kept before it is understood, and kept when it cannot be."""

    PENDING = "pending"
    READ = "read"
    REFUSED = "refused"


shares = Table(
    "shares",
    metadata,
    identifier(),
    Column("reference", String(12), nullable=False, unique=True),
    Column("partner_id", String(64), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("trusted_person", String(64), nullable=False),  # keyed hash
    Column("person", String(64), nullable=False),  # keyed hash
    Column("sent_at", Instant, nullable=False),
    Column("ask", String(8), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("withdrawn_at", Instant),
    Column("config_digest", String(64), nullable=False),
    Column("data_key", LargeBinary),  # wrapped; gone once shredded
    sealed("sender"),  # the sender's own reference and the trusted person's name
    Index("ix_shares_partner_id_trusted_person", "partner_id", "trusted_person", "sent_at"),
)

consents = Table(
    "consents",
    metadata,
    identifier(),
    Column("record_id", String(32), nullable=False, index=True),
    Column("share_id", ForeignKey("shares.id"), nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("agreement", String(64), nullable=False, index=True),  # keyed hash of partner, person, reference, service
    Column("state", String(16), nullable=False),
    Column("ends_at", Instant, nullable=False),
    # Why, what of and under which notice stands sealed in the deliveries' frames: no rule reads it from here.
    Column("returns", JSON, nullable=False),
    states("state", ConsentState),
    Index("ix_consents_state_ends_at", "state", "ends_at"),  # what runs out is looked for every second
)

consent_events = Table(
    "consent_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("consent_id", ForeignKey("consents.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("author", String(64), nullable=False),  # keyed hash
    states("state", ConsentState),
)

connections = Table(
    "connections",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("held_since", Instant),
    Column("held_reason", String(80)),
)

#: What may be claimed, in the order in which it is: a claim then costs what it takes, however much waits behind it.
_CLAIMABLE = text(f"state IN ({listed(CLAIMABLE)})")

deliveries = Table(
    "deliveries",
    metadata,
    identifier(),
    Column("share_id", ForeignKey("shares.id"), nullable=False, index=True),
    Column("consent_id", ForeignKey("consents.id"), nullable=False, index=True),
    Column("service_id", String(64), nullable=False),
    Column("connection_id", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("after", ForeignKey("deliveries.id")),
    Column("linked_to", ForeignKey("deliveries.id")),
    Column("state", String(16), nullable=False),
    Column("answer_state", String(24), nullable=False),
    Column("key", String(36), nullable=False, unique=True),
    Column("case", String(36), nullable=False),
    Column("address", String(2000), nullable=False),
    Column("mapping", String(80), nullable=False),
    Column("content_type", String(80), nullable=False),
    Column("parcel_sha256", String(64), nullable=False),  # an audit proves by it what went, once the parcel is gone
    sealed("parcel"),
    sealed("frame"),  # what its mapping saw beside the story, for what may follow it
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("claimed_at", Instant),
    Column("attempt", Integer, nullable=False),
    Column("counted", Integer, nullable=False),  # attempts that used up a try
    Column("deaths", Integer, nullable=False),
    Column("may_have_left", Boolean, nullable=False),  # a byte of it, on some attempt
    Column("first_claimed_at", Instant),
    Column("delivered_at", Instant),
    Column("receipt", String(64)),  # keyed hash of the partner's own reference
    sealed("sealed_receipt", nullable=True),
    Column("reason", String(80)),
    states("state", DeliveryState),
    states("answer_state", AnswerState),
    states("kind", DeliveryKind),
    Index("ix_deliveries_connection_id_state", "connection_id", "state", "due_at"),
    Index("ix_deliveries_claimable", "connection_id", "due_at", sqlite_where=_CLAIMABLE, postgresql_where=_CLAIMABLE),
    Index("ix_deliveries_state_lease_until", "state", "lease_until"),
    Index("ix_deliveries_connection_id_receipt", "connection_id", "receipt"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(80), nullable=False),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("level", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", String(16), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    identifier(),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False, index=True),
    Column("state", String(24), nullable=False),
    Column("at", Instant, nullable=False),
    Column("source", String(16), nullable=False),
    Column("usual", Boolean, nullable=False),
    Column("owner_missing", Boolean, nullable=False),
    Column("reason_missing", Boolean, nullable=False),
    Column("held_back", JSON, nullable=False),
    sealed("said"),  # owner, words, next step, dates, who was told
    states("state", AnswerState),
)

clocks = Table(
    "clocks",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("agreed_by", String(200), nullable=False),
    Column("agreed_on", String(10), nullable=False),
    states("state", ClockState),
    Index("ix_clocks_state_due_at", "state", "due_at"),
)

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
    UniqueConstraint("delivery_id", "level", "kind"),
    states("state", AlertState),
)

notices = Table(
    "notices",
    metadata,
    identifier(),
    Column("channel", String(8), nullable=False),
    Column("topic", String(40), nullable=False),
    Column("recipient", String(80), nullable=False),  # the id of a champion, client or service; never an address
    Column("share_id", ForeignKey("shares.id"), nullable=True),
    Column("delivery_id", ForeignKey("deliveries.id")),
    Column("alert_id", ForeignKey("alerts.id")),
    Column("connection_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempt", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("reason", String(80)),
    states("state", NoticeState),
    Index("ix_notices_channel_state_due_at", "channel", "state", "due_at"),  # each channel has its own way out,
)

inbox = Table(
    "inbox",
    metadata,
    identifier(),
    Column("connection_id", String(64), nullable=False),
    Column("message_id", String(64), nullable=False),  # keyed hash
    Column("received_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempt", Integer, nullable=False),
    Column("reason", String(80)),
    Column("data_key", LargeBinary),
    sealed("message"),
    UniqueConstraint("connection_id", "message_id"),
    states("state", InboxState),
    Index("ix_inbox_state_due_at", "state", "due_at"),
)

replies = Table(
    "replies",
    metadata,
    Column("partner_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),  # keyed hash of the Idempotency-Key
    Column("body", String(64), nullable=False),  # keyed hash of the request body
    Column("share_id", ForeignKey("shares.id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    sealed("reply"),
)

seen = Table(
    "seen",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("token", String(64), primary_key=True),
    Column("until", Instant, nullable=False, index=True),
)

clients = Table(
    "clients",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("revoked_at", Instant),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("action", String(40), nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("share_id", String(32), index=True),
    Column("delivery_id", String(32)),
    Column("detail", JSON, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
