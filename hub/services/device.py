"""Begin and end devices: a team's browser that proved the team's code, kept here so that it can be shut out (R64)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Transaction, audited


@dataclass(frozen=True, slots=True)
class BeginDevice:
    """A device of a service's team begins: `token` is the keyed hash of its cookie, `code` that of the team's code."""

    id: str
    token: str
    service: str
    code: str
    remembered: bool
    wall: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class EndDevices:
    """A service's device of this `token` ends, or every one of them where it is empty; `actor` is who says so."""

    service: str
    token: str
    actor: str
    wall: datetime


def begin_devices(tx: Transaction, items: Sequence[BeginDevice]) -> list[None]:
    """Keep devices, with an audit event each: by its own id, for nobody who uses it is known by name."""
    tx.insert(
        "devices",
        [
            {
                "id": item.id,
                "token": item.token,
                "service_id": item.service,
                "code": item.code,
                "remembered": item.remembered,
                "began_at": item.wall,
                "until": item.until,
            }
            for item in items
        ],
    )
    for item in items:
        detail = {"service": item.service, "remembered": item.remembered}
        tx.insert("audit_events", [audited(item.wall, "device.began", f"device:{item.id}", detail=detail)])
    return [None for _ in items]


def end_devices(tx: Transaction, items: Sequence[EndDevices]) -> list[int]:
    """End devices from this moment on, wherever their cookies are; returns how many each item ended."""
    results = []
    for item in items:
        count = tx.end_devices(item.service, item.token, item.wall)
        detail = {"service": item.service, "devices": count}
        tx.insert("audit_events", [audited(item.wall, "device.ended", item.actor, detail=detail)])
        results.append(count)
    return results
