"""The statements of a transaction that concern the audit log: what waits for its place in the chain; checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, select, text, update
from sqlalchemy.exc import DBAPIError

from hub.domain.errors import Unavailable
from hub.store import prepared, tables
from hub.store.bulk import WORTH_IT, insert_many
from hub.store.fetch import Row, row, rows
from hub.store.trouble import NOT_AUDITED, may_keep_nothing, may_pass


class AuditStatements:
    """Events are inserted with what they record, and given their place in the chain a moment later, by one process."""

    _connection: Connection
    _dialect: str

    def audit(self, new: Sequence[Row]) -> None:
        """Insert audit events; raises `Unavailable` when they cannot be kept: no audit, no send."""
        try:
            kept_at = datetime.now(UTC)
            insert = insert_many if len(new) >= WORTH_IT else prepared.insert
            insert(self._connection, _E, [{**row, "kept_at": kept_at} for row in new])
        except DBAPIError as error:
            if may_keep_nothing(error) or may_pass(error):
                raise
            raise Unavailable(NOT_AUDITED) from error

    def take_log(self) -> bool:
        """Be the only one who seals until this transaction ends; False while another process does."""
        return self._dialect != "postgresql" or bool(self._connection.scalar(_TAKE))

    def newest_checkpoint(self) -> Row | None:
        """Return the checkpoint of the highest position."""
        return row(self._connection, NEWEST)

    def unsealed(self, limit: int) -> list[Row]:
        """Return events that have no place in the chain yet, in the order they were kept."""
        return rows(self._connection, _UNSEALED, {"limit": limit})

    def unsealed_since(self) -> datetime | None:
        """Return since when the oldest of them waits."""
        found = row(self._connection, OLDEST)
        return found["kept_at"] if found is not None else None

    def seal_events(self, places: Sequence[tuple[int, int, str]]) -> None:
        """Give events their place: (id, position, hash)."""
        placed = [{"b_id": each, "b_position": position, "b_hash": sealed} for each, position, sealed in places]
        prepared.change(self._connection, _SEAL, placed)


_E = tables.audit_events
#: Released with the transaction, after what it sealed can be seen; named by the table, so by the schema it stands in.
_TAKE = text("SELECT pg_try_advisory_xact_lock('checkpoints'::regclass::oid::bigint)")
NEWEST = select(tables.checkpoints).order_by(tables.checkpoints.c.position.desc()).limit(1)
_UNSEALED = (
    select(_E.c.id, _E.c.at, _E.c.kept_at, _E.c.action, _E.c.actor, _E.c.share_id, _E.c.delivery_id, _E.c.detail)
    .where(_E.c.position.is_(None))
    .order_by(_E.c.kept_at, _E.c.id)
    .limit(bindparam("limit"))
)
OLDEST = select(_E.c.kept_at).where(_E.c.position.is_(None)).order_by(_E.c.kept_at).limit(1)
_SEAL = (
    update(_E).where(_E.c.id == bindparam("b_id")).values(position=bindparam("b_position"), hash=bindparam("b_hash"))
)
