"""The statements of a transaction that concern clocks, alerts and held connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from hub.domain.alert import AlertKind, AlertState
from hub.domain.answer import Level
from hub.domain.clock import ClockState
from hub.domain.consent import LIVING, ConsentState
from hub.domain.delivery import ENDED, DeliveryState
from hub.store import prepared, tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows


class ClockStatements:
    """Clocks run until their rung is reached; an alert is raised once for a delivery, rung and kind."""

    _connection: Connection

    def stop_clocks(self, rungs: Sequence[tuple[str, int]], *, above: int = -1) -> None:
        """Stop every clock at or below the rung that each delivery reached, and above one that it has yet to reach."""
        if rungs:
            values = [{"b_delivery": each, "b_level": level, "b_above": above} for each, level in rungs]
            prepared.change(self._connection, _STOP, values)

    def ended_clocks(self, delivery_ids: Sequence[str], level: int) -> list[Row]:
        """Take clocks of one rung that no longer run, with when their shares were sent."""
        return rows(self._connection, _NOT_RUNNING, {"ids": list(delivery_ids), "level": level})

    def start_clocks(self, due: Sequence[tuple[str, int, datetime]]) -> None:
        """Let clocks run again until a new time."""
        if due:
            values = [{"b_delivery": each, "b_level": level, "due": at} for each, level, at in due]
            prepared.change(self._connection, _START, values)

    def stop_all_clocks(self, delivery_ids: Sequence[str]) -> None:
        """Stop every clock of deliveries that nobody waits for any more."""
        self.stop_clocks([(each, 99) for each in delivery_ids])

    def due_clocks(self, now: datetime, limit: int) -> list[Row]:
        """Take running clocks whose time has come, with whom they concern, soonest first."""
        return rows(self._connection, _DUE, {"now": now, "limit": limit})

    def pass_clocks(self, rungs: Sequence[tuple[str, int]]) -> None:
        """Mark clocks as passed: they have had their alert."""
        if not rungs:
            return
        if self._connection.dialect.name == "postgresql":
            those, levels = zip(*rungs, strict=True)
            self._connection.exec_driver_sql(_PASS_MANY, (list(those), list(levels)))
        else:
            self._connection.exec_driver_sql(_PASS, [(each, level) for each, level in rungs])

    def known_alerts(self, delivery_ids: Sequence[str]) -> set[tuple[str, int, str]]:
        """Return the (delivery, rung, kind) for which an alert was raised before."""
        found = self._connection.execute(_KNOWN, {"ids": list(delivery_ids)})
        return {(row.delivery_id, row.level, row.kind) for row in found}

    def close_alerts(self, rungs: Sequence[tuple[str, int]], at: datetime, *, above: int = -1) -> None:
        """Close the open alerts that a reached rung answers; `above` as in `stop_clocks`."""
        if rungs:
            values = [{"b_delivery": each, "b_level": level, "b_above": above, "at": at} for each, level in rungs]
            prepared.change(self._connection, _CLOSE, values)

    def hold(self, connection_id: str, reason: str, at: datetime) -> bool:
        """Hold a connection; False when it was held already, so that the operator is told once."""
        held = self._connection.execute(_HELD, {"b_id": connection_id}).first()
        if held is not None and held.held_since is not None:
            return False
        if held is None:
            row = {"id": connection_id, "held_since": at, "held_reason": reason}
            self._connection.execute(tables.connections.insert(), row)
        else:
            self._connection.execute(_HOLD, {"b_id": connection_id, "at": at, "b_reason": reason})
        return True

    def change_hold(self, connection_id: str, reason: str, at: datetime) -> None:
        """Say anew why a held connection is, and since when."""
        self._connection.execute(_HOLD, {"b_id": connection_id, "at": at, "b_reason": reason})

    def held_for(self, connection_id: str) -> str | None:
        """Return why a connection is held; None for one that is not."""
        held = self._connection.execute(_HELD, {"b_id": connection_id}).first()
        return None if held is None or held.held_since is None else str(held.held_reason)

    def resume(self, connection_id: str) -> list[str]:
        """Let a held connection go on; returns the deliveries that were held with it."""
        self._connection.execute(_HOLD, {"b_id": connection_id, "at": None, "b_reason": None})
        ids = list(self._connection.scalars(_GOES_ON, {"b_id": connection_id}))
        self._connection.execute(_RESUME, {"b_id": connection_id})
        return ids

    def stray_held(self) -> list[str]:
        """Return the connections that are not held and yet have held deliveries."""
        return list(self._connection.scalars(_STRAYS))


_K, _A, _D, _H = tables.clocks, tables.alerts, tables.deliveries, tables.connections

_STOP = (
    update(_K)
    .where(
        _K.c.delivery_id == bindparam("b_delivery"),
        _K.c.level <= bindparam("b_level"),
        _K.c.level > bindparam("b_above"),
        _K.c.state == ClockState.RUNNING,
    )
    .values(state=ClockState.STOPPED)
)
_NOT_RUNNING = (
    select(_K.c.delivery_id, _K.c.due_at, tables.shares.c.sent_at)
    .join(_D, _D.c.id == _K.c.delivery_id)
    .join(tables.shares, tables.shares.c.id == _D.c.share_id)
    .join(tables.consents, tables.consents.c.id == _D.c.consent_id)
    .where(
        _K.c.delivery_id.in_(bindparam("ids", expanding=True)),
        _K.c.level == bindparam("level"),
        _K.c.state != ClockState.RUNNING,
        # Nobody waits for what was cancelled, withdrawn or replaced, whatever the service still says of it.
        _D.c.state != DeliveryState.CANCELLED,
        tables.consents.c.state.in_((*LIVING, ConsentState.EXPIRED)),
        tables.shares.c.died_at.is_(None),
    )
    .with_for_update(of=_K)
)
_START = (
    update(_K)
    .where(_K.c.delivery_id == bindparam("b_delivery"), _K.c.level == bindparam("b_level"))
    .values(state=ClockState.RUNNING, due_at=bindparam("due", type_=Instant()))
)
_DUE = (
    select(
        _K.c.delivery_id,
        _K.c.level,
        _K.c.due_at,
        _D.c.state.label("delivery_state"),
        _D.c.answer_state,
        _D.c.service_id,
        _D.c.share_id,
        tables.shares.c.partner_id,
        tables.shares.c.client_id,
        tables.shares.c.urgent,
        tables.shares.c.safety,
    )
    .join(_D, _D.c.id == _K.c.delivery_id)
    .join(tables.shares, tables.shares.c.id == _D.c.share_id)
    .where(
        _K.c.state == ClockState.RUNNING,
        _K.c.due_at <= bindparam("now", type_=Instant()),
        # What has not arrived cannot be unanswered: those clocks are looked at once it has, or never will.
        or_(_K.c.level <= Level.L1, _D.c.state.in_(ENDED)),
    )
    .order_by(_K.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(of=_K, skip_locked=True)
)
#: Thousands at once, with no work for each: one prepared statement, or one for all.
_PASS = f"UPDATE clocks SET state = '{ClockState.PASSED}' WHERE delivery_id = ? AND level = ?"  # noqa: S608 - the name of a state
_PASS_MANY = f"""
UPDATE clocks SET state = '{ClockState.PASSED}'
FROM unnest(%s::varchar[], %s::int[]) AS those(delivery, rung) WHERE delivery_id = delivery AND level = rung
"""  # noqa: S608 - as above
_KNOWN = select(_A.c.delivery_id, _A.c.level, _A.c.kind).where(_A.c.delivery_id.in_(bindparam("ids", expanding=True)))
_CLOSE = (
    update(_A)
    .where(
        _A.c.delivery_id == bindparam("b_delivery"),
        _A.c.level <= bindparam("b_level"),
        _A.c.level > bindparam("b_above"),
        _A.c.state == AlertState.OPEN,
        # What only said where else to go is over when the service says more, or when nobody waits any longer (R34).
        or_(_A.c.kind != AlertKind.SIGNPOSTED, bindparam("b_level") >= int(Level.L4)),
    )
    .values(state=AlertState.CLOSED, closed_at=bindparam("at", type_=Instant()))
)
#: Under a lock: of two couriers that hold a connection at once, one tells the operator.
_HELD = select(_H.c.held_since, _H.c.held_reason).where(_H.c.id == bindparam("b_id")).with_for_update()
_HOLD = (
    update(_H)
    .where(_H.c.id == bindparam("b_id"))
    .values(held_since=bindparam("at", type_=Instant()), held_reason=bindparam("b_reason"))
)
_GOES_ON = select(_D.c.id).where(
    _D.c.connection_id == bindparam("b_id"), _D.c.state.in_((DeliveryState.HELD, DeliveryState.QUEUED))
)
_STRAYS = (
    select(_D.c.connection_id)
    .where(
        _D.c.state == DeliveryState.HELD,
        _D.c.connection_id.not_in(select(_H.c.id).where(_H.c.held_since.is_not(None))),
    )
    .distinct()
)
_RESUME = (
    update(_D)
    .where(_D.c.connection_id == bindparam("b_id"), _D.c.state == DeliveryState.HELD)
    .values(state=DeliveryState.QUEUED)
)
