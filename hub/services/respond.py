"""Respond: every answer, however it came, moves the ladder and goes back to the sender, cut to what may return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from hub.domain.answer import PERSON_DIED, PROVES, Answer, AnswerState, Level, is_usual, missing, returnable
from hub.domain.calendar import england_and_wales
from hub.domain.consent import ConsentState, may_return
from hub.domain.delivery import MOVES, DeliveryEvent, DeliveryKind, DeliveryState
from hub.domain.status import FINAL
from hub.sdk.connector import Inbound
from hub.services.acknowledge import Acknowledged, acknowledge, passed_over
from hub.services.collect import collect_by
from hub.services.consequences import door_of, follow, notices_of, shut_door
from hub.services.final import note_final
from hub.services.follow_up import FollowUps
from hub.services.pack import pack, place
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.read_inbox import UNKNOWN_DELIVERY, look_again, tell_operator
from hub.services.rearm import rearm
from hub.services.tell_service import Incomplete, tell_service


@dataclass(frozen=True, slots=True)
class Said:
    """An authentic answer to one delivery, `at` in business time; its notice is due at `wall`.

    `told` says who was told and how, when it was heard another way (R64); `came`, in business time, when it came, where
    that was before `at`; `actor` who is answerable for it, where that is not the connection.
    """

    delivery: Row
    answer: Answer
    at: datetime
    wall: datetime
    source: str
    told: tuple[tuple[str, str], ...] = ()
    came: datetime | None = None
    actor: str = ""

    @property
    def arrived(self) -> bool:
        """Whether the parcel is known to be there: what was heard says nothing of that (R64)."""
        return self.source != "heard" or self.delivery["state"] == DeliveryState.DELIVERED


@dataclass(frozen=True, slots=True)
class Response:
    """A partner's message as its connector read it, from the inbox of one connection.

    `received` is when it came, by the wall's clock; `attempt` how often it was read, this time included.
    """

    inbox_id: str
    connection_id: str
    inbound: Inbound
    wall: datetime
    business: datetime
    received: datetime | None = None
    attempt: int = 1


def respond(
    tx: Transaction, items: Sequence[Response], *, vault: Vault, follow_ups: FollowUps | None = None
) -> list[bool]:
    """Apply messages from partners; False where no delivery of that connection matches.

    That is looked at again, for it may have overtaken the partner's own reply, and is refused only after the last look.
    False too, and nothing is done, where another courier read the message after this one's lease ran out.
    With `follow_ups` the service is told what its answers lack, and what of them was held back (R21, R35).
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
        if row is None:
            _unknown(tx, item)
            continue
        _read(tx, item, row)
        settle_by_answer(tx, row, item.business, item.wall)
        if inbound.level is not None:
            acknowledge(tx, [Acknowledged(row["id"], inbound.level, item.business, "message")])
        came = item.business - (item.wall - (item.received or item.wall))
        said = [Said(row, answer, item.business, item.wall, "message", came=came) for answer in inbound.answers]
        tell_service(tx, keep_answers(tx, said, vault=vault), follow_ups)
    return results


def _read(tx: Transaction, item: Response, row: Row) -> None:
    """The message belongs to its share from now on: it is forgotten with it, or at once where that is forgotten."""
    about = {"id": item.inbox_id, "state": "read", "reason": None, "due_at": item.wall, "share_id": row["share_id"]}
    tx.update_inbox([about])
    if row["data_key"] is None:
        tx.forget_messages([item.inbox_id])


def _unknown(tx: Transaction, item: Response) -> None:
    again = look_again(UNKNOWN_DELIVERY, item.attempt, item.received or item.wall, item.wall)
    state = "refused" if again is None else "pending"
    due = again or item.wall
    tx.update_inbox(
        [{"id": item.inbox_id, "state": state, "reason": UNKNOWN_DELIVERY, "due_at": due, "share_id": None}]
    )
    if again is None:
        actor, detail = f"connection:{item.connection_id}", {"reason": UNKNOWN_DELIVERY}
        tx.insert("audit_events", [audited(item.business, "message.refused", actor, detail=detail)])
        tell_operator(tx, item.connection_id, item.wall)


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


def keep_answers(tx: Transaction, items: Sequence[Said], *, vault: Vault) -> list[Incomplete]:
    """Keep answers sealed, cut to the return clause, move the ladder and tell the sender (R13, R21, R35, R36).

    One that came before another which is kept already is kept and shown too, and changes no state. Returns what those
    lack that a service gave itself, and what of them was held back.
    """
    if not items:
        return []
    newest = tx.newest_answers(list({item.delivery["id"] for item in items}))
    answers, notices, audit, reached, shut = [], [], [], [], []
    states: dict[str, AnswerState] = {}
    was_over: set[str] = set()
    newest_said: dict[str, tuple[Row, Answer]] = {}
    for item in items:
        row, state = item.delivery, item.answer.state
        before = states.get(row["id"], AnswerState(row["answer_state"]))
        late = _is_late(item, before, newest)
        if not late:
            states[row["id"]] = state
            newest_said[row["id"]] = (row, item.answer)
            was_over |= {row["id"]} if before in FINAL else set()
        usual = late or is_usual(before, state)
        # Late, it may say that all was done before more was asked for: that ends nothing now.
        level = min(PROVES[state], Level.L3) if late else PROVES[state]
        answers.append(_answer_row(item, vault, usual=usual))
        reached.append(Acknowledged(row["id"], level, item.at, item.source, answered=True, arrived=item.arrived))
        ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
        notices.extend(notices_of(row, item.answer, item.wall))
        audit.extend(door_of(row, item.answer, item.at, before))
        shut.extend(shut_door(row, item.answer, item.at, before, item.source))
        detail = {"state": state, "source": item.source, "usual": usual}
        actor = item.actor or f"connection:{row['connection_id']}"
        audit.append(audited(item.at, "delivery.answered", actor, detail=detail, **ids))
    tx.insert("answers", answers)
    tx.set_answer_states(states)
    acknowledge(tx, reached)
    _end_or_rearm(tx, items, states, was_over)
    tx.insert("notices", notices)
    tx.insert("audit_events", audit)
    tx.tally(shut)
    follow(tx, newest_said, max(item.at for item in items), max(item.wall for item in items))
    tx.nudge_notices()
    # What was written down of a service gets a copy, by which it can be put right (R64); of a death nothing is asked.
    asked = [item for item in items if not item.told and item.answer.reason != PERSON_DIED]
    return [incomplete(item.delivery, item.answer, item.at, item.wall) for item in asked]


def incomplete(row: Row, answer: Answer, business: datetime, wall: datetime) -> Incomplete:
    """Return what an answer to a locked delivery lacks, and what of it is held back (R21)."""
    return Incomplete(row, missing(answer), returnable(answer, _clause(row))[1], business, wall)


def _clause(row: Row) -> Sequence[str]:
    about_stopping = row["kind"] == DeliveryKind.PLEASE_STOP_USING
    return may_return(ConsentState(row["consent_state"]), row["returns"], about_stopping=about_stopping)


def _is_late(item: Said, before: AnswerState, newest: dict[str, datetime]) -> bool:
    """Whether something newer is kept already; notes when this one came, if it came of itself."""
    delivery_id = item.delivery["id"]
    if item.source == "sync":
        # The reply to the parcel is the first word of all, and a mere receipt takes back nothing that was said since.
        return delivery_id in newest and PROVES[item.answer.state] < PROVES[before]
    came = item.came or item.at
    latest = newest.get(delivery_id, came)
    newest[delivery_id] = max(came, latest)
    return came < latest


def _end_or_rearm(tx: Transaction, items: Sequence[Said], states: dict[str, AnswerState], was_over: set[str]) -> None:
    """A "no" ends what the service owes; where it takes that back, it owes an outcome again."""
    # Its later clocks would only raise alerts about nothing (R44, TH15).
    for arrived in (True, False):
        ids = {item.delivery["id"] for item in items if item.arrived is arrived}
        over = [(each, int(Level.L4)) for each, state in states.items() if state in FINAL and each in ids]
        tx.stop_clocks(over, above=passed_over(arrived))
    again = [each for each, state in states.items() if each in was_over and state not in FINAL]
    at = max(item.at for item in items)
    rearm(tx, again, at)
    note_final(tx, [*again, *(each for each, state in states.items() if state in FINAL)], at)


def _answer_row(item: Said, vault: Vault, *, usual: bool) -> Row:
    row = item.delivery
    kept, held_back = returnable(item.answer, _clause(row))
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
    lacks = missing(item.answer)
    return {
        "id": answer_id,
        "delivery_id": row["id"],
        "state": item.answer.state,
        "at": item.came or item.at,
        "source": item.source,
        "usual": usual,
        "owner_missing": "owner" in lacks,
        "reason_missing": "reason" in lacks,
        "next_date_missing": "next_date" in lacks,
        "check_with_person": item.answer.check_with_person,
        "do_not_tell_yet": item.answer.do_not_tell_yet,
        # What the trusted person wrote down themselves they have already.
        "collect_by": None if item.told else collect_by(item.at, england_and_wales()),
        "is_collected": bool(item.told),
        "held_back": list(held_back),
        "said": _sealed(row, said, answer_id, vault),
    }


def _sealed(row: Row, said: dict[str, Any], answer_id: str, vault: Vault) -> bytes:
    """What is said of a share that was forgotten is kept as its state alone (R59)."""
    if row["data_key"] is None:
        return b""
    return vault.unwrap(row["data_key"]).seal(pack(said), place("answers", "said", answer_id))
