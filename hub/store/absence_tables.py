"""The table of absences: which trusted people are away, or leave and when (R07, R08)."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from hub.domain.absence import Absence
from hub.store.columns import Instant, states
from hub.store.own_tables import metadata

#: Whose: a partner's, and keyed hashes of its own references; no `person` is everybody who chose them.
_WHOSE = ("partner_id", "trusted_person", "person")

absences = Table(
    "absences",
    metadata,
    *(Column(name, String(64), primary_key=True) for name in _WHOSE),
    Column("kind", String(8), primary_key=True),
    Column("first", String(10), nullable=False),  # London's days
    Column("last", String(10)),  # none: until something else is said
    Column("offered_at", Instant),  # when what is open was offered to be handed over
    states("kind", Absence),
)
