"""Close an alert that no answer closed, for one of the known reasons; later clocks run on, and may raise another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.alert import AlertState
from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import HubError
from hub.domain.ladder import CloseReason
from hub.domain.route import Directory
from hub.services.alert_act import AlertAct, begin, keep
from hub.services.ports import Transaction


@dataclass(frozen=True, slots=True)
class CloseAlert(AlertAct):
    """Close it, for a reason."""

    reason: CloseReason


def close_alert(
    tx: Transaction, items: Sequence[CloseAlert], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Close each alert, and whatever else is open about its delivery; the case system hears why (R46)."""
    results: list[HubError | None] = []
    for item in items:
        acting = begin(tx, item, directory, calendar)
        if isinstance(acting, HubError):
            results.append(acting)
            continue
        changes = {
            "state": AlertState.CLOSED,
            "closed_at": item.business,
            "closed_by": item.person,
            "closed_why": item.reason,
            "look_at": None,
        }
        keep(tx, acting, "alert.closed", changes, {"reason": item.reason})
        results.append(None)
    return results
