"""Why a share stands where it does, in one line an operator can act on: pure, from states, ids and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.cli.output import shown
from hub.cli.standing import Standing
from hub.domain.answer import AnswerState
from hub.domain.delivery import ENDED, DeliveryState

Row = Mapping[str, Any]

#: A courier takes what is due within a round; after this long, nobody is taking it.
_OVERDUE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Situation:
    """What surrounds a share: the time, whether a hub runs (None: unknown), its connections, and open alerts."""

    now: datetime
    served: bool | None
    connections: Mapping[str, Standing] = field(default_factory=dict)
    alerted: frozenset[str] = frozenset()  #: deliveries with an open alert


def why(share: Row, deliveries: list[Row], situation: Situation) -> str:
    """Return the worst that holds a share up, first; or that nothing does."""
    if share.get("is_forgotten"):
        return "Not stuck: its story is forgotten, and nothing more is done with it."
    if not deliveries:
        return "Nothing was sent: no service could be given it."
    rank, line = min(((*_of(each, situation),) for each in deliveries), key=lambda found: found[0])
    if rank < _FINE:
        return f"Stuck: {line}"
    if share["withdrawn_at"] is not None:
        return f"Not stuck: consent was withdrawn at {shown(share['withdrawn_at'])}."
    return f"Not stuck: {line}"


#: From this rank on nothing is wrong.
_FINE = 10


def _of(delivery: Row, situation: Situation) -> tuple[int, str]:
    """Return how bad one delivery's state is (0 is worst), and the words for it."""
    state = DeliveryState(delivery["state"])
    if state is DeliveryState.DELIVERED:
        rank, words = _answer(delivery, situation)
    elif state not in ENDED and (waits := _waits_for(delivery, situation)):
        rank, words = 1, f"waits: {waits}"
    else:
        rank, words = _sending(delivery, state, situation.now)
    return rank, f"{delivery['service_id']} {words}"


def _sending(delivery: Row, state: DeliveryState, now: datetime) -> tuple[int, str]:
    due, attempt, reason = shown(delivery["due_at"]), delivery["attempt"], delivery["reason"] or "no reason given"
    overdue = delivery["due_at"] + _OVERDUE < now
    ranked = {
        DeliveryState.DEAD_LETTERED: (0, f"cannot be given it ({reason}), and it will not be tried again."),
        DeliveryState.IN_DOUBT: (2, f"may or may not have it ({reason}); the partner is asked again at {due}."),
        DeliveryState.RETRYING: (4, f"could not take it: attempt {attempt} failed ({reason}); next try at {due}."),
        DeliveryState.SENDING: (11, f"is being sent it, attempt {attempt}."),
        DeliveryState.CANCELLED: (13, "was cancelled before it went."),
    }
    if state in ranked and not (state is DeliveryState.RETRYING and overdue):
        return ranked[state]
    if overdue:
        return 3, f"was due at {due} and nobody has taken it: look at the hub's log."
    return 11, f"waits its turn, due {due}."


def _answer(delivery: Row, situation: Situation) -> tuple[int, str]:
    if delivery["answer_state"] != AnswerState.AWAITED:
        return 13, f"answered: {delivery['answer_state']}."
    line = f"has it since {shown(delivery['delivered_at'])}; nobody has answered"
    alerted = delivery["id"] in situation.alerted
    return (5, f"{line}, and an alert is open.") if alerted else (12, f"{line} yet, and no alert is due.")


def _waits_for(delivery: Row, situation: Situation) -> str:
    """Return what in the hub itself keeps a delivery from moving, or nothing."""
    connection = situation.connections.get(delivery["connection_id"])
    if connection is None:
        return f"the connection {delivery['connection_id']} is no longer in services/: put it back."
    if connection.state == "held":
        return f"the connection {connection.id} is held: {connection.why}."
    if connection.state == "not allowed":
        return f"{connection.why}."
    return "the hub is not running: `hub serve`." if situation.served is False else ""
