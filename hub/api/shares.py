"""Shares: send one, preview one, see what became of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.check import faults
from hub.domain.errors import Conflict, Malformed, NotFound, Refusal
from hub.domain.share import Share
from hub.services.decide import Sender
from hub.services.pack import place, unpack
from hub.services.plan import Plan, agreements, derive_ids, plan
from hub.services.receipt import preview, receipt
from hub.services.refusals import AgreementWithdrawn, NothingMayGo, ReferenceTaken
from hub.services.remember import OneTime
from hub.services.report import report
from hub.services.submit import Acceptance, Kept, accept, prepare, refuse
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import kept_reply, read_share, withdrawn_agreements

router = APIRouter()
SHARE: TypeAdapter[Share] = TypeAdapter(Share)

#: Drawing a speakable reference that is taken again and again would mean that the hub holds millions of shares.
_DRAWS = 8

_IN_FLIGHT = Refusal(
    "idempotency-key-in-flight",
    "A request with this Idempotency-Key is being worked on.",
    "Wait a moment and send it again with the same key.",
)
_NOTHING_ADDRESSED = Refusal(
    "share-for-nobody", "This share is for nobody.", "Name at least one service, with what the person agreed for it."
)

_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": SHARE.json_schema()}}}}


class InFlight:
    """The idempotency keys that this process is working on, so that a twin waits for the first one's answer."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, partner_id: str, key: str) -> Iterator[None]:
        """Hold a key while its request is worked on; raises `Conflict` when it is held already."""
        name = (partner_id, key)
        if name in self._keys:
            raise Conflict(_IN_FLIGHT)
        self._keys.add(name)
        try:
            yield
        finally:
            self._keys.discard(name)


@router.post("/v1/shares", status_code=202, openapi_extra=_BODY)
async def submit(request: Request) -> Reply:
    """Send a share: 202 with a verdict for each service, only after it is kept; 403 when no service may have it."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = callers.author(request, who, raw)
    share = _parse(hub, raw)
    with request.app.state.in_flight.hold(who.partner, key):
        sender = callers.sender(request, who, found)
        answer = await _keep(hub, share, sender, key, raw, callers.one_time(found))
    return Reply(answer, status_code=202)


async def _keep(  # noqa: PLR0913 - what one commit needs
    hub: Hub, share: Share, sender: Sender, key: str, raw: bytes, once: OneTime
) -> dict[str, Any]:
    """Plan, seal and commit; a speakable reference that is taken is drawn again."""
    digest = hashlib.sha256(raw).hexdigest()
    salt, withdrawn = 0, frozenset[str]()
    while salt < _DRAWS:
        planned = _plan(hub, share, sender, key, withdrawn, salt)
        try:
            acceptance = prepare(planned, hub.vault, hub.directory, hub.now.wall(), key, digest, receipt(planned), once)
        except NothingMayGo as refusal:
            return await _nothing(hub, planned, key, digest, refusal)
        try:
            result: Acceptance | Kept = await hub.writer.run(accept, acceptance)
        except ReferenceTaken:
            salt += 1
            continue
        except AgreementWithdrawn as ended:
            withdrawn |= ended.services
            continue
        return result.receipt if isinstance(result, Acceptance) else _opened(hub, result)
    raise RuntimeError("no free reference was drawn")


async def _nothing(hub: Hub, planned: Plan, key: str, digest: str, refusal: NothingMayGo) -> dict[str, Any]:
    """A repeat of what was accepted still gets its first answer, although consent may have ended since."""
    partner_id = planned.sender.partner.id
    key_digest = hub.vault.digest("idempotency", f"{partner_id}|{key}")
    kept = await hub.read(kept_reply, partner_id, key_digest, hub.vault.digest("body", digest))
    if kept is not None:
        return _opened(hub, Kept(kept["share_id"], kept["reply"], kept["data_key"]))
    await hub.writer.run(refuse, planned)
    raise refusal


def _opened(hub: Hub, kept: Kept) -> dict[str, Any]:
    return unpack(hub.vault.unwrap(kept.data_key).open(kept.reply, place("replies", "reply", kept.share_id)))


def _plan(  # noqa: PLR0913 - what one decision needs
    hub: Hub, share: Share, sender: Sender, key: str, withdrawn: frozenset[str] = frozenset(), salt: int = 0
) -> Plan:
    ids = derive_ids(hub.vault, sender.partner.id, key, salt)
    return plan(share, sender, ids, hub.directory, hub.library, hub.now.business(), hub.calendar, withdrawn)


def _parse(hub: Hub, raw: bytes) -> Share:
    share = body.parse(raw, SHARE)
    found = faults(share, hub.now.business())
    if found:
        raise Malformed(body.MALFORMED, found)
    if not share.addressed:
        raise Malformed(_NOTHING_ADDRESSED)
    return share


@router.post("/v1/shares/preview", openapi_extra=_BODY)
async def show(request: Request) -> Reply:
    """Show who would see what, byte for byte, and keep nothing. Send the Idempotency-Key you will submit with."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = await callers.author_once(request, who, raw)
    share = _parse(hub, raw)
    agreed = agreements(hub.vault, who.partner, share)
    ended = await hub.read(withdrawn_agreements, list(agreed.values()))
    withdrawn = frozenset(service_id for service_id, agreement in agreed.items() if agreement in ended)
    planned = _plan(hub, share, callers.sender(request, who, found), key, withdrawn)
    return Reply(preview(planned))


@router.get("/v1/shares/{share_id}")
async def read(request: Request, share_id: str) -> Reply:
    """See who has it, since when, who owns it and what they said, in plain words."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    record = await hub.read(read_share, share_id, who.partner)
    if record is None:
        raise NotFound(NOT_FOUND)
    answer = report(record, hub.directory, hub.vault, hub.now.business())
    return Reply(answer)
