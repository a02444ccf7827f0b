"""Consents: withdraw with one call, as easily as agreeing (R15, Art. 7(3)); export what was agreed (R14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.errors import NotFound
from hub.partnership import forgetting
from hub.services.consent_bundle import MEDIA_TYPE, consent_bundle
from hub.services.show_consents import show_consents
from hub.services.withdraw import NOT_FOUND, Withdrawal, Withdrawn
from hub.store.read_consents import read_consents

router = APIRouter()


@dataclass(frozen=True, slots=True)
class WithdrawRequest:
    """Which services it is for (none named: all), and a private worry that the person is being pressed (R15)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    services: list[str] = field(default_factory=list)
    worried_about_pressure: bool = False


_REQUEST: TypeAdapter[WithdrawRequest] = TypeAdapter(WithdrawRequest)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.post("/v1/consents/{record_id}/withdraw", openapi_extra=_BODY)
async def withdraw_consent(request: Request, record_id: str) -> Reply:
    """Withdraw what was agreed in one share: nothing more goes, and the reply says what could not be unshared."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    asked = body.parse(raw, _REQUEST)
    found = await callers.author_once(request, who, raw)
    item = Withdrawal(
        record_id=record_id,
        partner_id=who.partner,
        client_id=who.client_id,
        author=hub.vault.digest("author", f"{who.partner}|{found.subject}"),
        services=tuple(asked.services),
        worried_about_pressure=asked.worried_about_pressure,
        business=hub.now.business(),
        wall=hub.now.wall(),
        role=found.role,
    )
    return Reply(_told(hub, await hub.writer.run(hub.withdraw, item)))


@router.get("/v1/consents/{record_id}")
async def read_record(request: Request, record_id: str) -> Reply:
    """Export what was agreed in one share, and what became of it; as FHIR R4 with Accept: application/fhir+json."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    actor = f"client:{who.client_id}"
    record = await hub.read(read_consents, record_id, who.partner)
    if record is None:
        await callers.note_read(request, "consent.read_refused", actor, why="not-found")
        raise NotFound(NOT_FOUND)
    await callers.note_read(request, "consent.read", actor, record.share["id"])
    settings = hub.configuration
    shown = show_consents(record, hub.directory, hub.vault, forgetting(settings.partnership))
    if MEDIA_TYPE in request.headers.get("accept", ""):
        return Reply(consent_bundle(shown, settings.hub.public_url), media_type=MEDIA_TYPE)
    return Reply(shown)


def _told(hub: Hub, done: Withdrawn) -> dict[str, Any]:
    """Say plainly what was stopped, and what could not be unshared."""
    return {
        "share": done.share_id,
        "stopped": _each(done.stopped, lambda each: f"{_name(hub, each)} will not get this."),
        "tried": _each(done.tried, lambda each: f"{_tried(_name(hub, each))} {_stop(hub, each, done)}"),
        "already_sent": _each(done.served, lambda each: f"{_served(hub, each, done)} {_stop(hub, each, done)}"),
    }


def _each(services: Sequence[str], words: Callable[[str], str]) -> list[dict[str, str]]:
    return [{"service": each, "words": words(each)} for each in services]


def _tried(name: str) -> str:
    return f"We have stopped sending this to {name}. An earlier try may have reached them."


def _served(hub: Hub, service_id: str, done: Withdrawn) -> str:
    """Only what is known to have arrived is said to be there."""
    has = "has this" if service_id in done.arrived else "may have this already"
    return f"{_name(hub, service_id)} {has}. We cannot take it back."


def _name(hub: Hub, service_id: str) -> str:
    service = hub.directory.services.get(service_id)
    return service.name if service else service_id


def _stop(hub: Hub, service_id: str, done: Withdrawn) -> str:
    """Say who asks them to stop: the hub does, or the hub will and a call is surer, or only a call can."""
    if service_id in done.asked and service_id not in done.unsure:
        return "We are asking them to stop using it."
    service = hub.directory.services.get(service_id)
    ring = f"Ring them on {service.phone}, and" if service and service.phone else "Ring them, and"
    if service_id in done.asked:
        return f"We will ask them to stop using it once we know that it got there. {ring} ask them too."
    return f"{ring} ask them to stop using it."
