"""What is kept past its time, and under which keys: the reads behind legal holds and key rotation."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, func, select

from hub.store import tables
from hub.store.fetch import Row, rows

_S = tables.shares
_HOLDS = (
    select(_S.c.id, _S.c.reference, _S.c.legal_hold_since, _S.c.legal_hold_by, _S.c.legal_hold_reason)
    .where(_S.c.legal_hold_since.is_not(None))
    .order_by(_S.c.legal_hold_since, _S.c.id)
)
_BY_NAME = select(_S.c.id).where((_S.c.reference == bindparam("which")) | (_S.c.id == bindparam("which")))


def legal_holds(engine: Engine) -> list[Row]:
    """Return the shares under a legal hold, oldest first."""
    with engine.connect() as connection:
        return rows(connection, _HOLDS)


def share_id_of(engine: Engine, which: str) -> str | None:
    """Return the id of a share by its speakable reference or its id; None where there is none."""
    with engine.connect() as connection:
        return connection.scalar(_BY_NAME, {"which": which})


def wrapped_by_header(engine: Engine, length: int) -> dict[bytes, int]:
    """Return how many data keys there are by the first `length` bytes, which name the key that wraps them."""
    found: dict[bytes, int] = {}
    with engine.connect() as connection:
        for table in tables.WITH_DATA_KEY:
            header = func.substr(table.c.data_key, 1, length)
            counted = select(header, func.count()).where(table.c.data_key.is_not(None)).group_by(header)
            for name, number in connection.execute(counted):
                found[bytes(name)] = found.get(bytes(name), 0) + number
    return found
