"""Pull: a partner that cannot be called fetches its own parcels, says that it has them, and answers (R73)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.answer_note import about
from hub.domain.check import FIELD_TEXT, line, prose
from hub.domain.errors import Fault, Malformed, NotFound
from hub.security.clients import Caller
from hub.services.claim import LEASE_GRACE, Claim, Claimed, claim
from hub.services.fetched import Answered, Fetched
from hub.services.pack import place
from hub.services.withdraw import NOT_FOUND

router = APIRouter()

#: How long a partner's system has to say that it has what it fetched, before it is offered again.
HAS_TO_ACKNOWLEDGE = timedelta(minutes=5)
_MOST = 20
_SCOPE = "pull"

Of = Annotated[str, Query(description="the service whose parcels are fetched, by its id")]
Limit = Annotated[int, Query(description="how many at once", ge=1, le=_MOST)]


@dataclass(frozen=True, slots=True)
class AcknowledgeRequest:
    """That a parcel is safe: the attempt it came with, what the partner calls it, and whether it was opened (L2)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    attempt: Annotated[int, Field(ge=1, le=1_000_000)]
    receipt: str = ""
    opened: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """What the service says, in the hub's words; the return clause cuts it before it travels on (R21)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - as above

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
    owner: str = ""
    text: str = ""
    reason: str = ""
    next_step: str = ""
    next_date: date | None = None
    check_with_person: bool = False
    do_not_tell_yet: bool = False


_ACKNOWLEDGE: TypeAdapter[AcknowledgeRequest] = TypeAdapter(AcknowledgeRequest)
_ANSWER: TypeAdapter[AnswerRequest] = TypeAdapter(AnswerRequest)


def _taking(shape: TypeAdapter[Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": shape.json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


@router.get("/v1/deliveries")
async def fetch(request: Request, service: Of = "", limit: Limit = 10) -> Reply:
    """Hand over what is due for one service: a send begins here, under living consent, as with any other (R12).

    What is not acknowledged in time is offered again under the same key, with a higher attempt.
    """
    hub, who = callers.hub_of(request), callers.caller(request, _SCOPE)
    connection = _connections(hub, who).get(service)
    if connection is None:
        raise NotFound(NOT_FOUND)
    wanted = Claim(connection, limit, hub.now.wall(), hub.now.business(), HAS_TO_ACKNOWLEDGE - LEASE_GRACE)
    claimed = await hub.writer.run(claim, wanted)
    for each in claimed:
        actor = f"client:{who.client_id}"
        await callers.note_read(request, "delivery.fetched", actor, each.share_id, each.delivery_id)
    return Reply({"deliveries": [_shown(hub, each) for each in claimed], "more": len(claimed) == limit})


@router.post("/v1/deliveries/{delivery_id}/acknowledge", openapi_extra=_taking(_ACKNOWLEDGE))
async def acknowledge(request: Request, delivery_id: str) -> Reply:
    """Say that a parcel is safe with the partner: L1, and L2 where somebody or something there has opened it."""
    hub, who = callers.hub_of(request), callers.caller(request, _SCOPE)
    body.require_json(request)
    said = body.parse(await body.read_raw(request), _ACKNOWLEDGE)
    if found := tuple(line("/receipt", said.receipt)):
        raise Malformed(body.MALFORMED, found)
    connections = frozenset(_connections(hub, who).values())
    level = Level.L2 if said.opened else Level.L1
    now = hub.now.wall(), hub.now.business()
    await hub.writer.run(
        hub.acknowledge_fetched, Fetched(delivery_id, connections, said.attempt, said.receipt, level, *now)
    )
    return Reply({"delivery": delivery_id, "level": level.name})


@router.post("/v1/deliveries/{delivery_id}/answers", status_code=201, openapi_extra=_taking(_ANSWER))
async def answer(request: Request, delivery_id: str) -> Reply:
    """Take what the service says of a parcel that its system fetched; it proves that the parcel arrived.

    The reply names the fields that it lacks, and those that were held back from whoever asked (R21, R35).
    """
    hub, who = callers.hub_of(request), callers.caller(request, _SCOPE)
    body.require_json(request)
    said = body.parse(await body.read_raw(request), _ANSWER)
    if found := tuple(_faults(said)):
        raise Malformed(body.MALFORMED, found)
    given = Answer(
        AnswerState(said.state),
        owner=said.owner,
        text=said.text,
        reason=said.reason,
        next_step=said.next_step,
        next_date=said.next_date,
        check_with_person=said.check_with_person,
        do_not_tell_yet=said.do_not_tell_yet,
    )
    connections, key = frozenset(_connections(hub, who).values()), callers.idempotency_key(request)
    now = hub.now.wall(), hub.now.business()
    kept = await hub.writer.run(hub.answer_fetched, Answered(delivery_id, connections, given, who.client_id, key, *now))
    told = {"asked": list(kept.asked), "held_back": list(kept.held_back), "words": about(kept.asked, kept.held_back)}
    return Reply({"delivery": delivery_id, "state": said.state, **told}, status_code=201)


def _connections(hub: Hub, who: Caller) -> dict[str, str]:
    """The services that this client acts for, and the connection of each that is fetched; all else is not found."""
    services = hub.serves.get(who.client_id, frozenset())
    return {
        each.id: each.connection
        for each in hub.directory.services.values()
        if each.id in services and hub.enabled[each.connection].manifest.transport == "pull"
    }


def _shown(hub: Hub, claimed: Claimed) -> dict[str, Any]:
    data_key = hub.vault.unwrap(claimed.data_key)
    content = data_key.open(claimed.parcel, place("deliveries", "parcel", claimed.delivery_id))
    return {
        "id": claimed.delivery_id,
        "attempt": claimed.attempt,
        "key": claimed.key,
        "case": claimed.case,
        "kind": claimed.kind,
        "address": claimed.address,
        "content_type": claimed.content_type,
        "content": base64.b64encode(content).decode(),
        "acknowledge_by": (claimed.claimed_at + HAS_TO_ACKNOWLEDGE).isoformat(),
    }


def _faults(said: AnswerRequest) -> Iterator[Fault]:
    for name in ("owner", "reason"):
        yield from line(f"/{name}", getattr(said, name))
    for name in ("text", "next_step"):
        yield from prose(f"/{name}", getattr(said, name), FIELD_TEXT)
