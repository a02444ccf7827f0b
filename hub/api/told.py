"""What the trusted person records of a share as a whole: that the person was told, or has died (R37, R69)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.domain.calendar import london_date
from hub.domain.errors import Fault, Malformed, NotFound
from hub.services.death import Death, record_death
from hub.services.person_told import PersonTold, person_told
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import read_share

router = APIRouter()
_STRICT: Final = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class ToldRequest:
    """Whether the person was told what came of it, on which day, and how."""

    __pydantic_config__ = _STRICT

    told: Literal["yes", "could_not"]
    on: date
    how: Literal["in_person", "phone", "text", "letter", "other"] = "other"


@dataclass(frozen=True, slots=True)
class DeathRequest:
    """Nothing needs to be said of it."""

    __pydantic_config__ = _STRICT


_TOLD: TypeAdapter[ToldRequest] = TypeAdapter(ToldRequest)
_DEATH: TypeAdapter[DeathRequest] = TypeAdapter(DeathRequest)


def _body(shape: TypeAdapter[Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.json_schema()}}}}


@router.post("/v1/shares/{share_id}/person-told", openapi_extra=_body(_TOLD))
async def tell(request: Request, share_id: str) -> Reply:
    """Record that the person was told what came of it, or could not be: a share whose answers are in is then closed."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = await callers.author_once(request, who, raw)
    said = body.parse(raw, _TOLD)
    if said.on > london_date(hub.now.business()):
        raise Malformed(body.MALFORMED, (Fault("/on", "must not be in the future"),))
    attested = callers.attestation(request, who, found)
    item = PersonTold(share_id, who.partner, who.client_id, said.told, said.how, hub.now.business(), attested)
    await hub.writer.run(person_told, item)
    return Reply({"share": share_id, "person_told": said.told})


@router.post("/v1/shares/{share_id}/death", openapi_extra=_body(_DEATH))
async def record(request: Request, share_id: str) -> Reply:
    """Say that the person has died: everything about them stops, and your champion gets one kind message."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = await callers.author_once(request, who, raw)
    body.parse(raw, _DEATH)
    record = await hub.read(read_share, share_id, who.partner)
    if record is None:
        raise NotFound(NOT_FOUND)
    actor, attested = f"client:{who.client_id}", callers.attestation(request, who, found)
    item = Death(share_id, who.partner, record.share["person"], actor, hub.now.business(), hub.now.wall(), attested)
    await hub.writer.run(record_death, item)
    words = "We are so sorry. We have stopped everything. Your champion has been told."
    return Reply({"share": share_id, "words": words})
