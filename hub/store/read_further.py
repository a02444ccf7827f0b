"""What a decision on what follows a share reads beside the share itself."""

from __future__ import annotations

from sqlalchemy import Engine, bindparam, select

from hub.store import tables

_PAUSED = select(tables.pauses.c.section).where(tables.pauses.c.share_id == bindparam("share"))


def paused_sections(engine: Engine, share_id: str) -> frozenset[str]:
    """Return the keyed hashes of the sections of a share that are being checked with the person."""
    with engine.connect() as connection:
        return frozenset(connection.scalars(_PAUSED, {"share": share_id}))
