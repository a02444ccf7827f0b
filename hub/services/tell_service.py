"""Tell a service of its own answer, once: what it lacks is asked for, what was held back is named (R21, R35, R38)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.answer import worth_asking
from hub.domain.answer_note import ABOUT_ANSWER, about
from hub.domain.consent import ConsentState, ended, may_return
from hub.domain.delivery import DeliveryKind
from hub.services.follow_up import FollowUps, Wanted, last_of, queue
from hub.services.keep_trusted_person import stays_unnamed
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import notice_row

#: Longer than any story is kept, so that once is once (R59).
_ONCE = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """What an answer to a locked delivery lacks, and what of it was held back; both may be nothing."""

    delivery: Row
    lacks: tuple[str, ...]
    held_back: tuple[str, ...]
    business: datetime
    wall: datetime

    @property
    def asked(self) -> tuple[str, ...]:
        """What its service can be asked for: only what may travel back by now (R16)."""
        row = self.delivery
        stop = row["kind"] == DeliveryKind.PLEASE_STOP_USING
        clause = may_return(ConsentState(row["consent_state"]), row["returns"], about_stopping=stop)
        return asked_of(row["kind"], self.lacks, clause)


def asked_of(kind: str, lacks: Sequence[str], returns: Sequence[str]) -> tuple[str, ...]:
    """Return what to ask for: of a share who has it, why and when; of a request to stop, why they keep it (R15)."""
    if kind == DeliveryKind.PLEASE_STOP_USING:
        lacks = [name for name in lacks if name == "reason"]
    elif kind != DeliveryKind.SHARE:
        lacks = []
    return worth_asking(lacks, returns)


def lacks(kept: Row) -> list[str]:
    """Return what a kept answer was marked as lacking."""
    return [name for name in ("owner", "reason", "next_date") if kept[f"{name}_missing"]]


def tell_service(tx: Transaction, items: Sequence[Incomplete], follow_ups: FollowUps | None) -> None:
    """Tell each service, through its own connection, or by an e-mail that names the fields and nobody.

    Each field is asked for and named once for each delivery, however often the service answers. Of somebody who has
    died, and of what was forgotten, nothing is asked (R59, R69).
    """
    for item in items:
        row = item.delivery
        if follow_ups is None or row["died_at"] is not None or row["data_key"] is None:
            continue
        asked = _first(tx, "asked", item, item.asked)
        held_back = _first(tx, "held-back", item, item.held_back)
        if not asked and not held_back:
            continue
        ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
        detail = {"asked": list(asked), "held_back": list(held_back)}
        tx.insert("audit_events", [audited(item.business, "service.told", "hub", detail=detail, **ids)])
        if not _through_its_connection(tx, item, asked, held_back, follow_ups):
            tx.insert("notices", [notice_row("email", ABOUT_ANSWER, f"service:{row['service_id']}", item.wall, **ids)])
            tx.nudge_notices()


def _first(tx: Transaction, kind: str, item: Incomplete, fields: Sequence[str]) -> tuple[str, ...]:
    until = item.wall + _ONCE
    return tuple(name for name in fields if tx.first_of_late(kind, f"{item.delivery['id']}|{name}", item.wall, until))


def _through_its_connection(
    tx: Transaction, item: Incomplete, asked: Sequence[str], held_back: Sequence[str], follow_ups: FollowUps
) -> bool:
    """Queue it behind what went before, under living consent as anything else; False where it cannot go that way."""
    row = item.delivery
    if row["kind"] != DeliveryKind.SHARE:
        return False
    original = tx.originals([row["id"]])[row["id"]]
    if ended(ConsentState(original["consent_state"]), original["ends_at"], item.business) is not None:
        return False
    told = {"words": about(asked, held_back), "asked": list(asked), "held_back": list(held_back)}
    made = follow_ups.make(
        Wanted(
            original,
            DeliveryKind.REPLY,
            f"answer|{'|'.join([*asked, '', *held_back])}",  # each is told once, so no two are alike
            last_of(tx, row, DeliveryKind.REPLY)[1],
            item.business,
            item.wall,
            "hub",
            about={name: each for name, each in told.items() if each},
            unnamed=stays_unnamed(tx, original, follow_ups.vault),
        )
    )
    queue(tx, [made] if made is not None else [])
    return made is not None
