"""The statements of a transaction that count, by day, name and service, and never by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, Connection, bindparam, select, text

from hub.store import tables


class TallyStatements:
    """A count has a row a day: it grows with what is counted, and no row of it tells of one share."""

    _connection: Connection

    def tally(self, found: Iterable[tuple[str, str, str, str]]) -> None:
        """Count each of these once more: the day in London, what is counted, its name, and the service."""
        # In one order, so that two processes that count the same never wait for each other in a ring.
        counted = sorted(Counter(found).items())
        if counted:
            self._connection.execute(
                _ADD,
                [
                    {"day": day, "what": what, "name": name, "service": service, "number": number}
                    for (day, what, name, service), number in counted
                ],
            )

    def known_rehearsals(self, ids: Sequence[str]) -> set[str]:
        """Return those of what was only tried that are kept already."""
        return set(self._connection.scalars(_KNOWN, {"ids": list(ids)})) if ids else set()


_ids: BindParameter[str] = bindparam("ids", expanding=True)
_KNOWN = select(tables.rehearsals.c.id).where(tables.rehearsals.c.id.in_(_ids))
_ADD = text(
    "INSERT INTO tallies (day, what, name, service_id, number) VALUES (:day, :what, :name, :service, :number)"
    " ON CONFLICT (day, what, name, service_id) DO UPDATE SET number = tallies.number + excluded.number"
)
