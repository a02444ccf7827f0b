"""Deliveries: record what a service said another way, by phone, at a meeting or by e-mail (R64)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import london_date
from hub.domain.check import FIELD_TEXT, line, prose
from hub.domain.errors import Fault, Malformed
from hub.services.record_heard import Heard

router = APIRouter()


@dataclass(frozen=True, slots=True)
class HeardRequest:
    """Who said what, to whom, how and when; what the service will do next, if it said so."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    state: Literal[
        "received",
        "needs_info",
        "accepted",
        "in_progress",
        "waiting_list",
        "declined",
        "redirect_suggested",
        "signposted",
        "could_not_reach",
        "completed",
    ]
    how: Literal["phone", "meeting", "email"]
    on: date
    told_to: str
    said_by: str = ""
    owner: str = ""
    text: str = ""
    reason: str = ""
    next_step: str = ""
    next_date: date | None = None


_REQUEST: TypeAdapter[HeardRequest] = TypeAdapter(HeardRequest)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.post("/v1/deliveries/{delivery_id}/heard", status_code=201, openapi_extra=_BODY)
async def heard(request: Request, delivery_id: str) -> Reply:
    """Record an answer that came outside the hub: it counts, the clocks stop, and the service gets a copy."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    said = body.parse(raw, _REQUEST)
    found = tuple(_faults(said, london_date(hub.now.business())))
    if found:
        raise Malformed(body.MALFORMED, found)
    author = await callers.author_once(request, who, raw)
    answer = Answer(
        state=AnswerState(said.state),
        owner=said.owner or said.said_by,
        text=said.text,
        reason=said.reason,
        next_step=said.next_step,
        next_date=said.next_date,
    )
    item = Heard(
        delivery_id=delivery_id,
        partner_id=who.partner,
        client_id=who.client_id,
        answer=answer,
        how=said.how,
        said_by=said.said_by,
        told_to=said.told_to,
        on=said.on,
        business=hub.now.business(),
        wall=hub.now.wall(),
        author=hub.vault.digest("author", f"{who.partner}|{author.subject}"),
        role=author.role,
    )
    await hub.writer.run(hub.record_heard, item)
    return Reply({"delivery": delivery_id, "state": said.state}, status_code=201)


def _faults(said: HeardRequest, today: date) -> Iterator[Fault]:
    """The same rules as for a share's own words: what is written down here is shown and sent on just as they are."""
    if said.on > today:
        yield Fault("/on", "must not be in the future")
    yield from line("/told_to", said.told_to, required=True)
    for name in ("said_by", "owner", "reason"):
        yield from line(f"/{name}", getattr(said, name))
    for name in ("text", "next_step"):
        yield from prose(f"/{name}", getattr(said, name), FIELD_TEXT)
