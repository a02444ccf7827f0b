"""The statements of a transaction that concern mail that goes together, and those who read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, exists, literal, select, update

from hub.domain.alert import AlertKind, AlertState
from hub.domain.delivery import DeliveryState
from hub.domain.digest import Pace, Waits
from hub.domain.notice import NoticeState
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows

#: What is still tried: nothing that anybody has to look at has happened to it.
TRYING = (DeliveryState.QUEUED, DeliveryState.RETRYING, DeliveryState.SENDING, DeliveryState.HELD)
#: Ids in one statement: far below what any database takes.
_AT_ONCE = 5_000


class DigestStatements:
    """Notices that wait for each other, and readers with what they chose and what they know."""

    _connection: Connection

    def readers_due(self, wall: datetime, limit: int) -> list[str]:
        """Return readers for whom something that goes together is due."""
        return list(self._connection.scalars(_READERS, {"wall": wall, "limit": limit}))

    def together_of(self, reader: str, wall: datetime) -> list[Row]:
        """Take what is due for a reader, oldest first, each with where its alert and its delivery stand."""
        return rows(self._connection, _OF_READER, {"reader": reader, "wall": wall, "limit": _AT_ONCE})

    def digests_since(self, reader: str, since: datetime) -> list[datetime]:
        """Return when mails for what went together were made for a reader."""
        return list(self._connection.scalars(_SENT, {"reader": reader, "since": since}))

    def postpone_notices(self, ids: Sequence[str], at: datetime, why: Waits) -> None:
        """Let notices wait until `at`."""
        if ids:
            self._connection.execute(_POSTPONE, {"ids": list(ids), "at": at, "why": why})

    def put_in_digest(self, ids: Sequence[str], digest_id: str) -> None:
        """Let notices go in one mail."""
        if ids:
            self._connection.execute(_PUT, {"ids": list(ids), "digest": digest_id})

    def drop_notices(self, ids: Sequence[str], why: str) -> None:
        """Let notices go unsent: what they would say is over."""
        if ids:
            self._connection.execute(_DROP, {"ids": list(ids), "why": why})

    def in_digests(self, digest_ids: Sequence[str]) -> list[Row]:
        """Return the notices that wait in these mails."""
        return rows(self._connection, _MEMBERS, {"ids": list(digest_ids)}) if digest_ids else []

    def open_outages(self, reader: str) -> dict[str, Row]:
        """Return what a reader knows cannot be reached, by service."""
        return {row["service_id"]: row for row in rows(self._connection, _KNOWN, {"reader": reader})}

    def widen_outage(self, outage_id: str, by: int) -> None:
        """Count more alerts of an outage."""
        self._connection.execute(_WIDEN, {"b_id": outage_id, "by": by})

    def outages_over(self) -> list[Row]:
        """Take the outages in which nothing waits any more."""
        return rows(self._connection, _OVER, {})

    def end_outage(self, outage_id: str, wall: datetime) -> None:
        """End an outage."""
        self._connection.execute(_END, {"b_id": outage_id, "at": wall})

    def waiting_for_outage(self, reader: str, service_id: str) -> list[str]:
        """Return the ids of what waits to be told to a reader of a service that could not be reached."""
        return list(self._connection.scalars(_WAITING, {"reader": reader, "service": service_id}))

    def hurry_notices(self, person: str, wall: datetime) -> None:
        """Let what waits for a reader's morning mail go now."""
        self._connection.execute(_HURRY, {"b_person": person, "wall": wall})

    def wants_daily(self, person: str) -> bool:
        """Tell whether a reader asked for one mail a day."""
        return self._connection.scalar(_DAILY, {"person": person}) is not None

    def change_reader(self, person: str, **of: datetime | None) -> None:
        """Note of a reader `daily_since` or `refused_since`."""
        if self._connection.execute(_READER, {"person": person}).first() is None:
            self._connection.execute(tables.readers.insert(), {"person": person, **of})
        else:
            statement = update(tables.readers).where(tables.readers.c.person == person)
            self._connection.execute(statement.values(dict(of)))

    def refused_since(self, person: str) -> datetime | None:
        """Return since when mail for a reader is refused."""
        found: datetime | None = self._connection.scalar(_REFUSED, {"person": person})
        return found

    def forget_refused(self, before: datetime) -> int:
        """Let mail be tried again for readers whose mail was refused before an instant; returns how many."""
        return int(self._connection.execute(_TRY_AGAIN, {"before": before}).rowcount)


_N, _A, _D, _R, _O = tables.notices, tables.alerts, tables.deliveries, tables.readers, tables.outages
_ids: BindParameter[Any] = bindparam("ids", expanding=True)
#: In the very words of the partial index.
_WAITS = (
    _N.c.pace == literal(Pace.TOGETHER, literal_execute=True),
    _N.c.state == literal(NoticeState.QUEUED, literal_execute=True),
    _N.c.digest_id.is_(None),
)
_DUE = _N.c.due_at <= bindparam("wall", type_=Instant())

_READERS = select(_N.c.recipient).where(*_WAITS, _DUE).group_by(_N.c.recipient).limit(bindparam("limit"))
_OF_READER = (
    select(
        _N.c.id, _N.c.topic, _N.c.share_id, _N.c.delivery_id, _N.c.reason, _N.c.created_at,
        _A.c.state.label("alert_state"), _D.c.state.label("delivery_state"), _D.c.service_id,
    )
    .outerjoin(_A, _A.c.id == _N.c.alert_id)
    .outerjoin(_D, _D.c.id == _N.c.delivery_id)
    .where(*_WAITS, _DUE, _N.c.recipient == bindparam("reader"))
    .order_by(_N.c.created_at, _N.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=_N, skip_locked=True)
)  # fmt: skip
_SENT = select(_N.c.created_at).where(
    _N.c.topic.in_([literal(each, literal_execute=True) for each in ("digest", "digest.last")]),
    _N.c.recipient == bindparam("reader"),
    _N.c.created_at > bindparam("since", type_=Instant()),
)
_POSTPONE = update(_N).where(_N.c.id.in_(_ids)).values(due_at=bindparam("at", type_=Instant()), reason=bindparam("why"))
_PUT = update(_N).where(_N.c.id.in_(_ids)).values(digest_id=bindparam("digest"))
_DROP = update(_N).where(_N.c.id.in_(_ids)).values(state=NoticeState.CANCELLED, reason=bindparam("why"))
_MEMBERS = select(_N).where(_N.c.digest_id.in_(_ids), _N.c.state == NoticeState.QUEUED)
_OPEN = _O.c.ended_at.is_(None)
_KNOWN = select(_O).where(_O.c.reader == bindparam("reader"), _OPEN)
_WIDEN = update(_O).where(_O.c.id == bindparam("b_id")).values(alerts=_O.c.alerts + bindparam("by"))
_OVER = (
    select(_O)
    .where(
        _OPEN,
        ~exists()
        .where(
            _A.c.service_id == _O.c.service_id,
            _A.c.kind == AlertKind.UNDELIVERED,
            _A.c.state == literal(AlertState.OPEN, literal_execute=True),
            _D.c.id == _A.c.delivery_id,
            _D.c.state.in_(TRYING),
        )
        .correlate(_O),
    )
    .with_for_update(skip_locked=True)
)
_END = update(_O).where(_O.c.id == bindparam("b_id")).values(ended_at=bindparam("at", type_=Instant()))
_WAITING = (
    select(_N.c.id)
    .join(_D, _D.c.id == _N.c.delivery_id)
    .where(
        *_WAITS,
        _N.c.recipient == bindparam("reader"),
        _N.c.topic == f"alert.{AlertKind.UNDELIVERED}",
        _D.c.service_id == bindparam("service"),
    )
)
_HURRY = (
    update(_N)
    .where(*_WAITS, _N.c.recipient == bindparam("b_person"), _N.c.reason == Waits.DAILY)
    .values(due_at=bindparam("wall", type_=Instant()), reason=Waits.WINDOW)
)
_READER = select(_R.c.person).where(_R.c.person == bindparam("person"))
_DAILY = select(_R.c.daily_since).where(_R.c.person == bindparam("person"))
_REFUSED = select(_R.c.refused_since).where(_R.c.person == bindparam("person"))
_TRY_AGAIN = update(_R).where(_R.c.refused_since <= bindparam("before", type_=Instant())).values(refused_since=None)
