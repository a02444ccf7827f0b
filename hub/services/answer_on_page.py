"""Answer on the page: what a team says there is an answer like any other, kept once, however often it is posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.answer import Answer
from hub.services.open_link import Standing, actor_of, ends_at, is_closed
from hub.services.ports import Transaction, Vault
from hub.services.respond import Said, keep_answers, settle_by_answer

#: A page that is posted again within this long is the same answer.
_SAME_WITHIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """What a team with a session of `service` says by a link; `once` is a keyed hash that its form was given."""

    token: str
    service: str
    answer: Answer
    once: str
    business: datetime
    wall: datetime


def answer_on_page(tx: Transaction, items: Sequence[PageAnswer], *, vault: Vault) -> list[Standing]:
    """Keep answers: clocks stop, what may not return is held back, and the sender is told, as for any other way."""
    results: list[Standing] = []
    for item in items:
        link = tx.lock_invite(item.token)
        if link is None or link["service_id"] != item.service or link["opened_at"] is None:
            results.append("refused")
            continue
        if link["revoked_at"] is not None or link["expires_at"] <= item.wall:
            results.append("over")
            continue
        row = tx.lock_deliveries([link["delivery_id"]])[link["delivery_id"]]
        if is_closed(row, ends_at(tx, row), item.business):
            results.append("closed")
            continue
        if tx.first_of_late("page", item.once, item.wall, item.wall + _SAME_WITHIN):
            settle_by_answer(tx, row, item.business, item.wall)
            said = Said(row, item.answer, item.business, item.wall, "page", actor=actor_of(link["id"]))
            keep_answers(tx, [said], vault=vault)
        results.append("open")
    return results
