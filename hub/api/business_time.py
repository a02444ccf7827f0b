"""The demo's control of business time: it exists in the demo's profile alone, and only moves forward."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.domain.errors import Malformed, Refusal
from hub.services.remember import Fact, keep_facts

router = APIRouter()


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """The instant that business time is to be, with its offset from UTC."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    to: datetime


_REQUEST: TypeAdapter[MoveRequest] = TypeAdapter(MoveRequest)
_BACKWARDS = Refusal("time-backwards", "Business time only moves forward.", "Name a later instant, with its offset.")


@router.get("/demo/business-time")
async def tell(request: Request) -> Reply:
    """Tell what business time is now."""
    return Reply({"now": callers.hub_of(request).now.business().isoformat()})


@router.post("/demo/business-time")
async def move(request: Request) -> Reply:
    """Move business time forward; it is kept, so that a restart does not turn it back."""
    hub = callers.hub_of(request)
    asked = body.parse(await body.read_raw(request), _REQUEST)
    if asked.to.tzinfo is None:
        raise Malformed(_BACKWARDS)
    try:
        hub.now.move_to(asked.to)
    except ValueError:
        raise Malformed(_BACKWARDS) from None
    await hub.writer.run(keep_facts, Fact("business_offset", str(hub.now.offset.total_seconds())))
    hub.relay.hurry()
    for courier in hub.couriers.values():  # time that went by is time in which a partner is asked
        courier.hurry()
    return Reply({"now": hub.now.business().isoformat()})
