"""Tell a database that cannot keep a promise now (full, read-only, locked, away) from a defect of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from hub.domain.errors import Refusal, Unavailable

T = TypeVar("T")

#: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN (sqlite.org/rescode.html); the low byte of a code.
_SQLITE: Final = {3, 5, 6, 7, 8, 10, 13, 14}
#: Connection, resources, operator, system; a server that only reads; and what was run again and still collides.
_PG_CLASSES: Final = ("08", "53", "57", "58", "40")
_PG_READ_ONLY: Final = "25006"

STORE_UNAVAILABLE: Final = Refusal(
    type="store-unavailable",
    title="The hub cannot keep anything safely at this moment, so it has promised nothing.",
    next_step="Nothing you sent was wrong. Send it again in a few minutes with the same Idempotency-Key; "
    "if it goes on, ring the people who run the hub: its disk or database needs care.",
    origin="hub",
)

NOT_AUDITED: Final = Refusal(
    type="audit-unavailable",
    title="The hub cannot write down what it does at this moment, so it does nothing.",
    next_step="Nothing you sent was wrong. Send it again in a few minutes with the same Idempotency-Key; "
    "if it goes on, ring the people who run the hub: its audit log needs care.",
    origin="hub",
)

#: Serialisation failure, deadlock; and a unique key that another process took first: run again, the verb finds its row.
_PG_AGAIN: Final = {"40001", "40P01", "23505"}
_SQLITE_AGAIN: Final = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED


def may_pass(error: DBAPIError) -> bool:
    """Tell whether the same commands, run again, may well succeed at once."""
    state = getattr(error.orig, "sqlstate", None)
    return state in _PG_AGAIN or getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_AGAIN


def may_keep_nothing(error: DBAPIError) -> bool:
    """Tell whether the database itself is in trouble, so that the same command may well succeed later."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # PostgreSQL's driver could not speak to the server at all
        return isinstance(error, OperationalError)
    return state == _PG_READ_ONLY or state[:2] in _PG_CLASSES


def read_or_unavailable(query: Callable[..., T], engine: Engine, *arguments: object) -> T:
    """Run a read; raises `Unavailable` when the database cannot be read now."""
    try:
        return query(engine, *arguments)
    except DBAPIError as error:
        if may_keep_nothing(error):
            raise Unavailable(STORE_UNAVAILABLE) from error
        raise
