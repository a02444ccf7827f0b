"""Respond: every answer, however it came, moves the ladder and goes back to the sender, cut to what may return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from hub.domain.answer import PROVES, Answer, AnswerState, Level, is_usual, returnable
from hub.domain.delivery import MOVES, DeliveryEvent, DeliveryState
from hub.domain.status import FINAL
from hub.sdk.connector import Inbound
from hub.services.acknowledge import Acknowledged, acknowledge
from hub.services.pack import pack, place
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.tell import notice_row


@dataclass(frozen=True, slots=True)
class Said:
    """An authentic answer to one delivery, `at` in business time; its notice is due at `wall`.

    `told` says who was told and how, when it was heard another way (R64).
    """

    delivery: Row
    answer: Answer
    at: datetime
    wall: datetime
    source: str
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A partner's message as its connector read it, from the inbox of one connection."""

    inbox_id: str
    connection_id: str
    inbound: Inbound
    wall: datetime
    business: datetime


def respond(tx: Transaction, items: Sequence[Response], *, vault: Vault) -> list[bool]:
    """Apply messages from partners; False where no delivery of that connection matches (it is kept, refused).

    False too, and nothing is done, where another courier read the message after this one's lease ran out.
    """
    results = []
    for item in items:
        if not tx.lock_message(item.inbox_id):
            results.append(False)
            continue
        inbound = item.inbound
        receipt = vault.digest("receipt", inbound.reference)
        row = tx.find_delivery(item.connection_id, inbound.reference, receipt)
        results.append(row is not None)
        state, reason = ("read", None) if row is not None else ("refused", "unknown-delivery")
        tx.update_inbox([{"id": item.inbox_id, "state": state, "reason": reason, "due_at": item.wall}])
        if row is None:
            tx.insert(
                "audit_events",
                [
                    audited(
                        item.business, "message.refused", f"connection:{item.connection_id}", detail={"reason": reason}
                    )
                ],
            )
            continue
        settle_by_answer(tx, row, item.business, item.wall)
        if inbound.level is not None:
            acknowledge(tx, [Acknowledged(row["id"], inbound.level, item.business, "message")])
        said = [Said(row, answer, item.business, item.wall, "message") for answer in inbound.answers]
        keep_answers(tx, said, vault=vault)
    return results


def settle_by_answer(tx: Transaction, row: Row, business: datetime, wall: datetime) -> None:
    """An authentic answer proves arrival: whatever the attempt in force, no further one is made (section 4)."""
    after = MOVES.get((DeliveryState(row["state"]), DeliveryEvent.ANSWERED))
    if after is None:
        return
    tx.update_deliveries(
        [
            {
                "id": row["id"],
                "state": after,
                "due_at": wall,
                "reason": "answered",
                "deaths": row["deaths"],
                "counted": row["counted"],
                "delivered_at": business,
                "receipt": row["receipt"],
                "sealed_receipt": row["sealed_receipt"],
                "may_have_left": True,
            }
        ]
    )
    acknowledge(tx, [Acknowledged(row["id"], Level.L1, business, "answer")])
    detail = {"attempt": row["attempt"], "state": after}
    actor = f"connection:{row['connection_id']}"
    tx.insert("audit_events", [audited(business, "delivery.proved", actor, row["share_id"], row["id"], detail)])


def keep_answers(tx: Transaction, items: Sequence[Said], *, vault: Vault) -> None:
    """Keep answers sealed, cut to the return clause, move the ladder and tell the sender (R13, R21, R35, R36)."""
    if not items:
        return
    answers, notices, audit, reached = [], [], [], []
    states: dict[str, AnswerState] = {}
    for item in items:
        row = item.delivery
        before = states.get(row["id"], AnswerState(row["answer_state"]))
        states[row["id"]] = item.answer.state
        answers.append(_answer_row(item, before, vault))
        reached.append(Acknowledged(row["id"], PROVES[item.answer.state], item.at, item.source))
        ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
        notices.append(notice_row("webhook", "delivery.answered", row["client_id"], item.wall, **ids))
        detail = {"state": item.answer.state, "source": item.source, "usual": is_usual(before, item.answer.state)}
        audit.append(audited(item.at, "delivery.answered", f"connection:{row['connection_id']}", detail=detail, **ids))
    tx.insert("answers", answers)
    tx.set_answer_states(states)
    acknowledge(tx, reached)
    # A "no" ends what the service owes: its later clocks would only raise alerts about nothing (R44, TH15).
    over = [(delivery_id, int(Level.L4)) for delivery_id, state in states.items() if state in FINAL]
    tx.stop_clocks(over)
    tx.insert("notices", notices)
    tx.insert("audit_events", audit)
    tx.nudge_notices()


def _answer_row(item: Said, before: AnswerState, vault: Vault) -> Row:
    row = item.delivery
    kept, held_back = returnable(item.answer, row["returns"])
    if item.told:
        # What the trusted person recorded themselves is theirs already: nothing is held back from them.
        kept, held_back = item.answer, ()
    answer_id = uuid4().hex
    said: dict[str, Any] = {
        "owner": kept.owner,
        "text": kept.text,
        "reason": kept.reason,
        "stage": kept.stage,
        "next_step": kept.next_step,
        "next_date": kept.next_date.isoformat() if kept.next_date else "",
        "told": dict(item.told),
    }
    decided = PROVES[item.answer.state] >= Level.L3
    is_no = item.answer.state in {AnswerState.DECLINED, AnswerState.WAITING_LIST, AnswerState.COULD_NOT_REACH}
    return {
        "id": answer_id,
        "delivery_id": row["id"],
        "state": item.answer.state,
        "at": item.at,
        "source": item.source,
        "usual": is_usual(before, item.answer.state),
        "owner_missing": decided and not item.answer.owner,
        "reason_missing": is_no and not item.answer.reason,
        "held_back": list(held_back),
        "said": vault.unwrap(row["data_key"]).seal(pack(said), place("answers", "said", answer_id)),
    }
