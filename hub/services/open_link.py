"""Open a link: the team's code proves that it reached the team, and only then was the parcel received (L2, R64)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.domain.answer import Level
from hub.domain.consent import ConsentState, ended
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.services.acknowledge import Acknowledged, acknowledge
from hub.services.ports import Row, Transaction, audited
from hub.services.respond import settle_by_answer

#: After so many wrong codes a link opens nothing: a new one must be asked for.
MOST_TRIES: Final = 5
#: So many wrong codes on all links of one team within an hour, and no code opens any: who guesses has many links.
MOST_OF_A_TEAM: Final = 20
_WITHIN: Final = timedelta(hours=1)
#: What a code is compared with where there is no link, so that it takes as long.
_NOBODY: Final = "0" * 64

#: refused: not a link of ours, a wrong code, or too many of them; over: it ran out or was ended; closed: there is
#: nothing to show any more; open.
Standing = Literal["refused", "over", "closed", "open"]


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody posts a link's `token` (its keyed hash) with a `code` (keyed hash), or with a session of `service`."""

    token: str
    code: str
    service: str
    business: datetime
    wall: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """How a knock was met; whose link it is where the code was right."""

    standing: Standing
    service: str = ""


def actor_of(invite_id: str) -> str:
    """Return who acts in the audit log: the link, for nobody who uses it is known by name."""
    return f"link:{invite_id}"


def open_link(tx: Transaction, items: Sequence[Knock], *, codes: Mapping[str, str]) -> list[Opened]:
    """Open links for those who prove their team's code; `codes` are the keyed hashes of the codes, by service.

    Whatever is refused is refused alike, and leaves one audit event: to find nothing costs what finding something does.
    """
    return [_knock(tx, item, codes) for item in items]


def _knock(tx: Transaction, item: Knock, codes: Mapping[str, str]) -> Opened:
    link = tx.lock_invite(item.token)
    expected = _NOBODY if link is None else codes.get(link["service_id"], _NOBODY)
    proved = hmac.compare_digest(item.code.encode(), expected.encode())
    known = link is not None and hmac.compare_digest(item.service.encode(), link["service_id"].encode())
    guessed = tx.wrong_codes("" if link is None else link["service_id"], item.wall - _WITHIN) >= MOST_OF_A_TEAM
    if link is None or not (known or (proved and not guessed)) or link["tries"] >= MOST_TRIES:
        return _refuse(tx, item, link)
    if link["revoked_at"] is not None or link["expires_at"] <= item.wall:
        _note(tx, item, link, "invite.over")
        return Opened("over", link["service_id"])
    row = tx.lock_deliveries([link["delivery_id"]])[link["delivery_id"]]
    if is_closed(row, ends_at(tx, row), item.business):
        _note(tx, item, link, "invite.closed")
        return Opened("closed", link["service_id"])
    first = link["opened_at"] is None
    tx.open_invite(link["id"], item.business)
    settle_by_answer(tx, row, item.business, item.wall)
    if first:
        acknowledge(tx, [Acknowledged(row["id"], Level.L2, item.business, "page")])
    _note(tx, item, link, "invite.opened")
    return Opened("open", link["service_id"])


def ends_at(tx: Transaction, row: Row) -> datetime:
    """Return when the last day of the consent under a delivery is over."""
    found: datetime = tx.originals([row["id"]])[row["id"]]["ends_at"]
    return found


def is_closed(row: Row, ends: datetime, now: datetime) -> bool:
    """Tell whether a delivery's page shows nothing any more: taken back, run out, forgotten, or the person has died.

    A request to stop using it holds nothing of the story, and stays until it is answered (R15).
    """
    if row["died_at"] is not None or row["data_key"] is None or row["state"] == DeliveryState.CANCELLED:
        return True
    if row["kind"] == DeliveryKind.PLEASE_STOP_USING:
        return False
    return ended(ConsentState(row["consent_state"]), ends, now) is not None


def _refuse(tx: Transaction, item: Knock, link: Row | None) -> Opened:
    tx.count_wrong_code("" if link is None else link["id"], item.wall)
    _note(tx, item, link, "invite.refused")
    return Opened("refused")


def _note(tx: Transaction, item: Knock, link: Row | None, action: str) -> None:
    if link is None:
        event = audited(item.business, action, "link")
    else:
        event = audited(item.business, action, actor_of(link["id"]), link["share_id"], link["delivery_id"])
    tx.insert("audit_events", [event])
