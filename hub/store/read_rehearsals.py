"""What would have gone in shadow mode, by service: how often, of what, and why not (R75)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, select

from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, rows

_R = tables.rehearsals
_SINCE = select(_R).where(_R.c.at >= bindparam("since", type_=Instant())).order_by(_R.c.at, _R.c.id)


def rehearsed(engine: Engine, since: datetime) -> list[dict[str, Any]]:
    """Return, for each service, how many would have gone and been refused, with counts of categories and reasons."""
    with engine.connect() as connection:
        found = rows(connection, _SINCE, {"since": since})
    services = sorted({each["service_id"] for each in found})
    return [_of(service, [each for each in found if each["service_id"] == service]) for service in services]


def _of(service: str, found: list[Row]) -> dict[str, Any]:
    gone = [each for each in found if not each["refusals"]]
    return {
        "service": service,
        "would_have_gone": len(gone),
        "would_have_been_refused": len(found) - len(gone),
        "bytes": sum(each["bytes"] for each in gone),
        "parts_withheld": sum(each["withheld"] for each in gone),
        "categories": dict(sorted(Counter(name for each in gone for name in each["categories"]).items())),
        "refusals": dict(sorted(Counter(name for each in found for name in each["refusals"]).items())),
        "first": found[0]["at"],
        "last": found[-1]["at"],
    }
