"""Helped: a trusted person says that what a service did helped, and its team is thanked (R53)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.domain.win import Help
from hub.services.helped import Helped

router = APIRouter()


@dataclass(frozen=True, slots=True)
class HelpedRequest:
    """In what way it helped, as a code; no words, so that nothing is told of anybody."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    how: Help = Help.HELPED


_REQUEST: TypeAdapter[HelpedRequest] = TypeAdapter(HelpedRequest)
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.post("/v1/deliveries/{delivery_id}/helped", status_code=201, openapi_extra=_BODY)
async def helped(request: Request, delivery_id: str) -> Reply:
    """Say that this helped: it is counted without anybody in it, once, and the team that answered is thanked."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    said = body.parse(raw, _REQUEST)
    author = await callers.author_once(request, who, raw)
    attested = callers.attestation(request, who, author)
    item = Helped(delivery_id, who.partner, who.client_id, said.how, hub.now.business(), hub.now.wall(), attested)
    await hub.writer.run(hub.ladder.record_helped, item)
    return Reply({"delivery": delivery_id, "how": said.how}, status_code=201)
