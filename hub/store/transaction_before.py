"""The statements of a transaction about what a later share is held against: versions of plans."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from hub.store.columns import Instant
from hub.store.fetch import Row


class BeforeStatements:
    """A version has one row: the order in which they came says which is newest."""

    _connection: Connection

    def see_versions(self, seen: Sequence[Row]) -> None:
        """Note versions of plans; one that was seen before keeps its place."""
        if seen:
            self._connection.execute(_SEE, list(seen))


_SEE = text(
    "INSERT INTO plan_versions (partner_id, plan, version, seen_at) VALUES (:partner_id, :plan, :version, :seen_at)"
    " ON CONFLICT (partner_id, plan, version) DO NOTHING"
).bindparams(bindparam("seen_at", type_=Instant()))
