"""Watch the clocks: what is due and unanswered becomes exactly one alert for that delivery and rung (R44)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from hub.domain.alert import AlertKind, recipients, should_raise
from hub.domain.answer import Level
from hub.domain.delivery import DeliveryState
from hub.domain.route import Directory
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import notice_row


@dataclass(frozen=True, slots=True)
class Watch:
    """Look at the clocks as of business time; at most `limit` in one transaction."""

    business: datetime
    wall: datetime
    limit: int = 500


def watch(tx: Transaction, items: Sequence[Watch], *, directory: Directory) -> list[int]:
    """Raise alerts for clocks whose time has come; returns how many clocks were looked at, for each item."""
    return [_watch_one(tx, item, directory) for item in items]


def _watch_one(tx: Transaction, item: Watch, directory: Directory) -> int:
    due = tx.due_clocks(item.business, item.limit)
    if not due:
        return 0
    known = tx.known_alerts([row["delivery_id"] for row in due])
    alerts, notices, audit = [], [], []
    for row in due:
        kind = _kind(row)
        if kind is None or (row["delivery_id"], row["level"], kind) in known:
            continue
        alert_id = uuid4().hex
        alerts.append(
            {
                "id": alert_id,
                "delivery_id": row["delivery_id"],
                "level": row["level"],
                "kind": kind,
                "raised_at": item.business,
                "state": "open",
            }
        )
        notices.extend(_notices(row, kind, alert_id, directory, item.wall))
        detail = {"level": row["level"], "kind": kind}
        audit.append(audited(item.business, "alert.raised", "hub:clock", row["share_id"], row["delivery_id"], detail))
    tx.pass_clocks([(row["delivery_id"], row["level"]) for row in due])
    tx.insert("alerts", alerts)
    tx.insert("notices", notices)
    tx.insert("audit_events", audit)
    if notices:
        tx.nudge_notices()
    return len(due)


def _kind(row: Row) -> AlertKind | None:
    """A clock that still runs was not satisfied; L0 is the sending side's own, for what has not arrived (R44)."""
    state = DeliveryState(row["delivery_state"])
    reached = Level.L1 if state is DeliveryState.DELIVERED else Level.L0
    return should_raise(reached, max(Level(row["level"]), Level.L1), state)


def _notices(row: Row, kind: AlertKind, alert_id: str, directory: Directory, wall: datetime) -> list[Row]:
    route = directory.route(row["service_id"])
    sender = directory.partners.get(row["partner_id"])  # of one that left the partnership, the operator hears
    level = Level(row["level"])
    told = recipients(
        kind,
        level,
        sender_champion=sender.champion if sender else None,
        receiver_champion=route.receiver.champion if route else None,
        operator=directory.operator,
        late=level is Level.L0,
    )
    ids = {"share_id": row["share_id"], "delivery_id": row["delivery_id"], "alert_id": alert_id}
    notices = [notice_row("email", f"alert.{kind}", champion.id, wall, **ids) for champion in told]
    if level is not Level.L1:
        # At L1 the operator alone is told; the trusted person hears after four working hours (R43).
        topic = "delivery.not_delivered" if kind is AlertKind.UNDELIVERED else "delivery.overdue"
        notices.append(notice_row("webhook", topic, row["client_id"], wall, **ids))
    return notices
