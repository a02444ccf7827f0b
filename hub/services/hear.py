"""Hear: whoever follows up writes down what a service said another way, and it is the answer like any other (R64)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hub.domain.answer import Answer
from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import Conflict, HubError
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, touch
from hub.services.follow_up import FollowUps
from hub.services.ports import Transaction, Vault
from hub.services.record_heard import By, keep_heard, said_before
from hub.services.refusals import FORGOTTEN


@dataclass(frozen=True, slots=True)
class Hear(AlertAct):
    """What a service said of what an alert is about: by whom, to whom, how and on which day."""

    answer: Answer
    how: str
    said_by: str
    told_to: str
    on: date


def hear(  # noqa: PLR0913 - as an act on an alert, and what keeps an answer
    tx: Transaction,
    items: Sequence[Hear],
    *,
    directory: Directory,
    calendar: WorkingCalendar,
    vault: Vault,
    follow_ups: FollowUps | None = None,
) -> list[HubError | None]:
    """Keep what was heard as the answer, as if a worker's own system had sent it; the case system hears of it.

    It closes the alert where it is what was waited for. The very same within a day changes nothing.
    """
    return [_one(tx, item, begin(tx, item, directory, calendar), vault, follow_ups) for item in items]


def _one(
    tx: Transaction, item: Hear, acting: Acting | HubError, vault: Vault, follow_ups: FollowUps | None
) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    row = tx.lock_deliveries([acting.row["delivery_id"]])[acting.row["delivery_id"]]
    if row["data_key"] is None:
        return Conflict(FORGOTTEN)
    if not said_before(tx, row, item, vault):
        keep_heard(tx, row, item, By(f"person:{item.person}"), vault, follow_ups)
        touch(tx, acting)
    return None
