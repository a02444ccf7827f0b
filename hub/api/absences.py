"""Absences: a partner says that a trusted person is away or leaves, and whom a person named instead (R07, R08)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.domain.absence import Absence
from hub.domain.check import reference_fault
from hub.domain.errors import Malformed
from hub.domain.trusted_person import CHOICE_UNSAFE, NOT_CHOSEN
from hub.services.keep_absence import KeepAbsence, keep_absence, leaving
from hub.services.name_cover import NameCover, name_cover
from hub.services.report import entry
from hub.store.read_absences import last_day, open_shares

router = APIRouter()
_STRICT: Final = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class AwayRequest:
    """From which day somebody is away and, if you know it, until which; both days count."""

    __pydantic_config__ = _STRICT

    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class LeavingRequest:
    """The last day on which somebody speaks for those who chose them."""

    __pydantic_config__ = _STRICT

    last_day: date


@dataclass(frozen=True, slots=True)
class CoverRequest:
    """Whom the person named for this share, when and how they said so, and for how long that holds."""

    __pydantic_config__ = _STRICT

    reference: str
    chosen_by_person: bool
    nothing_suggests_unsafe: bool
    on: date
    how: Literal["spoken", "written", "signed"]
    lasts: Literal["while_away", "from_now_on"]


_AWAY: TypeAdapter[AwayRequest] = TypeAdapter(AwayRequest)
_LEAVING: TypeAdapter[LeavingRequest] = TypeAdapter(LeavingRequest)
_COVER: TypeAdapter[CoverRequest] = TypeAdapter(CoverRequest)

_NOBODY_TOLD: Final = "We have kept this. Their open shares go to nobody else."
_BACK: Final = "We have kept this. What waited for them can be read again."
_STAYS: Final = "We have kept this. They stay."


def _shape(shape: TypeAdapter[Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.json_schema()}}}}


@router.put("/v1/trusted-people/{reference}/away", openapi_extra=_shape(_AWAY))
async def away(request: Request, reference: str) -> Reply:
    """Say that a trusted person is away. What comes back waits, or goes to the cover that the person named."""
    await _keep(request, reference, Absence.AWAY, lambda raw: _days(body.parse(raw, _AWAY)))
    return Reply({"trusted_person": reference, "words": _NOBODY_TOLD})


@router.delete("/v1/trusted-people/{reference}/away")
async def back(request: Request, reference: str) -> Reply:
    """Say that they are there again."""
    await _keep(request, reference, Absence.AWAY, None)
    return Reply({"trusted_person": reference, "words": _BACK})


@router.put("/v1/trusted-people/{reference}/leaving", openapi_extra=_shape(_LEAVING))
async def leaves(request: Request, reference: str) -> Reply:
    """Say which day is their last, and get what is open, to ask each person who is next. Nothing new goes after it."""
    await _keep(request, reference, Absence.LEFT, lambda raw: leaving(body.parse(raw, _LEAVING).last_day))
    return Reply(await _handover(request, reference))


@router.delete("/v1/trusted-people/{reference}/leaving")
async def stays(request: Request, reference: str) -> Reply:
    """Say that they stay after all."""
    await _keep(request, reference, Absence.LEFT, None)
    return Reply({"trusted_person": reference, "words": _STAYS})


@router.get("/v1/trusted-people/{reference}/handover")
async def handover(request: Request, reference: str) -> Reply:
    """List what a trusted person has open, the oldest first, with their last day where it was said."""
    who = callers.caller(request)
    found = await _handover(request, reference)
    await callers.note_read(request, "handover.read", f"client:{who.client_id}")
    return Reply(found)


@router.post("/v1/shares/{share_id}/cover", openapi_extra=_shape(_COVER))
async def cover(request: Request, share_id: str) -> Reply:
    """Write down whom the person named: their cover while somebody is away, or who speaks for them from now on."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    author = callers.author(request, who, raw)
    said = body.parse(raw, _COVER)
    if not said.chosen_by_person:
        raise Malformed(NOT_CHOSEN)
    if not said.nothing_suggests_unsafe:
        raise Malformed(CHOICE_UNSAFE)
    if found := tuple(reference_fault("/reference", said.reference)):
        raise Malformed(body.MALFORMED, found)
    safeguarding, partner = hub.directory.safeguarding, hub.directory.partners[who.partner]
    item = NameCover(
        share_id,
        who.partner,
        hub.vault.digest("trusted-person", f"{who.partner}|{said.reference}"),
        said.lasts == "from_now_on",
        who.client_id,
        hub.vault.digest("author", f"{who.partner}|{author.subject}"),
        said.how,
        hub.now.business(),
        hub.now.wall(),
        callers.one_time(author),
        (partner.champion.id, *((safeguarding.contact.id,) if safeguarding else ())),
    )
    await hub.writer.run(partial(name_cover, vault=hub.vault), item)
    return Reply({"share": share_id, "trusted_person": said.reference, "lasts": said.lasts})


Days = tuple[date | None, date | None]


def _days(said: AwayRequest) -> Days:
    return said.first, said.last


async def _keep(request: Request, reference: str, kind: Absence, days: Callable[[bytes], Days] | None) -> None:
    """Keep the days that a body says, or, with no body, that somebody is there."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    if days is not None:
        body.require_json(request)
    raw = await body.read_raw(request)
    author = callers.author(request, who, raw)
    first, last = days(raw) if days else (None, None)
    if found := tuple(reference_fault("", reference)):
        raise Malformed(body.MALFORMED, found)
    item = KeepAbsence(
        who.partner,
        hub.vault.digest("trusted-person", f"{who.partner}|{reference}"),
        kind,
        first,
        last,
        who.client_id,
        hub.vault.digest("author", f"{who.partner}|{author.subject}"),
        hub.now.business(),
        callers.one_time(author),
    )
    await hub.writer.run(keep_absence, item)


async def _handover(request: Request, reference: str) -> dict[str, Any]:
    hub = callers.hub_of(request)
    who = callers.caller(request)
    trusted_person = hub.vault.digest("trusted-person", f"{who.partner}|{reference}")
    shares = await hub.read(open_shares, who.partner, trusted_person)
    last = await hub.read(last_day, who.partner, trusted_person)
    return {
        "trusted_person": reference,
        "last_day": last,
        "words": "Ask each person whom they trust now. Write that down for their share, with lasts: from_now_on.",
        "shares": [entry(row, hub.vault) for row in shares],
    }
