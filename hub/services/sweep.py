"""Sweep: what a crash or a lost nudge left behind is put right from the rows alone; nothing waits for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryEvent, DeliveryState, move
from hub.domain.retry import NEVER
from hub.services.consent_event import consent_event
from hub.services.death import mark_unmarked
from hub.services.final import note_final
from hub.services.person_told import Remind, remind
from hub.services.ports import Row, Transaction, audited
from hub.services.remind_held import remind_held
from hub.services.ring import tell_late
from hub.services.settle_doubt import doubt_notice
from hub.services.settled import attempt_row, settled
from hub.services.stop_waiting import stop_waiting
from hub.services.tell_ending import tell_ending


@dataclass(frozen=True, slots=True)
class Sweep:
    """Look for expired leases, dead consent and tokens past their time; at most `limit` of each in one transaction."""

    wall: datetime
    business: datetime
    limit: int = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many deliveries each kind of trouble touched."""

    doubted: int
    cancelled: int
    expired: int  # consents
    resumed: int


def sweep(
    tx: Transaction,
    items: Sequence[Sweep],
    *,
    asks: Collection[str] = (),
    renewal: Callable[[datetime], datetime] | None = None,
) -> list[Swept]:
    """Put right what was left behind, for each item; `asks` are connections that ask about a doubt without sending.

    `renewal` gives the instant by which a consent has to end for its trusted person to be told now (R16).
    """
    results = [Swept(_leases(tx, item), *_dead_consent(tx, item), _strays(tx, item)) for item in items]
    for item in items:
        _unaskable(tx, item, asks)
        if renewal is not None:
            tell_ending(tx, item.business, renewal(item.business), item.wall, item.limit)
        remind_held(tx, item.business, item.wall, item.limit)
        tell_late(tx, item.business, item.wall, item.limit)
        tx.forget_seen(item.wall)
        tx.forget_devices(item.wall)
        tx.forget_sign_ins(item.wall)
    remind(tx, [Remind(item.business, item.wall, item.limit) for item in items])
    return results


def _leases(tx: Transaction, item: Sweep) -> int:
    """A lease that ran out may have sent: `started` was known only to the process that died, so it is in doubt."""
    rows = tx.expired_leases(item.wall, item.limit)
    if not rows:
        return 0
    tx.update_deliveries(
        [settled(row, _doubted(row), _ask_at(row, item), "lease-expired", may_have_left=True) for row in rows]
    )
    tx.insert("attempts", [attempt_row(row, "indoubt", "lease-expired", item.wall) for row in rows])
    tx.insert("audit_events", [_swept(row, item, "delivery.lease_expired") for row in rows])
    for row in rows:
        tx.nudge(row["connection_id"], [row["id"]])
    return len(rows)


def _ask_at(row: Row, item: Sweep) -> datetime:
    """One whose share was forgotten on its way is not asked about: there is nothing left to ask with."""
    return NEVER if row["data_key"] is None else item.wall


def _doubted(row: Row) -> DeliveryState:
    state = DeliveryState(row["state"])
    return state if state is DeliveryState.IN_DOUBT else move(state, DeliveryEvent.DOUBTED)


def _dead_consent(tx: Transaction, item: Sweep) -> tuple[int, int]:
    """Consent that ended while something waited: expiry is recorded, and what waits is cancelled (R16)."""
    lapsed = tx.lapsed(item.business, item.limit)
    if lapsed:
        tx.end_consents([row["id"] for row in lapsed], ConsentState.EXPIRED)
        events = [consent_event(row["id"], ConsentState.EXPIRED, item.business, "hub") for row in lapsed]
        tx.insert("consent_events", events)
    mark_unmarked(tx, item.limit, item.wall)
    rows = tx.ended_before_sending(item.limit)
    tx.cancel([row["id"] for row in rows], item.wall)
    stop_waiting(tx, [row["id"] for row in rows], item.business)
    note_final(tx, [row["id"] for row in rows], item.business)
    tx.insert("audit_events", [_swept(row, item, "delivery.cancelled") for row in rows])
    return len(rows), len(lapsed)


def _unaskable(tx: Transaction, item: Sweep, asks: Collection[str]) -> None:
    """Where asking would be a send, and consent has ended, only a person can find out: the operator hears once."""
    rows = tx.unaskable_doubts(asks, item.limit)
    if not rows:
        return
    tx.update_deliveries([settled(row, DeliveryState.IN_DOUBT, NEVER, "consent-ended") for row in rows])
    # Of somebody who has died one notice went, and no more does (R69).
    tx.insert("notices", [doubt_notice(row, item.wall) for row in rows if row["died_at"] is None])
    tx.insert("audit_events", [_swept(row, item, "doubt.left") for row in rows])
    tx.nudge_notices()


def _strays(tx: Transaction, item: Sweep) -> int:
    """A share accepted while its connection was being resumed may be held on a connection that no longer is."""
    resumed = 0
    for connection_id in tx.stray_held():
        ids = tx.resume(connection_id)
        tx.nudge(connection_id, ids)
        detail = {"connection": connection_id, "deliveries": len(ids)}
        tx.insert("audit_events", [audited(item.business, "connection.resumed", "hub:sweep", None, None, detail)])
        resumed += len(ids)
    return resumed


def _swept(row: Row, item: Sweep, action: str) -> Row:
    return audited(item.business, action, "hub:sweep", row["share_id"], row["id"])
