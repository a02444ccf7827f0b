"""What every act on an alert has in common: who may act, what is written down, and what the case system is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from hub.domain.alert import AlertKind, AlertState
from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import Conflict, HubError, NotFound, Refusal
from hub.domain.ladder import Role, Scope, Step, scope, step_of
from hub.domain.route import Directory
from hub.services.ports import Row, Transaction, audited
from hub.services.raise_alerts import Hands, hands
from hub.services.tell import notice_row

NO_ALERT: Final = Refusal(
    "alert-not-found",
    "We cannot find this alert.",
    "Go back to your list. If you followed a link, check that you have the whole of it.",
)
CLOSED: Final = Refusal(
    "alert-closed",
    "This alert is closed.",
    "There is nothing more to do here. Go back to your list.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NO_ALERT, CLOSED)


@dataclass(frozen=True, slots=True)
class AlertAct:
    """One act on one alert by a signed-in person, by the id that the partnership's file gives them."""

    alert_id: str
    person: str
    business: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class Acting:
    """An act begun: the alert under its lock, the sender's ladder, and who is there now."""

    row: Row
    act: AlertAct
    scope: Scope
    ladder: tuple[Step, ...]
    who: Hands

    @property
    def leads(self) -> bool:
        """Whether the person follows up for the sender, and so does more than take it on or ask again."""
        return self.row["partner_id"] in self.scope.leads

    @property
    def step(self) -> Step | None:
        """The actor's own step on the sender's ladder; None for the receiver's champion."""
        return step_of(self.ladder, self.act.person)

    @property
    def ids(self) -> dict[str, Any]:
        """What a notice about it is made of."""
        return {
            "share_id": self.row["share_id"],
            "delivery_id": self.row["delivery_id"],
            "alert_id": self.row["id"],
        }


def begin(  # noqa: PLR0913 - what an act is judged by
    tx: Transaction,
    act: AlertAct,
    directory: Directory,
    calendar: WorkingCalendar,
    *,
    leading: bool = True,
    open_only: bool = True,
) -> Acting | HubError:
    """Take an alert for change; `leading` acts are for those who follow up for the sender alone.

    An alert that is not theirs to see is not found, exactly as one that never was (TH02).
    """
    row = tx.lock_alerts([act.alert_id]).get(act.alert_id)
    seen = scope(directory, act.person)
    if row is None or not seen.sees(row["partner_id"], row["service_id"]):
        return NotFound(NO_ALERT)
    if leading and row["partner_id"] not in seen.leads:
        return NotFound(NO_ALERT)
    if open_only and (row["state"] != AlertState.OPEN or row["died_at"] is not None):
        return Conflict(CLOSED)
    who = hands(tx, directory, calendar, act.business)
    return Acting(row, act, seen, who.ladder(row["partner_id"], row["service_id"]), who)


def keep(  # noqa: PLR0913 - what an act leaves behind
    tx: Transaction,
    acting: Acting,
    action: str,
    changes: Mapping[str, Any],
    detail: Mapping[str, Any],
    mails: Sequence[tuple[str, str]] = (),
    service_id: str | None = None,
) -> None:
    """Write an act: what it changes, an audit event, the webhook to the case system, and e-mails (topic, to whom).

    Every act returns to the trusted person (R46): the webhook's topic is the action itself. Whoever acts has opened it,
    and it is idle from then on.
    """
    row, act = acting.row, acting.act
    touch(tx, acting, changes)
    said = {"alert": row["id"], "level": row["level"], **detail}
    event = audited(act.business, action, f"person:{act.person}", row["share_id"], row["delivery_id"], said)
    tx.insert("audit_events", [event])
    notices = [notice_row("webhook", action, row["client_id"], act.wall, **acting.ids, service_id=service_id)]
    pressing = bool(row["urgent"] or row["safety"])
    others = [(topic, to) for topic, to in mails if to != act.person]
    notices += [notice_row("email", topic, to, act.wall, **acting.ids, pressing=pressing) for topic, to in others]
    tx.insert("notices", notices)
    tx.nudge_notices()


def touch(tx: Transaction, acting: Acting, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Write that something was done, and what it changes, to whatever is open about the delivery."""
    row, act = acting.row, acting.act
    usual = {"acted_at": act.business, "opened_at": row["opened_at"] or act.business, "look_at": _idle_at(acting)}
    tx.change_alerts(row["delivery_id"], {**usual, **changes})


def _idle_at(acting: Acting) -> datetime | None:
    """When it goes up unless something more is done: by the days of whoever holds it; the operator's goes nowhere."""
    step = step_of(acting.ladder, acting.row["holder"])
    if step is None or step.role is Role.OPERATOR or acting.row["kind"] == AlertKind.EARLY:
        return None
    return acting.who.idle_at(step.person)
