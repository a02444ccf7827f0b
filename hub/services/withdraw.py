"""Withdraw: one call ends consent; nothing unclaimed goes after its commit, and what went is named plainly (R15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.domain.consent import LIVING, ConsentState
from hub.domain.delivery import MAY_HAVE_ARRIVED, OPEN, WITHDRAWABLE, DeliveryKind, DeliveryState
from hub.domain.errors import HubError, NotFound, Refusal
from hub.services.consent_event import consent_event
from hub.services.follow_up import FollowUps, Wanted, queue
from hub.services.keep_trusted_person import stays_unnamed
from hub.services.ports import Row, Transaction, attested, audited
from hub.services.stop_sending import stop_sending
from hub.services.tell import RING_IN_PRIVATE, notice_row


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """End what was agreed in one record, for all its services or only those named.

    `worried_about_pressure` is for the partnership's senior contact alone: they are asked to ring, and it is written
    nowhere else, for neither an audit trail nor a report that many may read is a place for it.
    """

    record_id: str
    partner_id: str
    client_id: str
    author: str  # keyed hash
    services: tuple[str, ...]
    worried_about_pressure: bool
    business: datetime
    wall: datetime
    role: str = ""


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
    tx: Transaction, items: Sequence[Withdrawal], *, follow_ups: FollowUps | None = None, senior_contact: str = ""
) -> list[Withdrawn | HubError]:
    """Withdraw each item: lock the consents, cancel what waits, and ask whoever may have it to stop using it.

    What was agreed once and bears one reference is over in every share that bears it.

    A repeat finds nothing more to stop or to ask, and says the same. Without `follow_ups` the hub asks nobody.
    `senior_contact` is the id of who hears of a worry, whatever the withdrawal finds (R15).
    """
    results = []
    for item in items:
        done = _withdraw_one(tx, item, follow_ups)
        if item.worried_about_pressure and senior_contact and isinstance(done, Withdrawn):
            _ask_to_ring(tx, item, done.share_id, senior_contact)
        results.append(done)
    return results


#: A worry said again within so long is the same one.
_SAME_WORRY = timedelta(days=1)


def _ask_to_ring(tx: Transaction, item: Withdrawal, share_id: str, senior_contact: str) -> None:
    if tx.first_of_late(RING_IN_PRIVATE, item.record_id, item.wall, item.wall + _SAME_WORRY):
        tx.insert("notices", [notice_row("email", RING_IN_PRIVATE, senior_contact, item.wall, share_id=share_id)])
        tx.nudge_notices()


def _withdraw_one(tx: Transaction, item: Withdrawal, follow_ups: FollowUps | None) -> Withdrawn | HubError:
    locked = tx.lock_consents(item.record_id)
    rows = [row for row in locked if not item.services or row["service_id"] in item.services]
    if not rows or any(row["partner_id"] != item.partner_id for row in rows):
        return NotFound(NOT_FOUND)
    done = _end(tx, item, locked, rows, follow_ups)
    for other in _elsewhere(tx, item, rows):
        every = tx.lock_consents(other.record_id)
        named = [row for row in every if row["service_id"] in other.services]
        done = _together(done, _end(tx, other, every, named, follow_ups))
    return done


def _elsewhere(tx: Transaction, item: Withdrawal, rows: Sequence[Row]) -> list[Withdrawal]:
    """Return the same withdrawal of every other share that bears one of these agreements: it is over in all (R12)."""
    agreed = [row["agreement"] for row in rows if row["state"] != ConsentState.REFUSED]
    services: dict[str, list[str]] = {}
    for row in tx.lock_agreements(agreed):
        if row["record_id"] != item.record_id and row["state"] != ConsentState.REFUSED:
            services.setdefault(row["record_id"], []).append(row["service_id"])
    return [replace(item, record_id=record_id, services=tuple(those)) for record_id, those in services.items()]


def _together(one: Withdrawn, other: Withdrawn) -> Withdrawn:
    """Say of each service the worst that is true of either; it is asked where nothing that reached it is left out."""
    served = dict.fromkeys((*one.served, *other.served))
    tried = [each for each in dict.fromkeys((*one.tried, *other.tried)) if each not in served]
    unasked = {each for part in (one, other) for each in (*part.served, *part.tried) if each not in part.asked}
    return Withdrawn(
        one.share_id,
        stopped=tuple(
            each for each in dict.fromkeys((*one.stopped, *other.stopped)) if each not in served and each not in tried
        ),
        served=tuple(served),
        tried=tuple(tried),
        asked=tuple(each for each in dict.fromkeys((*one.asked, *other.asked)) if each not in unasked),
        unsure=tuple(dict.fromkeys((*one.unsure, *other.unsure))),
        arrived=tuple(dict.fromkeys((*one.arrived, *other.arrived))),
    )


def _end(
    tx: Transaction, item: Withdrawal, locked: Sequence[Row], rows: Sequence[Row], follow_ups: FollowUps | None
) -> Withdrawn:
    # One that ran out or was replaced is withdrawn all the same: a "stop" is kept, whenever it is said (R15).
    ending = [row for row in rows if row["state"] not in _NOTHING_TO_WITHDRAW]
    tx.end_consents([row["id"] for row in ending], ConsentState.WITHDRAWN)
    stopped = stop_sending(tx, [row["id"] for row in rows], item.business, item.wall)
    deliveries, stop = stopped.sent, stopped.cancelled
    served = [row for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED]
    share_id = rows[0]["share_id"]
    if ending and not any(row["state"] in LIVING for row in locked if row not in rows):
        tx.mark_withdrawn(share_id, item.business)
        # What waited for the champion never goes, so nothing of it is kept (R04).
        tx.end_hold(share_id, released=False)
    if ending or stop:  # a repeat may find what came back to be tried again
        _record(tx, item, share_id, ending, stop, served)
    asking = {row["service_id"]: DeliveryState(row["state"]) for row in stopped.asking}
    asked = {service_id for service_id, state in asking.items() if state not in _NEVER_ARRIVES}
    # Of somebody who has died nothing more is sent, and nothing is promised (R69).
    if follow_ups is not None and not any(row["died_at"] for row in locked):
        asked |= _ask_to_stop(tx, item, [row for row in deliveries if row["service_id"] not in asking], follow_ups)
    # What waited for the champion has no delivery yet, and is stopped all the same.
    named = [row["service_id"] for row in rows if row["state"] != ConsentState.REFUSED]
    return _truth(share_id, named, deliveries, asked)


#: It was withdrawn already, or never given.
_NOTHING_TO_WITHDRAW = frozenset({ConsentState.WITHDRAWN, ConsentState.REFUSED})
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
        unnamed = stays_unnamed(tx, original, follow_ups.vault)
        wanted = Wanted(
            original, DeliveryKind.PLEASE_STOP_USING, 0, after, item.business, item.wall, actor, unnamed=unnamed
        )
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
    who = attested(item.partner_id, item.author, item.role)
    detail = {"stopped": len(stop), "served": len(served), **who}
    actor = f"client:{item.client_id}"
    said = [audited(item.business, "consent.withdrawn", actor, share_id, None, detail)] if ended else []
    stopped = [audited(item.business, "delivery.cancelled", actor, share_id, row["id"]) for row in stop]
    tx.insert("audit_events", [*said, *stopped])


def _truth(share_id: str, named: Sequence[str], deliveries: Sequence[Row], asked: set[str]) -> Withdrawn:
    """Sort services by the worst that is true of any delivery to them; a try that failed may still have arrived."""
    served = {row["service_id"] for row in deliveries if DeliveryState(row["state"]) in MAY_HAVE_ARRIVED}
    tried = {row["service_id"] for row in deliveries if row["may_have_left"]} - served
    doubted = {row["service_id"] for row in deliveries if row["state"] == DeliveryState.IN_DOUBT}
    arrived = {row["service_id"] for row in deliveries if row["state"] == DeliveryState.DELIVERED}
    every = tuple(dict.fromkeys([*(row["service_id"] for row in deliveries), *named]))
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
