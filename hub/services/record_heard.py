"""Record what was heard another way: an answer by phone, meeting or plain e-mail counts as the answer (R64)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from hub.domain.answer import Answer
from hub.domain.consent import ConsentState, ended
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.errors import Conflict, HubError, NotFound
from hub.services.follow_up import FollowUps, Wanted, last_of, queue
from hub.services.keep_trusted_person import stays_unnamed
from hub.services.pack import pack
from hub.services.ports import Row, Transaction, Vault, attested, audited
from hub.services.refusals import FORGOTTEN
from hub.services.respond import Said, keep_answers
from hub.services.tell import notice_row
from hub.services.withdraw import NOT_FOUND

#: A client that lost the reply says the same again within this long.
_SAME_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker or champion was told about one delivery: by whom, how, when, and what the service said."""

    delivery_id: str
    partner_id: str
    client_id: str
    answer: Answer
    how: str
    said_by: str
    told_to: str
    on: date
    business: datetime
    wall: datetime
    author: str = ""  # keyed hash
    role: str = ""


class Words(Protocol):
    """What was said, whoever writes it down: by whom, to whom, how and when."""

    @property
    def answer(self) -> Answer: ...
    @property
    def how(self) -> str: ...
    @property
    def said_by(self) -> str: ...
    @property
    def told_to(self) -> str: ...
    @property
    def on(self) -> date: ...
    @property
    def business(self) -> datetime: ...
    @property
    def wall(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class By:
    """Who is answerable for what was written down; `attested` is what the log keeps of a worker (R60)."""

    actor: str
    attested: Mapping[str, str] = field(default_factory=dict)


def record_heard(
    tx: Transaction, items: Sequence[Heard], *, vault: Vault, follow_ups: FollowUps | None = None
) -> list[HubError | None]:
    """Keep what was heard as the answer, stop its clocks, and send the service a copy that it can correct.

    It counts as the answer and proves nothing of the parcel: one that is not there yet is still sent, and the clocks of
    its way run on. The very same words within a day are a client that missed its reply, and are kept once.
    Where its connection carries replies the copy goes through it; elsewhere an e-mail says only that there is one.
    """
    results: list[HubError | None] = []
    for item in items:
        # Taken one by one: what was heard twice of one delivery is judged the second time against the first.
        row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
        if row is None or row["partner_id"] != item.partner_id:
            results.append(NotFound(NOT_FOUND))
            continue
        if row["data_key"] is None:
            results.append(Conflict(FORGOTTEN))
            continue
        if said_before(tx, row, item, vault):
            results.append(None)
            continue
        by = By(f"client:{item.client_id}", attested(item.partner_id, item.author, item.role))
        keep_heard(tx, row, item, by, vault, follow_ups)
        results.append(None)
    return results


def said_before(tx: Transaction, row: Row, item: Words, vault: Vault) -> bool:
    """Tell whether the very same was written down of a delivery within a day; from now on it was."""
    everything = pack({"delivery": row["id"], **_said(item), "stage": item.answer.stage}).decode()
    # A keyed hash, so that nothing of it stands anywhere in clear.
    return not tx.first_of_late("heard", vault.digest("heard", everything), item.wall, item.wall + _SAME_WITHIN)


def keep_heard(  # noqa: PLR0913 - what was heard, of what, and who is answerable for it
    tx: Transaction, row: Row, item: Words, by: By, vault: Vault, follow_ups: FollowUps | None
) -> None:
    """Keep what was heard of a locked delivery as its answer, and send the service a copy."""
    told = (("to", item.told_to), ("by", item.said_by), ("how", item.how), ("on", item.on.isoformat()))
    said = Said(row, item.answer, item.business, item.wall, "heard", told, actor=by.actor)
    keep_answers(tx, [said], vault=vault)
    ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
    detail = {"how": item.how, **by.attested}
    tx.insert("audit_events", [audited(item.business, "delivery.heard", by.actor, detail=detail, **ids)])
    # Of somebody who has died nothing more is sent, whatever is still written down (R69).
    if row["died_at"] is None and (follow_ups is None or not _copy(tx, row, item, by.actor, follow_ups)):
        tx.insert("notices", [notice_row("email", "heard_copy", f"service:{row['service_id']}", item.wall, **ids)])
        tx.nudge_notices()


def _copy(tx: Transaction, row: Row, item: Words, actor: str, follow_ups: FollowUps) -> bool:
    """Queue the copy, under living consent as anything else; False where it cannot go through the connection.

    It speaks of what the service's own system holds, so that must be known to have arrived: a call proves that somebody
    knows of it, and not that the system does.
    """
    if row["kind"] != DeliveryKind.SHARE or row["state"] != DeliveryState.DELIVERED:
        return False
    original = tx.originals([row["id"]])[row["id"]]
    if ended(ConsentState(original["consent_state"]), original["ends_at"], item.business) is not None:
        return False
    number, after = last_of(tx, row, DeliveryKind.REPLY)  # copies go in the order in which they were written down
    made = follow_ups.make(
        Wanted(
            original,
            DeliveryKind.REPLY,
            number,
            after,
            item.business,
            item.wall,
            actor,
            _said(item),
            unnamed=stays_unnamed(tx, original, follow_ups.vault),
        )
    )
    queue(tx, [made] if made is not None else [])
    return made is not None


def _said(item: Words) -> dict[str, str]:
    """What a mapping sees as `answer`; what nobody said is an empty text."""
    answer = item.answer
    return {
        "state": str(answer.state),
        "owner": answer.owner,
        "text": answer.text,
        "reason": answer.reason,
        "next_step": answer.next_step,
        "next_date": answer.next_date.isoformat() if answer.next_date else "",
        "told_to": item.told_to,
        "said_by": item.said_by,
        "how": item.how,
        "on": item.on.isoformat(),
    }
