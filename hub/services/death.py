"""Death: once somebody has died every clock and reminder stops, nothing more goes, and one person hears (R69)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.delivery import WITHDRAWABLE, DeliveryState
from hub.domain.errors import Refusal
from hub.services.final import note_final
from hub.services.ports import Row, Transaction, audited
from hub.services.stop_waiting import stop_waiting
from hub.services.tell import champion_of, notice_row

DIED = Refusal(
    "person-has-died",
    "We were told that this person has died. Nothing more is sent.",
    "If that is wrong, ring the people who run the hub.",
)


@dataclass(frozen=True, slots=True)
class Death:
    """That the person of a share has died, as `actor` said; `person` is the keyed hash the share keeps.

    `attested` is what a partner says of the worker who said it, as the log keeps it (R60); a service attests nobody.
    """

    share_id: str
    partner_id: str
    person: str
    actor: str
    business: datetime
    wall: datetime
    attested: Mapping[str, str] = field(default_factory=dict)


def record_death(tx: Transaction, items: Sequence[Death]) -> list[bool]:
    """Stop everything about each person for the partner whose person it is; False where that was known already.

    Services are not asked to stop using what they have: a grieving worker needs no run of letters, and a service has
    duties of its own. One kind notice goes to the sending organisation's champion, about the share that it was said of,
    and whatever else was about to be told of any of the person's shares is not told.
    """
    return [_one(tx, item) for item in items]


def _one(tx: Transaction, item: Death) -> bool:
    shares = [row["id"] for row in tx.shares_of_person(item.partner_id, item.person)]
    if not shares or tx.known_deaths([(item.partner_id, item.person)]):
        return False
    tx.insert("deaths", [{"partner_id": item.partner_id, "person": item.person, "at": item.business}])
    tx.mark_died(shares, item.business)
    for share_id in shares:
        tx.end_hold(share_id, released=False)  # it never goes, so nothing of it is kept (R04)
    deliveries = tx.deliveries_of_shares(shares)
    waiting = [row for row in deliveries if DeliveryState(row["state"]) in WITHDRAWABLE]
    tx.cancel([row["id"] for row in waiting], item.wall)
    stop_waiting(tx, [row["id"] for row in deliveries], item.business)
    note_final(tx, [row["id"] for row in waiting], item.business)
    tx.cancel_notices(shares, item.wall)
    tx.insert("audit_events", [*_audit(item, shares), *(_cancelled(item, row) for row in waiting)])
    tx.insert(
        "notices",
        [notice_row("email", "death", champion_of(item.partner_id), item.wall, share_id=item.share_id)],
    )
    tx.nudge_notices()
    return True


def mark_unmarked(tx: Transaction, limit: int, wall: datetime) -> int:
    """Mark what was sent in the very moment of a death, and was not there to be seen; returns how many shares.

    None of it is ever claimed; once it is marked the sweep cancels it. Nor is anything told of it.
    """
    rows = tx.unmarked_deaths(limit)
    for row in rows:
        tx.mark_died([row["id"]], row["at"])
        tx.end_hold(row["id"], released=False)
    tx.cancel_notices([row["id"] for row in rows], wall)
    return len(rows)


def _audit(item: Death, shares: Sequence[str]) -> list[Row]:
    return [audited(item.business, "person.died", item.actor, each, None, item.attested) for each in shares]


def _cancelled(item: Death, row: Row) -> Row:
    return audited(item.business, "delivery.cancelled", item.actor, row["share_id"], row["id"])
