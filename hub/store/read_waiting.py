"""What has waited longest to be sent: the one delivery that shows whether the hub keeps up."""

from __future__ import annotations

from sqlalchemy import Engine, select

from hub.domain.delivery import CLAIMABLE
from hub.store.fetch import Row, row
from hub.store.tables import deliveries as _D  # noqa: N812 - the same short name as in the other read modules

_OLDEST = (
    select(_D.c.id, _D.c.connection_id, _D.c.state, _D.c.due_at)
    .where(_D.c.state.in_([str(state) for state in CLAIMABLE]))
    .order_by(_D.c.due_at)
    .limit(1)
)


def oldest_due(engine: Engine) -> Row | None:
    """Return the delivery that fell due first and has not been taken, or None when nothing waits."""
    with engine.connect() as connection:
        return row(connection, _OLDEST)
