"""The hub's own tables, which hold no story: checks, deaths, links, one-time tokens, clients, facts and counts."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint

from hub.store.columns import Instant, identifier

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Statements that are being checked with the person, on the trusted person's word (R40).
pauses = Table(
    "pauses",
    metadata,
    Column("share_id", ForeignKey("shares.id"), primary_key=True),
    Column("section", String(64), primary_key=True),  # keyed hash of the sender's own id of it
    Column("at", Instant, nullable=False),
)

#: Whom a partner, or a service, said to have died: nothing of theirs goes any more (R69).
deaths = Table(
    "deaths",
    metadata,
    Column("partner_id", String(64), primary_key=True),
    Column("person", String(64), primary_key=True),  # keyed hash
    Column("at", Instant, nullable=False),
)

#: How often a person was sent on from service to service before a share, and since when somebody was asked (R33).
redirects = Table(
    "redirects",
    metadata,
    Column("share_id", ForeignKey("shares.id"), primary_key=True),
    Column("first_asked_at", Instant, nullable=False),
    Column("number", Integer, nullable=False),
)

#: The versions of a person's plan in the order in which a partner first named them (R20): keyed hashes alone.
plan_versions = Table(
    "plan_versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("partner_id", String(64), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("seen_at", Instant, nullable=False),
    UniqueConstraint("partner_id", "plan", "version"),
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

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)

#: How often, by London's day (2026-11-20), and nothing finer: what gates blocked, what was said of three of five.
_COUNTED = {"day": 10, "what": 12, "name": 80, "service_id": 64}
tallies = Table(
    "tallies",
    metadata,
    *(Column(name, String(length), primary_key=True) for name, length in _COUNTED.items()),
    Column("number", Integer, nullable=False),
    Index("ix_tallies_service_id", "service_id", "what", "name"),  # of one barrier, over all days
)

#: What nobody could act on, beside the request to ring whose team found that out (R24, R56): of no share or person.
gaps = Table(
    "gaps",
    metadata,
    Column("ring_id", ForeignKey("rings.id"), primary_key=True),
    Column("need", String(60), nullable=False),
    Column("area", String(12), nullable=False),
)

#: Links to the answer page: of each, a keyed hash of its token and no more, so that the table opens nothing.
invites = Table(
    "invites",
    metadata,
    identifier(),
    Column("delivery_id", ForeignKey("deliveries.id"), nullable=False),
    Column("number", Integer, nullable=False),  # 0 for the first, then one more for each that was asked for
    Column("token", String(64), nullable=False, unique=True),  # keyed hash
    Column("address", String(320), nullable=False),  # the team's mailbox, as the partnership wrote it down
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("opened_at", Instant),  # when somebody first proved the team's code, in business time
    Column("revoked_at", Instant),
    Column("tries", Integer, nullable=False),  # wrong codes
    Column("tried_at", Instant, index=True),  # the last of those
    UniqueConstraint("delivery_id", "number"),
)

#: Devices that proved a team's code: of each, a keyed hash of what its cookie holds, so that the table opens nothing.
devices = Table(
    "devices",
    metadata,
    identifier(),
    Column("token", String(64), nullable=False, unique=True),  # keyed hash
    Column("service_id", String(64), nullable=False, index=True),
    Column("code", String(64), nullable=False),  # keyed hash of the code: a new one shuts out whoever knew the old
    Column("remembered", Boolean, nullable=False),  # for a shift; otherwise until its browser is closed
    Column("began_at", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
)
