"""Settle attempts: turn what connectors reported into states, rungs, answers and notices, many in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, assert_never

from hub.domain.delivery import WITHDRAWABLE, DeliveryEvent, DeliveryState, move
from hub.domain.outcome import Delivered, Halt, InDoubt, Invite, Outcome, Rejected, RetryLater
from hub.domain.retry import NEVER, Policy, next_attempt
from hub.services.acknowledge import Acknowledged, acknowledge
from hub.services.follow_up import FollowUps
from hub.services.pack import place
from hub.services.ports import DataKey, Row, Transaction, Vault, audited
from hub.services.respond import Said, keep_answers
from hub.services.settle_doubt import doubt_notice
from hub.services.settled import attempt_row, settled
from hub.services.tell import notice_row
from hub.services.tell_service import tell_service


@dataclass(frozen=True, slots=True)
class Died:
    """The host died with the parcel in flight; `started` says whether any byte may have left."""

    started: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt. `rand` in [0, 1) is drawn before the commit so that a re-run changes nothing.

    `started` says whether its first byte may have left; where nobody knows, it may have.
    """

    delivery_id: str
    attempt: int
    outcome: Outcome | Died
    wall: datetime
    business: datetime
    rand: float
    started: bool = True


@dataclass(slots=True)
class _Changes:
    """What one batch of settlements adds up to."""

    deliveries: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    audit: list[Row] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    reached: list[Acknowledged] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


#: Tries and waits for what a partner could not take; the last try comes about three days after the first.
RETRIES = Policy(first_seconds=2, cap_seconds=4 * 3600, attempts=30, give_up_after_seconds=76 * 3600)
#: How often a parcel in doubt is asked about: some four days longer than it was tried; then a person must find out.
ASK_AGAIN = Policy(first_seconds=1, cap_seconds=3600, attempts=100_000, give_up_after_seconds=8 * 24 * 3600)


def settle(
    tx: Transaction, items: Sequence[Settlement], *, vault: Vault, follow_ups: FollowUps | None = None
) -> list[bool]:
    """Apply settlements; False where the attempt is no longer in force: its lease ran out, or it was answered.

    With `follow_ups` the service is told what its answers lack, and what of them was held back (R21, R35).
    """
    rows = tx.lock_deliveries([item.delivery_id for item in items])
    changes = _Changes()
    applied = []
    for item in items:
        row = rows.get(item.delivery_id)
        current = row is not None and row["attempt"] == item.attempt and row["lease_until"] is not None
        applied.append(current)
        if row is None or not current:
            continue
        del rows[item.delivery_id]  # settled: a second report of this attempt in this batch is as stale as a later one
        _settle_one(tx, changes, row, item, vault)
    tx.update_deliveries(changes.deliveries)
    tx.insert("attempts", changes.attempts)
    tx.insert("notices", changes.notices)
    tx.insert("audit_events", changes.audit)
    acknowledge(tx, changes.reached)
    tell_service(tx, keep_answers(tx, changes.said, vault=vault), follow_ups)
    if changes.notices:
        tx.nudge_notices()
    return applied


def _settle_one(tx: Transaction, changes: _Changes, row: Row, item: Settlement, vault: Vault) -> None:
    state = DeliveryState(row["state"])
    left = row["may_have_left"] or item.started
    update = settled(row, state, row["due_at"], _name(item.outcome)[1], may_have_left=left)
    match item.outcome:
        case Delivered() as delivered:
            update["state"] = move(state, _arrived(state))
            update["delivered_at"] = item.business
            _keep_receipt(update, row, delivered.receipt, vault)
            changes.reached.append(Acknowledged(row["id"], delivered.level, item.business, "sync"))
            changes.said.extend(Said(row, answer, item.business, item.wall, "sync") for answer in delivered.answers)
        case RetryLater() as later:
            _try_again(changes, update, row, item, later)
        case Rejected() | Invite():
            # An invite is sent before it is settled: one that comes here is of a connection that has no answer page.
            _give_up(changes, update, row, item)
        case Halt() as halt:
            update["state"] = move(state, DeliveryEvent.HALTED) if state is DeliveryState.SENDING else state
            _hold(tx, changes, row, item, halt)
        case InDoubt():
            _doubt(changes, update, row, item)
        case Died(started=started):
            update["deaths"] = row["deaths"] + 1
            if state is DeliveryState.IN_DOUBT or started:
                _doubt(changes, update, row, item)
            else:
                update["state"] = move(state, DeliveryEvent.UNSTARTED)
        case _:
            assert_never(item.outcome)
    if row["data_key"] is None and update["state"] in WITHDRAWABLE:
        # Forgotten on its way: there is nothing left to try again with.
        update["state"] = move(update["state"], DeliveryEvent.WITHDRAWN)
    changes.deliveries.append(update)
    _record(changes, row, item, update["state"])


def _record(changes: _Changes, row: Row, item: Settlement, state: DeliveryState) -> None:
    name, reason = _name(item.outcome)
    changes.attempts.append(attempt_row(row, name, reason, item.wall))
    changes.audit.append(
        audited(
            item.business,
            "delivery.settled",
            "hub:courier",
            row["share_id"],
            row["id"],
            {"attempt": row["attempt"], "outcome": name, "reason": reason, "state": state},
        )
    )


def _name(outcome: Outcome | Died) -> tuple[str, str]:
    reason = getattr(outcome, "reason", "")
    return type(outcome).__name__.lower(), str(reason)


def _arrived(state: DeliveryState) -> DeliveryEvent:
    return DeliveryEvent.FOUND if state is DeliveryState.IN_DOUBT else DeliveryEvent.TOOK


def _keep_receipt(update: dict[str, Any], row: Row, receipt: str, vault: Vault) -> None:
    if receipt:
        update["receipt"] = vault.digest("receipt", receipt)
    if receipt and row["data_key"] is not None:  # one that was forgotten on its way is known by the digest alone
        data_key: DataKey = vault.unwrap(row["data_key"])
        update["sealed_receipt"] = data_key.seal(receipt.encode(), place("deliveries", "receipt", row["id"]))


def _try_again(changes: _Changes, update: dict[str, Any], row: Row, item: Settlement, later: RetryLater) -> None:
    state = DeliveryState(row["state"])
    first = row["first_claimed_at"] or item.wall
    update["counted"] = row["counted"] + (1 if later.counts else 0)
    due_at = next_attempt(
        RETRIES,
        max(1, update["counted"]),
        first,
        item.wall,
        after=later.after,
        counts=later.counts,
        rand=item.rand,
        # A partner that only ever says "later" is asked less and less often; one that names a time is believed.
        tries=row["attempt"] if later.after is None else None,
    )
    if state is DeliveryState.IN_DOUBT:
        # It had not arrived: the same bytes go again under the same key, at once.
        update["state"], update["due_at"] = move(state, DeliveryEvent.NOT_FOUND), item.wall
    elif due_at is None:
        _give_up(changes, update, row, item)
    else:
        update["state"], update["due_at"] = move(state, DeliveryEvent.RETRY_LATER), due_at


def _give_up(changes: _Changes, update: dict[str, Any], row: Row, item: Settlement) -> None:
    state = DeliveryState(row["state"])
    if state is DeliveryState.IN_DOUBT:
        # Rejected while being reconciled says nothing of the first try: a person must look.
        _doubt(changes, update, row, item)
        return
    update["state"] = move(state, DeliveryEvent.GAVE_UP)
    if row["died_at"] is not None:
        return  # of somebody who has died one notice went, and no more does (R69)
    ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
    changes.notices.append(notice_row("email", "dead_lettered", "operator", item.wall, **ids))
    changes.notices.append(notice_row("webhook", "delivery.could_not_be_delivered", row["client_id"], item.wall, **ids))


def _doubt(changes: _Changes, update: dict[str, Any], row: Row, item: Settlement) -> None:
    state = DeliveryState(row["state"])
    if state is not DeliveryState.IN_DOUBT:
        update["state"] = move(state, DeliveryEvent.DOUBTED)
    first = row["first_claimed_at"] or item.wall
    due_at = next_attempt(
        ASK_AGAIN,
        max(1, row["attempt"]),
        first,
        item.wall,
        after=None,
        counts=True,
        rand=item.rand,
    )
    if row["data_key"] is None:
        due_at = None  # forgotten on its way: there is nothing left to ask with
    update["due_at"] = due_at or NEVER
    if due_at is None and row["died_at"] is None:
        changes.notices.append(doubt_notice(row, item.wall))


def _hold(tx: Transaction, changes: _Changes, row: Row, item: Settlement, halt: Halt) -> None:
    connection_id = row["connection_id"]
    if tx.hold(connection_id, halt.reason, item.wall):
        detail = {"connection": connection_id, "reason": halt.reason}
        changes.audit.append(audited(item.business, "connection.held", "hub:courier", None, None, detail))
        changes.notices.append(
            notice_row("email", "connection_held", "operator", item.wall, connection_id=connection_id)
        )
