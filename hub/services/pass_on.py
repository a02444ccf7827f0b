"""Pass on: an alert that nobody opens, or does anything about, goes up by itself; it is never nobody's (R48, R50)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from hub.domain.calendar import london_date
from hub.domain.ladder import Role, Step, above, step_of
from hub.services.ports import Row, Transaction, audited
from hub.services.raise_alerts import Hands
from hub.services.tell import notice_row
from hub.services.top_rung import top_rung


def pass_on(tx: Transaction, who: Hands, wall: datetime, limit: int) -> int:
    """Look at every alert whose time has come, and at those whose holder is not there; returns how many moved.

    Unopened for two of the holder's own working days (four hours if urgent) it goes to the next; without an act for
    five, too; one that was put off is there again. Whoever left, or is away and has not opened it, has it no more.
    """
    due = tx.alerts_to_look_at(who.now, limit)
    gone = tx.alerts_of_nobody(_present(who), who.away, limit)
    rows = list({row["id"]: row for row in (*gone, *due)}.values())
    for row in rows:
        _move(tx, row, who, wall, is_gone=any(row["id"] == each["id"] for each in gone))
    if rows:
        tx.nudge_notices()
    return len(rows)


def _present(who: Hands) -> list[str]:
    """Everyone whom an alert may stay with: in the partnership's file, and not past their last day."""
    today = london_date(who.now)
    return [
        person.id
        for person in who.directory.people()
        if person.id == who.directory.operator.id or person.until is None or person.until >= today
    ]


def _move(tx: Transaction, row: Row, who: Hands, wall: datetime, *, is_gone: bool) -> None:
    ladder = who.ladder(row["partner_id"], row["service_id"])
    if not is_gone and row["snoozed_until"] is not None:
        _again(tx, row, who, wall, "alert.woken", step_of(ladder, row["holder"]))
        return
    step = above(ladder, row["holder"], who.now, who.away)
    worked_on = row["opened_at"] is not None and not is_gone
    if step is None or (worked_on and step.role is Role.OPERATOR):
        # The top of the ladder knows of it: it is said to them again, and to nobody who could do no more.
        top = top_rung(tx, row, ladder, row["holder"], who.now)
        _again(tx, row, who, wall, "alert.still_open", step_of(ladder, row["holder"]), top)
        return
    reason = "gone" if is_gone else "idle" if worked_on else "unopened"
    urgent = row["urgent"] or row["safety"]
    changes = {
        "holder": step.person.id,
        "role": step.role,
        "held_since": who.now,
        "opened_at": None,
        "taken_by": None,
        "taken_at": None,
        "snoozed_until": None,
        "look_at": who.passes_on_at(step, urgent=urgent),
        **top_rung(tx, row, ladder, step.person.id, who.now),
    }
    tx.change_alerts(row["delivery_id"], changes)
    detail = {"from": row["holder"], "to": step.person.id, "role": step.role, "reason": reason}
    told = [("alert.passed_on", step.person.id)]
    if worked_on:
        told.append(("alert.informed", row["holder"]))
    _say(tx, row, who.now, wall, "alert.passed_on", detail, told)


def _again(  # noqa: PLR0913 - an event, and who hears of it
    tx: Transaction,
    row: Row,
    who: Hands,
    wall: datetime,
    action: str,
    step: Step | None,
    also: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Say it again to whoever has it, and look at it again after five of their working days."""
    person = step.person if step else who.directory.operator
    changes: dict[str, Any] = {"look_at": who.idle_at(person), "snoozed_until": None, **also}
    if step is None or step.role is Role.OPERATOR:
        changes["look_at"] = None
    tx.change_alerts(row["delivery_id"], changes)
    _say(tx, row, who.now, wall, action, {"to": row["holder"]}, [(action, row["holder"])], webhook=False)


def _say(  # noqa: PLR0913 - an event, and who hears of it
    tx: Transaction,
    row: Row,
    now: datetime,
    wall: datetime,
    action: str,
    detail: dict[str, Any],
    mails: Sequence[tuple[str, str]],
    *,
    webhook: bool = True,
) -> None:
    ids = {"share_id": row["share_id"], "delivery_id": row["delivery_id"], "alert_id": row["id"]}
    said = {"alert": row["id"], "level": row["level"], **detail}
    tx.insert("audit_events", [audited(now, action, "hub:clock", row["share_id"], row["delivery_id"], said)])
    pressing = bool(row["urgent"] or row["safety"])
    notices = [notice_row("email", topic, to, wall, **ids, pressing=pressing) for topic, to in mails]
    if webhook:
        notices.append(notice_row("webhook", action, row["client_id"], wall, **ids))
    tx.insert("notices", notices)
