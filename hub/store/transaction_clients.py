"""The statements of a transaction that concern clients: whether a partner's system may come in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from hub.store import tables
from hub.store.columns import Instant

_C = tables.clients


class ClientStatements:
    """A client has a row only once it was revoked; one without a row stands."""

    _connection: Connection

    def set_client_revoked(self, client_id: str, at: datetime | None) -> bool:
        """Revoke a client at an instant, or restore it with None; False when it stood that way already."""
        found = self._connection.execute(_LOCKED, {"b_id": client_id}).first()
        if (found is not None and found.revoked_at is not None) == (at is not None):
            return False
        if found is None:
            self._connection.execute(_C.insert(), {"id": client_id, "revoked_at": at})
        else:
            self._connection.execute(_SET, {"b_id": client_id, "at": at})
        return True


_LOCKED = select(_C).where(_C.c.id == bindparam("b_id")).with_for_update()
_SET = update(_C).where(_C.c.id == bindparam("b_id")).values(revoked_at=bindparam("at", type_=Instant()))
