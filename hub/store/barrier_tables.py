"""The tables of barriers and of what was learned of a month; of no share and no person (R52, R54)."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table, UniqueConstraint

from hub.domain.barrier import BarrierState
from hub.store.columns import Instant, identifier, states
from hub.store.own_tables import metadata

barriers = Table(
    "barriers",
    metadata,
    identifier(),
    Column("service_id", String(64), nullable=False),
    Column("cause", String(12), nullable=False),  # as `tallies.what`
    Column("name", String(80), nullable=False),  # as `tallies.name`
    Column("state", String(16), nullable=False),
    Column("since", Instant, nullable=False),
    Column("times", Integer, nullable=False),  # how often it was identified: more than once, and it came back
    Column("counted", Integer, nullable=False),  # how often it had been met when it last moved
    UniqueConstraint("service_id", "cause", "name"),
    states("state", BarrierState),
)

barrier_moves = Table(
    "barrier_moves",
    metadata,
    Column("barrier_id", ForeignKey("barriers.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("words", String(200), nullable=False),
    Column("person", String(64), nullable=False),  # a person of the partnership's file, or the hub's own clock
    states("state", BarrierState),
)

#: A month as it was published: it is never counted again, and what puts it right is a version of its own (R54).
learned = Table(
    "learned",
    metadata,
    Column("month", String(7), primary_key=True),  # 2026-11
    Column("version", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("why", String(40), nullable=False),  # nothing for the first version
    Column("opens_on", String(10), nullable=False),  # until then each service sees its own alone
    Column("figures", JSON, nullable=False),
    Column("counted", JSON, nullable=False),  # what the next version is compared with; never published
)
