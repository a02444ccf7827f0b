"""Withdraw: one call ends consent; nothing unclaimed goes after its commit, and what went is named plainly (R15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.consent import ConsentState
from hub.domain.delivery import MAY_HAVE_ARRIVED, OPEN, WITHDRAWABLE, DeliveryKind, DeliveryState
from hub.domain.errors import HubError, NotFound, Refusal
from hub.services.consent_event import consent_event
from hub.services.follow_up import FollowUps, Wanted, queue
from hub.services.ports import Row, Transaction, audited
from hub.services.stop_waiting import stop_waiting


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """End what was agreed in one record, for all its services or only those named.

    `worried_about_pressure` is for a safeguarding contact alone. Until a partnership names one nobody is told, and it
    is kept nowhere: an audit trail that many may read is no place for it.
    """

    record_id: str
    partner_id: str
    client_id: str
    author: str  # keyed hash
    services: tuple[str, ...]
    worried_about_pressure: bool
    business: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did, as the truth that the person is told: each service is in one list (R15).

    `stopped`: nothing ever left. `tried`: nothing more goes, but an earlier try may have reached them, so ring to
    be sure. `served`: they have it, or may be getting it now. Of those two, `asked` are the services that the hub has
    asked, or is about to ask, to stop using it: any other needs a call. It asks the `unsure` once a doubt is settled.
    Of `served`, the `arrived` are known to have it.
    """

    share_id: str
    stopped: tuple[str, ...]
    served: tuple[str, ...]
    tried: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    arrived: tuple[str, ...] = ()


def withdraw(
    tx: Transaction, items: Sequence[Withdrawal], *, follow_ups: FollowUps | None = None
) -> list[Withdrawn | HubError]:
    """Withdraw each item: lock the consents, cancel what waits, and ask whoever may have it to stop using it.

    A repeat finds nothing more to stop or to ask, and says the same. Without `follow_ups` the hub asks nobody.
    """
    return [_withdraw_one(tx, item, follow_ups) for item in items]


def _withdraw_one(tx: Transaction, item: Withdrawal, follow_ups: FollowUps | None) -> Withdrawn | HubError:
    locked = tx.lock_consents(item.record_id)
    rows = [row for row in locked if not item.services or row["service_id"] in item.services]
    if not rows or any(row["partner_id"] != item.partner_id for row in rows):
        return NotFound(NOT_FOUND)
    # One that ran out is withdrawn all the same: a "stop" is kept, whenever it is said (R15).
    ending = [row for row in rows if row["state"] != ConsentState.WITHDRAWN]
    tx.end_consents([row["id"] for row in ending], ConsentState.WITHDRAWN)
    every = tx.deliveries_of([row["id"] for row in rows])
    deliveries = [row for row in every if row["kind"] != DeliveryKind.PLEASE_STOP_USING]
    stop = [row for row in deliveries if DeliveryState(row["state"]) in WITHDRAWABLE]
    served = [row for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED]
    tx.cancel([row["id"] for row in stop], item.wall)
    # Nobody waits for an answer to it any more: a request to stop has clocks of its own.
    stop_waiting(tx, [row["id"] for row in deliveries], item.business)
    share_id = rows[0]["share_id"]
    if ending and not any(row["state"] == ConsentState.GIVEN for row in locked if row not in rows):
        tx.mark_withdrawn(share_id, item.business)
    if ending or stop:  # a repeat may find what came back to be tried again
        _record(tx, item, share_id, ending, stop, served)
    asking = {row["service_id"]: DeliveryState(row["state"]) for row in every if row not in deliveries}
    asked = {service_id for service_id, state in asking.items() if state not in _NEVER_ARRIVES}
    if follow_ups is not None:
        asked |= _ask_to_stop(tx, item, [row for row in deliveries if row["service_id"] not in asking], follow_ups)
    return _truth(share_id, deliveries, asked)


#: A request to stop that came to such an end was not made, whatever was tried.
_NEVER_ARRIVES = frozenset({DeliveryState.CANCELLED, DeliveryState.DEAD_LETTERED})
#: It may still be on the wire: a request to stop must not overtake it.
_IN_FLIGHT = OPEN - WITHDRAWABLE


def _ask_to_stop(tx: Transaction, item: Withdrawal, deliveries: Sequence[Row], follow_ups: FollowUps) -> set[str]:
    """Queue one `please_stop_using` for each service that anything may have reached; return the services (R15)."""
    reached = [row for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED or row["may_have_left"]]
    in_flight = {row["service_id"]: row["id"] for row in reached if DeliveryState(row["state"]) in _IN_FLIGHT}
    shares = [row["id"] for row in reached if row["kind"] == DeliveryKind.SHARE]
    made = []
    for original in tx.originals(shares).values():
        after: str = in_flight.get(original["service_id"]) or original["id"]
        actor = f"client:{item.client_id}"
        wanted = Wanted(original, DeliveryKind.PLEASE_STOP_USING, 0, after, item.business, item.wall, actor)
        made.append(follow_ups.make(wanted))
    ready = [each for each in made if each is not None]
    queue(tx, ready)
    return {each.delivery["service_id"] for each in ready}


def _record(  # noqa: PLR0913 - what a withdrawal did
    tx: Transaction,
    item: Withdrawal,
    share_id: str,
    ended: Sequence[Row],
    stop: Sequence[Row],
    served: Sequence[Row],
) -> None:
    events = [
        consent_event(row["id"], ConsentState.WITHDRAWN, item.business, item.client_id, item.author) for row in ended
    ]
    tx.insert("consent_events", events)
    detail = {"stopped": len(stop), "served": len(served)}
    actor = f"client:{item.client_id}"
    said = [audited(item.business, "consent.withdrawn", actor, share_id, None, detail)] if ended else []
    stopped = [audited(item.business, "delivery.cancelled", actor, share_id, row["id"]) for row in stop]
    tx.insert("audit_events", [*said, *stopped])


def _truth(share_id: str, deliveries: Sequence[Row], asked: set[str]) -> Withdrawn:
    """Sort services by the worst that is true of any delivery to them; a try that failed may still have arrived."""
    served = {row["service_id"] for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED}
    tried = {row["service_id"] for row in deliveries if row["may_have_left"]} - served
    doubted = {row["service_id"] for row in deliveries if row["state"] == DeliveryState.IN_DOUBT}
    arrived = {row["service_id"] for row in deliveries if row["state"] == DeliveryState.DELIVERED}
    every = tuple(dict.fromkeys(row["service_id"] for row in deliveries))
    return Withdrawn(
        share_id,
        stopped=tuple(each for each in every if each not in served | tried),
        served=tuple(each for each in every if each in served),
        tried=tuple(each for each in every if each in tried),
        asked=tuple(each for each in every if each in asked),
        unsure=tuple(each for each in every if each in doubted),
        arrived=tuple(each for each in every if each in arrived),
    )


NOT_FOUND = Refusal(
    type="not-found",
    title="We cannot find that.",
    next_step="Use the address from a receipt that your own organisation was given.",
)
