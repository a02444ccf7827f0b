"""The hub's tables: what is kept, what is encrypted, and which states are allowed."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from hub.domain.answer import AnswerState
from hub.domain.clock import ClockState
from hub.domain.consent import ConsentState
from hub.domain.delivery import CLAIMABLE, DeliveryKind, DeliveryState
from hub.domain.notice import InboxState
from hub.domain.ring import RingKind, RingState
from hub.store import (
    absence_tables,
    account_tables,
    alert_tables,
    barrier_tables,
    own_tables,
    reader_tables,
    rehearsal_tables,
)
from hub.store.columns import Instant, identifier, listed, sealed, states, wrapped_key

#: Not forgotten yet; and of those, what waits for nothing more.
_KEPT = text("data_key IS NOT NULL")
_WAITS = text("held_since IS NOT NULL")
_FINAL = text("data_key IS NOT NULL AND final_at IS NOT NULL")
#: Few shares wait for a reminder: a look-up costs what there are, and a new share nothing.
_REMINDED = text("remind_at IS NOT NULL")
#: Few people name a cover.
_COVERED = text("cover IS NOT NULL")

metadata = own_tables.metadata
clients, deaths, facts = own_tables.clients, own_tables.deaths, own_tables.facts
pauses, seen, tallies = own_tables.pauses, own_tables.seen, own_tables.tallies
redirects, plan_versions, invites = own_tables.redirects, own_tables.plan_versions, own_tables.invites
devices, gaps = own_tables.devices, own_tables.gaps
accounts, sessions, guesses = account_tables.accounts, account_tables.sessions, account_tables.guesses
alerts, days_off = alert_tables.alerts, alert_tables.days_off
absences = absence_tables.absences
rehearsals = rehearsal_tables.rehearsals
readers, outages, notices = reader_tables.readers, reader_tables.outages, reader_tables.notices
barriers, barrier_moves = barrier_tables.barriers, barrier_tables.barrier_moves
learned = barrier_tables.learned

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
    Column("safety", Boolean, nullable=False, server_default=text("false")),  # someone is at risk now (R23)
    Column("restricted", Boolean, nullable=False, server_default=text("false")),  # answers are for named groups (R02)
    Column("cover", String(64)),  # keyed hash: whom the person named for this share while theirs is away (R07)
    Column("withdrawn_at", Instant),
    Column("held_since", Instant),  # it waits for the champion, or did when it was withdrawn (R04)
    Column("told_at", Instant),  # when the trusted person recorded that the person was told, or could not be (R37)
    Column("told", String(12)),
    Column("remind_at", Instant),  # business time: when they are gently reminded of that
    Column("died_at", Instant),  # nothing goes and nothing is asked any more (R69)
    Column("config_digest", String(64), nullable=False),
    wrapped_key(),  # gone once the share is forgotten
    sealed("sender"),  # the sender's own reference and the trusted person's name
    Column("final_at", Instant),  # since when no service owes anything more
    Column("legal_hold_since", Instant),
    Column("legal_hold_by", String(64)),  # the id of a privacy officer
    Column("legal_hold_reason", String(40)),
    Index("ix_shares_partner_id_trusted_person", "partner_id", "trusted_person", "sent_at"),
    Index("ix_shares_partner_id_cover", "partner_id", "cover", sqlite_where=_COVERED, postgresql_where=_COVERED),
    Index("ix_shares_partner_id_person", "partner_id", "person"),  # all that stops at a death, looked for every second
    # What is to be forgotten is looked for every second, among what is not.
    Index("ix_shares_sent_at", "sent_at", sqlite_where=_KEPT, postgresql_where=_KEPT),
    Index("ix_shares_final_at", "final_at", sqlite_where=_FINAL, postgresql_where=_FINAL),
    Index("ix_shares_held_since", "held_since", sqlite_where=_WAITS, postgresql_where=_WAITS),
    Index("ix_shares_remind_at", "remind_at", sqlite_where=_REMINDED, postgresql_where=_REMINDED),
)

#: A share that waits for the champion, as it was sent; gone once it is released or withdrawn (R04).
held_shares = Table(
    "held_shares",
    metadata,
    Column("share_id", ForeignKey("shares.id"), primary_key=True),
    sealed("body"),  # under the share's own key
)

#: One person's choice of one trusted person, as one partner's system knows it (R01).
trusted_people = Table(
    "trusted_people",
    metadata,
    identifier(),
    Column("partner_id", String(64), nullable=False),
    Column("trusted_person", String(64), nullable=False),  # keyed hash
    Column("person", String(64), nullable=False),  # keyed hash
    Column("seen", String(64), nullable=False),  # keyed hash of its details: which state of it somebody looked at
    Column("kept_at", Instant, nullable=False),
    Column("cover", String(64)),  # keyed hash: whom the person named while this one is away (R07)
    wrapped_key(),
    sealed("details"),
    UniqueConstraint("partner_id", "trusted_person", "person"),
    Index(
        "ix_trusted_people_partner_id_cover", "partner_id", "cover", sqlite_where=_COVERED, postgresql_where=_COVERED
    ),
)

#: Given, and not looked at yet because it ends soon.
_UNTOLD = text("state = 'given' AND ending_told_at IS NULL")

consents = Table(
    "consents",
    metadata,
    identifier(),
    Column("record_id", String(32), nullable=False, index=True),
    Column("share_id", ForeignKey("shares.id"), nullable=False, index=True),
    Column("service_id", String(64), nullable=False),
    Column("agreement", String(64), nullable=False, index=True),  # keyed hash of partner, person, reference, service
    Column("need", String(64), nullable=False, index=True),  # keyed hash of the link, service and purpose (R32)
    Column("state", String(16), nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("returns", JSON, nullable=False),
    Column("ending_told_at", Instant),  # when it was looked at because it ends soon
    sealed(
        "terms", nullable=True
    ),  # the grant as it was given: why, what of, how, who agreed, under which notice (R12)
    states("state", ConsentState),
    Index("ix_consents_ending", "ends_at", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
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

#: Consent and lawful basis are two records (R14): codes of the sharing agreement in force when it was accepted.
lawful_bases = Table(
    "lawful_bases",
    metadata,
    Column("consent_id", ForeignKey("consents.id"), primary_key=True),
    Column("agreement", String(80), nullable=False),
    Column("assessment", String(80), nullable=False),
    Column("notice", String(100), nullable=False),
    Column("sender_article_6", String(80), nullable=False),
    Column("sender_article_9", String(80), nullable=False),
    Column("sender_article_10", String(80), nullable=False),
    Column("receiver_article_6", String(80), nullable=False),
    Column("receiver_article_9", String(80), nullable=False),
    Column("receiver_article_10", String(80), nullable=False),
    Column("override", String(80)),  # the basis of what went without a yes, by the partnership's policy (R23)
    Column("at", Instant, nullable=False),
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
    Column("bare", Boolean, nullable=False),  # holds nothing of the story, and so needs no living consent (R15)
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

#: Few answers wait to be fetched: a look for them costs what there are.
_UNCOLLECTED = text("collect_by IS NOT NULL")

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
    Column("next_date_missing", Boolean, nullable=False),  # a yes without a date may hide months of nothing (R38)
    Column("check_with_person", Boolean, nullable=False),
    Column("do_not_tell_yet", Boolean, nullable=False),
    Column("held_back", JSON, nullable=False),
    Column("collect_by", Instant),  # by when it has to be fetched; gone once it was, or somebody heard that it was not
    Column("is_collected", Boolean, nullable=False, server_default=text("true")),
    Index("ix_answers_collect_by", "collect_by", sqlite_where=_UNCOLLECTED, postgresql_where=_UNCOLLECTED),
    sealed("said"),  # owner, words, next step, dates, who was told
    states("state", AnswerState),
)

#: Few champions asked for a heads-up: a look for them costs what there are.
_EARLY = text("early_at IS NOT NULL AND state = 'running'")

clocks = Table(
    "clocks",
    metadata,
    Column("delivery_id", ForeignKey("deliveries.id"), primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("due_at", Instant, nullable=False),
    Column("early_at", Instant),  # when the champion gets a heads-up (R49); gone once they had it
    Column("state", String(16), nullable=False),
    Column("agreed_by", String(200), nullable=False),
    Column("agreed_on", String(10), nullable=False),
    states("state", ClockState),
    Index("ix_clocks_state_due_at", "state", "due_at"),
    Index("ix_clocks_early_at", "early_at", sqlite_where=_EARLY, postgresql_where=_EARLY),
)

#: Requests to be rung (R09, R23): of no share and no person.
rings = Table(
    "rings",
    metadata,
    identifier(),
    Column("kind", String(16), nullable=False),
    Column("partner_id", String(64), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("author", String(64), nullable=False),  # keyed hash
    Column("recipient", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("picked_up_at", Instant),
    Column("told_late_at", Instant),
    states("kind", RingKind),
    states("state", RingState),
    Index("ix_rings_state_due_at", "state", "due_at"),
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
    Column("share_id", ForeignKey("shares.id"), index=True),  # once it was read, what it is about
    wrapped_key(),
    sealed("message"),
    UniqueConstraint("connection_id", "message_id"),
    Index("ix_inbox_received_at", "received_at", sqlite_where=_KEPT, postgresql_where=_KEPT),
    states("state", InboxState),
    Index("ix_inbox_state_due_at", "state", "due_at"),
)

replies = Table(
    "replies",
    metadata,
    Column("partner_id", String(64), primary_key=True),
    Column("key", String(64), primary_key=True),  # keyed hash of the Idempotency-Key
    Column("body", String(64), nullable=False),  # keyed hash of the request body
    Column("share_id", ForeignKey("shares.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    sealed("reply"),
)

#: What waits for its place in the chain: at most a second's worth, however long the log is.
_UNSEALED = text("position IS NULL")

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
    # By the machine's own clock, whatever business time is: it tells how long an event has waited for its place.
    Column("kept_at", Instant, nullable=False, default=lambda: datetime.now(UTC)),
    Column("position", Integer, unique=True),  # its place in the chain, given by whoever seals
    Column("hash", String(64)),
    Index("ix_audit_events_unsealed", "kept_at", "id", sqlite_where=_UNSEALED, postgresql_where=_UNSEALED),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("after", Integer, nullable=False),
    Column("at", String(32), nullable=False),  # as it was signed
    Column("chain", String(32), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("kid", String(64), nullable=False),
    Column("signature", String(86), nullable=False),
)

#: The tables whose rows are sealed under a data key of their own; each such row has an `id`.
WITH_DATA_KEY = tuple(table for table in metadata.sorted_tables if "data_key" in table.c)
