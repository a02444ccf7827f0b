"""Take on: "I've got this" is seen by both champions, and the alert passes to nobody else by itself (R44, R50)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.route import Champion, Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.ports import Transaction, audited

TAKEN: Final = Refusal(
    "alert-taken",
    "Somebody else has this.",
    "Ring them if you can help. To take it over from them, say so.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (TAKEN,)


@dataclass(frozen=True, slots=True)
class TakeOn(AlertAct):
    """Somebody says "I've got this"; `instead` of whoever said so before them."""

    instead: bool = False


@dataclass(frozen=True, slots=True)
class OpenAlert(AlertAct):
    """Somebody looks at an alert."""


def take_on(
    tx: Transaction, items: Sequence[TakeOn], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Record who has each alert from now on; said again it changes nothing.

    Of the receiver's side the alert stays with the sender's, who lead, and shows who else is on it.
    """
    return [_take(tx, item, begin(tx, item, directory, calendar, leading=False)) for item in items]


def _take(tx: Transaction, item: TakeOn, acting: Acting | HubError) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    had = acting.row["taken_by"]
    if had == item.person:
        return None
    if had is not None and not item.instead:
        return Conflict(TAKEN)
    holder = {} if acting.step is None else {
        "holder": item.person, "role": acting.step.role, "held_since": item.business
    }  # fmt: skip
    person = acting.step.person if acting.step else _named(acting)
    changes = {
        **holder,
        "taken_by": item.person,
        "taken_at": item.business,
        "opened_at": acting.row["opened_at"] or item.business,
        "snoozed_until": None,
        "look_at": acting.who.idle_at(person),
    }
    mails = [("alert.taken_over", had)] if had is not None else []
    keep(tx, acting, "alert.taken", changes, {"from": had or ""}, mails)
    return None


def _named(acting: Acting) -> Champion:
    return next(each for each in acting.who.directory.people() if each.id == acting.act.person)


def open_alert(
    tx: Transaction, items: Sequence[OpenAlert], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Record that an alert was looked at, by whom (TH12); where its holder did, it no longer passes on unopened.

    One that is closed may be looked at too.
    """
    results: list[HubError | None] = []
    for item in items:
        acting = begin(tx, item, directory, calendar, leading=False, open_only=False)
        if isinstance(acting, HubError):
            refused = audited(item.business, "alert.read_refused", f"person:{item.person}", detail={"why": "not-found"})
            tx.insert("audit_events", [refused])
            results.append(acting)
            continue
        row = acting.row
        ids = (row["share_id"], row["delivery_id"])
        detail = {"alert": row["id"]}
        tx.insert("audit_events", [audited(item.business, "alert.read", f"person:{item.person}", *ids, detail)])
        if row["state"] == "open" and row["opened_at"] is None and row["holder"] == item.person:
            opened = {"opened_at": item.business}
            if acting.step is not None and row["look_at"] is not None:
                opened["look_at"] = acting.who.idle_at(acting.step.person)
            tx.change_alerts(row["delivery_id"], opened)
        results.append(None)
    return results
