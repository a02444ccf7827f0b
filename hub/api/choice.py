"""The choice of trusted person: say, of a share that waits, that a champion has looked at it too (R04)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.api.shares import SHARE, earlier_reply, opened_reply, planned_from_books
from hub.bootstrap import Hub
from hub.domain.check import line
from hub.domain.errors import Conflict, Forbidden, Malformed, NotFound
from hub.domain.share import Choice
from hub.domain.trusted_person import CHOICE_UNSAFE, NOT_WAITING
from hub.security.authors import author_replayed
from hub.services.death import DIED
from hub.services.decide import Sender
from hub.services.hold_share import opened_hold
from hub.services.keep_trusted_person import LinkChanged
from hub.services.look_together import unsure
from hub.services.receipt import receipt
from hub.services.refusals import AgreementEnded, NothingMayGo
from hub.services.release_share import prepare_release, release
from hub.services.remember import OneTime, remember
from hub.services.submit import Acceptance, Kept, Refused, refuse
from hub.services.withdraw import NOT_FOUND
from hub.store.read_trust import read_held

router = APIRouter()

#: What is decided anew each time that consent or choice changed under it; more often than this nobody changes them.
_TRIES = 8


@dataclass(frozen=True, slots=True)
class ChoiceRequest:
    """The worker's statement, now that it was looked at together."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    discussed_with: str
    nothing_suggests_unsafe: bool


_REQUEST: TypeAdapter[ChoiceRequest] = TypeAdapter(ChoiceRequest)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.post("/v1/shares/{share_id}/choice", status_code=202, openapi_extra=_BODY)
async def say_safe(request: Request, share_id: str) -> Reply:
    """Let a share go that waits for your champion: it is decided anew now; its clocks run from when it was sent."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    asked = body.parse(raw, _REQUEST)
    if found := tuple(line("/discussed_with", asked.discussed_with, required=True)):
        raise Malformed(body.MALFORMED, found)
    author = callers.author(request, who, raw)
    if not asked.nothing_suggests_unsafe:
        raise Forbidden(CHOICE_UNSAFE)
    choice = Choice(asked.discussed_with, nothing_suggests_unsafe=True)
    with request.app.state.in_flight.hold(who.partner, key):
        # Bound to its share: the same key and body for another one are not the same request.
        digest = hashlib.sha256(share_id.encode() + b"\0" + raw).hexdigest()
        sender = callers.sender(request, who, author)
        once, answer = callers.one_time(author), await earlier_reply(hub, who.partner, key, digest)
        if answer is None:
            answer = await _release(hub, share_id, choice, sender, key, digest, once)
        elif not await hub.writer.run(remember, once):
            raise author_replayed()
    return Reply(answer, status_code=202)


async def _release(  # noqa: PLR0913 - what one commit needs
    hub: Hub, share_id: str, choice: Choice, sender: Sender, key: str, digest: str, once: OneTime
) -> dict[str, Any]:
    """Decide anew, seal and commit; a choice that is marked as not safe gets the words it got before."""
    row = await hub.read(read_held, share_id, sender.partner.id)
    if row is None:
        raise NotFound(NOT_FOUND)
    if row["died_at"] is not None:
        raise Conflict(DIED)
    if not row["body"] or row["data_key"] is None:
        raise Conflict(NOT_WAITING)
    waiting = opened_hold(row, hub.vault)
    share = replace(body.parse(waiting.raw, SHARE), choice=choice)
    for _ in range(_TRIES):
        planned = await planned_from_books(hub, share, sender, waiting.ids, waiting.sent_at)
        wall, directory = hub.now.wall(), hub.directory
        words = receipt(planned, directory.safeguarding, hub.sealer.newest, directory.unchecked)
        try:
            item = prepare_release(planned, hub.vault, hub.directory, wall, waiting.data_key, key, digest, words, once)
            result: Acceptance | Kept = await hub.writer.run(release, item)
        except NothingMayGo:
            await hub.writer.run(refuse, Refused(planned, unsure(planned, hub.vault, wall)))
            raise
        except (AgreementEnded, LinkChanged):
            continue
        return result.receipt if isinstance(result, Acceptance) else opened_reply(hub, result)
    raise RuntimeError("what was agreed kept changing")
