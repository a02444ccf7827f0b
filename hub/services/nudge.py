"""Nudge: ask the receiving team again by its own way, its link or its mailbox; else its champion (R46)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hub.domain.calendar import WorkingCalendar
from hub.domain.consent import ConsentState, ended
from hub.domain.delivery import DeliveryState
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.invite import MakeInvite, invite_row
from hub.services.ports import Row, Transaction, Vault
from hub.services.tell import INVITE, notice_row

#: Between two for one delivery, so that nobody floods a team (TH15).
_BETWEEN: Final = timedelta(hours=1)

#: To a team's mailbox, or to its champion.
NUDGE: Final = "alert.nudge"

NOT_THERE: Final = Refusal(
    "not-there-yet",
    "The service does not have this yet, so it cannot answer.",
    "Ring the service. We keep trying to send it, or say here that we stopped.",
)
JUST_NOW: Final = Refusal(
    "nudged-just-now",
    "The service was asked again less than an hour ago.",
    "Ring the service, or hand this up.",
)
NOBODY_TO_ASK: Final = Refusal(
    "nobody-to-ask",
    "We have no other way to ask this service.",
    "Ring the service.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NOT_THERE, JUST_NOW, NOBODY_TO_ASK)


@dataclass(frozen=True, slots=True)
class Nudge(AlertAct):
    """Ask again."""


@dataclass(frozen=True, slots=True)
class Nudging:
    """What asking takes: `lasts` is how long a link to the answer page works, by service."""

    vault: Vault
    lasts: Mapping[str, timedelta]


def nudge(
    tx: Transaction,
    items: Sequence[Nudge],
    *,
    directory: Directory,
    calendar: WorkingCalendar,
    by: Nudging,
) -> list[HubError | None]:
    """Ask each team again, once an hour at most; what is asked says nothing that the first parcel did not."""
    return [_one(tx, item, begin(tx, item, directory, calendar), by) for item in items]


def _one(tx: Transaction, item: Nudge, acting: Acting | HubError, by: Nudging) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    if acting.row["delivery_state"] != DeliveryState.DELIVERED:
        return Conflict(NOT_THERE)
    asked = _asked(tx, item, acting, by)
    if asked is None:
        return Conflict(NOBODY_TO_ASK)
    if not tx.first_of_late("nudge", acting.row["delivery_id"], item.wall, item.wall + _BETWEEN):
        return Conflict(JUST_NOW)
    how, notice, invites = asked
    tx.insert("invites", invites)
    tx.insert("notices", [notice])
    keep(tx, acting, "alert.nudged", {}, {"by": how})
    return None


def _asked(tx: Transaction, item: Nudge, acting: Acting, by: Nudging) -> tuple[str, Row, list[Row]] | None:
    """How it is asked: a new link where one went before, the mailbox that the service named, or its champion."""
    row = acting.row
    ids = {"share_id": row["share_id"], "delivery_id": row["delivery_id"]}
    link = tx.last_invite(row["delivery_id"])
    lasts = by.lasts.get(row["service_id"])
    if link is not None and link["revoked_at"] is None and lasts is not None and _may_show(tx, acting):
        wanted = MakeInvite(row["delivery_id"], row["share_id"], link["number"] + 1, link["address"], item.wall, lasts)
        new = invite_row(wanted, by.vault)
        return "link", notice_row("email", INVITE, f"invite:{new['id']}", item.wall, **ids), [new]
    service = acting.who.directory.services.get(row["service_id"])
    if service is not None and service.email:
        return "mailbox", notice_row("email", NUDGE, f"service:{service.id}", item.wall, **ids), []
    champion = acting.who.receiver(row["service_id"])
    if champion is None or champion.id == item.person:
        return None
    return "champion", notice_row("email", NUDGE, champion.id, item.wall, alert_id=row["id"], **ids), []


def _may_show(tx: Transaction, acting: Acting) -> bool:
    """A link shows what was agreed, so it goes under living consent alone."""
    original = tx.originals([acting.row["delivery_id"]])[acting.row["delivery_id"]]
    if original["data_key"] is None:
        return False
    return ended(ConsentState(original["consent_state"]), original["ends_at"], acting.act.business) is None
