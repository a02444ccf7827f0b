"""Helped: "this helped" is counted for the team that answered, without whom it helped, and it is thanked (R53)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.domain.answer import AnswerState
from hub.domain.calendar import WorkingCalendar, london_date
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import Conflict, HubError, NotFound, Refusal
from hub.domain.route import Directory
from hub.domain.win import WIN, Help
from hub.services.alert_act import AlertAct, begin
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.tell import champion_of, notice_row
from hub.services.withdraw import NOT_FOUND

#: The topic of the e-mail that thanks a team.
THANKS: Final = "win.thanks"
NOT_ANSWERED: Final = Refusal(
    "nobody-answered-yet",
    "No team has answered this yet.",
    "Wait for the answer, or write down what you heard by phone. Then say that it helped.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NOT_ANSWERED,)
#: Longer than anything is kept of a share: saying it twice of one delivery counts and thanks once.
_ONCE: Final = timedelta(days=200)


@dataclass(frozen=True, slots=True)
class Helped:
    """A trusted person says that what a service did helped; `attested` is what the log keeps of the worker (R60)."""

    delivery_id: str
    partner_id: str
    client_id: str
    help: Help
    business: datetime
    wall: datetime
    attested: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HelpedAct(AlertAct):
    """A champion says the same of what an alert was about, open or closed."""

    help: Help


def record_helped(
    tx: Transaction, items: Sequence[Helped], *, directory: Directory, vault: Vault
) -> list[HubError | None]:
    """Count each win and thank its team; saying it again changes nothing."""
    results: list[HubError | None] = []
    for item in items:
        row = tx.lock_deliveries([item.delivery_id]).get(item.delivery_id)
        if row is None or row["partner_id"] != item.partner_id or row["kind"] != DeliveryKind.SHARE:
            results.append(NotFound(NOT_FOUND))
            continue
        actor = f"client:{item.client_id}"
        results.append(_win(tx, row, item.help, (item.business, item.wall), (actor, item.attested), directory, vault))
    return results


def champion_helped(
    tx: Transaction, items: Sequence[HelpedAct], *, directory: Directory, calendar: WorkingCalendar, vault: Vault
) -> list[HubError | None]:
    """Count each win on the word of whoever follows up for the sender."""
    results: list[HubError | None] = []
    for item in items:
        acting = begin(tx, item, directory, calendar, open_only=False)
        if isinstance(acting, HubError):
            results.append(acting)
            continue
        row = tx.lock_deliveries([acting.row["delivery_id"]])[acting.row["delivery_id"]]
        by: tuple[str, Mapping[str, str]] = (f"person:{item.person}", {})
        results.append(_win(tx, row, item.help, (item.business, item.wall), by, directory, vault))
    return results


def _win(  # noqa: PLR0913 - what a win is made of
    tx: Transaction,
    row: Row,
    how: Help,
    at: tuple[datetime, datetime],
    by: tuple[str, Mapping[str, str]],
    directory: Directory,
    vault: Vault,
) -> HubError | None:
    if row["answer_state"] == AnswerState.AWAITED:
        return Conflict(NOT_ANSWERED)
    (business, wall), (actor, attested), service_id = at, by, row["service_id"]
    if not tx.first_of_late(WIN, vault.digest("win", row["id"]), wall, wall + _ONCE):
        return None
    tx.tally([(london_date(business).isoformat(), WIN, how, service_id)])
    # Neither names the share or the delivery: whom it helped is nowhere beside that it helped.
    detail = {"service": service_id, "how": str(how), **attested}
    tx.insert("audit_events", [audited(business, "win.recorded", actor, detail=detail)])
    service = directory.services.get(service_id)
    if service is not None:
        to = f"service:{service_id}" if service.email else champion_of(service.partner)
        tx.insert("notices", [notice_row("email", THANKS, to, wall, service_id=service_id)])
        tx.nudge_notices()
    return None
