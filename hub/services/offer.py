"""Offer: name another service that may help; the trusted person asks, and nothing goes without a yes (R46)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.domain.calendar import WorkingCalendar
from hub.domain.errors import Conflict, HubError, Refusal
from hub.domain.route import Directory
from hub.services.alert_act import Acting, AlertAct, begin, keep
from hub.services.ports import Transaction

NO_SUCH_SERVICE: Final = Refusal(
    "service-not-offered",
    "We cannot offer this service.",
    "Choose another service from the list.",
)
#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS: Final = (NO_SUCH_SERVICE,)


@dataclass(frozen=True, slots=True)
class Offer(AlertAct):
    """Suggest a service, by its id, to the trusted person."""

    service: str


def offer(
    tx: Transaction, items: Sequence[Offer], *, directory: Directory, calendar: WorkingCalendar
) -> list[HubError | None]:
    """Tell the case system which service may help instead; it sends there what the person agrees to, or does not."""
    return [_one(tx, item, begin(tx, item, directory, calendar)) for item in items]


def _one(tx: Transaction, item: Offer, acting: Acting | HubError) -> HubError | None:
    if isinstance(acting, HubError):
        return acting
    service = acting.who.directory.services.get(item.service)
    there = acting.who.directory.route(item.service) is not None
    if service is None or not there or service.confidential or item.service == acting.row["service_id"]:
        return Conflict(NO_SUCH_SERVICE)
    keep(tx, acting, "service.offered", {}, {"service": item.service}, service_id=item.service)
    return None
