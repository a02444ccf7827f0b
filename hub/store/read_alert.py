"""One alert with its clocks and its timeline in codes, for who may see it; no story (R45)."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, bindparam, select

from hub.domain.alert_list import AlertView, ClockLine, TimelineEntry
from hub.domain.answer import Level
from hub.domain.consent import ConsentState
from hub.domain.ladder import Scope
from hub.store import tables
from hub.store.fetch import Row, row, rows
from hub.store.read_follow_up import LINE, line

_A, _D, _S, _K, _E = tables.alerts, tables.deliveries, tables.shares, tables.clocks, tables.audit_events

_C = tables.consents
_ALERT = (
    LINE.add_columns(
        _D.c.attempt, _D.c.reason, _D.c.delivered_at, _D.c.frame, _S.c.data_key, _S.c.died_at, _S.c.withdrawn_at,
        _C.c.state.label("consent_state"),
    )
    .join(_C, _C.c.id == _D.c.consent_id)
    .where(_A.c.id == bindparam("alert"))
)  # fmt: skip
_CLOCKS = select(_K).where(_K.c.delivery_id == bindparam("delivery")).order_by(_K.c.level)

#: What a champion reads of what happened: to this delivery, and to its share as a whole.
OF_DELIVERY: Final = (
    "delivery.accepted", "delivery.settled", "delivery.cancelled", "delivery.proved", "delivery.answered",
    "delivery.heard", "delivery.resent", "delivery.asked_again", "delivery.lease_expired", "invite.made",
    "invite.opened", "door.closed", "alert.raised", "alert.taken", "alert.nudged", "alert.passed_on",
    "alert.escalated", "alert.snoozed", "alert.woken", "alert.still_open", "alert.closed", "service.offered",
    "answer.collected", "barrier.recorded",
)  # fmt: skip
OF_SHARE: Final = ("share.accepted", "share.released", "share.forgotten", "consent.withdrawn", "person.told",
                   "person.died", "cover.kept")  # fmt: skip
_TIMELINE = (
    select(_E.c.at, _E.c.action, _E.c.actor, _E.c.detail)
    .where(
        _E.c.share_id == bindparam("share"),
        ((_E.c.delivery_id == bindparam("delivery")) & _E.c.action.in_(OF_DELIVERY))
        | (_E.c.delivery_id.is_(None) & _E.c.action.in_(OF_SHARE)),
    )
    .order_by(_E.c.at, _E.c.id)
    .limit(500)
)
#: The details that are shown; keyed hashes and digests say nothing to a champion.
_DETAILS: Final = frozenset(
    {"level", "kind", "state", "source", "how", "by", "to", "from", "role", "reason", "until", "holder", "service",
     "attempt", "told", "usual"}
)  # fmt: skip


def read_alert(engine: Engine, alert_id: str, reader: Scope) -> AlertView | None:
    """Return an alert that `reader` may see; None for any other, exactly as for none (TH02)."""
    with engine.connect() as connection:
        found = row(connection, _ALERT, {"alert": alert_id})
        if found is None or not reader.sees(found["partner_id"], found["service_id"]):
            return None
        clocks = rows(connection, _CLOCKS, {"delivery": found["delivery_id"]})
        events = rows(connection, _TIMELINE, {"share": found["share_id"], "delivery": found["delivery_id"]})
    own: dict[str, Any] = {name: found[name] for name in _OWN}
    return AlertView(
        line({name: value for name, value in found.items() if name not in _OWN and name not in _FLAGS}),
        clocks=tuple(_clock(each) for each in clocks),
        timeline=tuple(_entry(each) for each in events),
        died=found["died_at"] is not None,
        withdrawn=found["withdrawn_at"] is not None or found["consent_state"] == ConsentState.WITHDRAWN,
        **own,
    )


_OWN = ("attempt", "reason", "delivered_at", "frame", "data_key")
_FLAGS = ("died_at", "withdrawn_at", "consent_state")


def _clock(found: Row) -> ClockLine:
    return ClockLine(Level(found["level"]), found["due_at"], found["state"], found["agreed_by"], found["agreed_on"])


def _entry(event: Row) -> TimelineEntry:
    detail = tuple((name, str(value)) for name, value in sorted(event["detail"].items()) if name in _DETAILS)
    return TimelineEntry(event["at"], event["action"], event["actor"], detail)
