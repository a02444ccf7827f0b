"""The table of rehearsals: what would have gone through a connection in shadow mode, and of nobody (R75)."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Integer, String, Table

from hub.store.columns import Instant, identifier
from hub.store.own_tables import metadata

#: Codes and sizes alone: no share, person, consent or word is kept of what was not sent.
rehearsals = Table(
    "rehearsals",
    metadata,
    identifier(),
    Column("partner_id", String(64), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("service_id", String(64), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("mapping", String(80), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("categories", JSON, nullable=False),
    Column("withheld", Integer, nullable=False),  # parts
    Column("refusals", JSON, nullable=False),  # their types; none: it would have gone
)
