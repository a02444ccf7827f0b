"""Shares: send one, preview one, see what became of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.earlier import what_was_before
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.absence import finds
from hub.domain.calendar import london_date
from hub.domain.check import faults
from hub.domain.errors import Conflict, HubError, Malformed, NotFound, Refusal
from hub.domain.share import Share
from hub.domain.trusted_person import Link
from hub.security.authors import Author
from hub.security.clients import Caller
from hub.services.before import Before
from hub.services.collect import Collect, collect
from hub.services.death import DIED
from hub.services.decide import Sender
from hub.services.keep_trusted_person import LinkChanged, link_key_of, opened
from hub.services.look_together import unsure
from hub.services.override_rows import override_events
from hub.services.pack import place, unpack
from hub.services.plan import Ids, Plan, derive_ids, plan
from hub.services.ports import Row
from hub.services.receipt import only_tried, preview, receipt, whom_to_ring
from hub.services.refusals import (
    FORGOTTEN,
    AgreementEnded,
    NothingMayGo,
    ReferenceTaken,
    SafeguardingRoute,
    nothing_may_go,
)
from hub.services.rehearse import Rehearsal, rehearse
from hub.services.remember import OneTime, remember
from hub.services.report import entry, presence_of, report
from hub.services.sent_before import needs, sent_before
from hub.services.submit import Acceptance, Kept, Refused, accept, prepare, refuse
from hub.services.supersede import agreements, replaced, why_not
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import ShareRecord, earlier_agreements, kept_reply, read_share
from hub.store.read_trust import has_died, read_link, shares_of

router = APIRouter()
SHARE: TypeAdapter[Share] = TypeAdapter(Share)

#: Drawing a speakable reference that is taken again and again would mean that the hub holds millions of shares.
_DRAWS = 8

_IN_FLIGHT = Refusal(
    "idempotency-key-in-flight",
    "A request with this Idempotency-Key is being worked on.",
    "Wait a moment and send it again with the same key.",
)
_FOR_WHOM = Refusal(
    "trusted-person-missing",
    "We need to know whose shares you want to see.",
    "Add ?trusted_person= and your own reference of the trusted person.",
)
#: So many shares at once.
_PAGE = 50
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
        second = _second(request, who, share, raw)
        sender = callers.sender(request, who, found, second)
        answer = await _keep(hub, share, sender, key, raw, callers.one_time(found), second)
    return Reply(answer, status_code=202)


async def _keep(  # noqa: PLR0913 - what one commit needs
    hub: Hub, share: Share, sender: Sender, key: str, raw: bytes, once: OneTime, second: Author | None
) -> dict[str, Any]:
    """Plan, seal and commit; a speakable reference that is taken is drawn again."""
    digest = hashlib.sha256(raw).hexdigest()
    salt, ended = 0, dict[str, Refusal]()
    link_key = link_key_of(hub.vault, sender.partner.id, share)
    try:
        before = await what_was_before(hub, share, sender.partner.id)
    except HubError:
        if (first := await earlier_reply(hub, sender.partner.id, key, digest)) is not None:
            return first
        raise
    while salt < _DRAWS:
        ids = derive_ids(hub.vault, sender.partner.id, key, salt)
        planned = planned_now(hub, share, sender, ids, ended, hub.links.of(link_key), before)
        wall, directory = hub.now.wall(), hub.directory
        if planned.shadows and not planned.parcels:
            return await _try(hub, share, sender, ids, once)
        given = receipt(planned, directory.safeguarding, hub.sealer.newest, directory.unchecked)
        try:
            acceptance = prepare(planned, hub.vault, hub.directory, wall, key, digest, given, once, raw)
        except NothingMayGo as refusal:
            link = opened(await hub.read(read_link, *link_key), hub.vault)
            if link.seen != planned.link.seen:
                hub.links.learn(link_key, link)
                continue
            return await _nothing(hub, planned, key, digest, refusal)
        if second is not None:
            acceptance = replace(acceptance, second=callers.one_time(second))
        try:
            result: Acceptance | Kept = await hub.writer.run(accept, acceptance)
        except ReferenceTaken:
            salt += 1
            continue
        except AgreementEnded as found:
            ended |= found.refusals
            continue
        except LinkChanged as changed:
            hub.links.learn(link_key, opened(changed.row, hub.vault))
            continue
        return result.receipt if isinstance(result, Acceptance) else opened_reply(hub, result)
    raise RuntimeError("no free reference was drawn")


async def _try(hub: Hub, share: Share, sender: Sender, ids: Ids, once: OneTime) -> dict[str, Any]:
    """Everything that passed is for services in shadow mode: it is decided by what is kept, and no share is (R75)."""
    if await hub.read(has_died, sender.partner.id, link_key_of(hub.vault, sender.partner.id, share)[2]):
        raise Conflict(DIED)
    planned = await planned_from_books(hub, share, sender, ids)
    if not planned.shadows:
        raise nothing_may_go(planned.refused)
    await hub.writer.run(rehearse, Rehearsal(planned, once))
    return only_tried(planned, hub.directory.safeguarding)


async def _nothing(hub: Hub, planned: Plan, key: str, digest: str, refusal: NothingMayGo) -> dict[str, Any]:
    """A repeat of what was accepted still gets its first answer, although consent may have ended since."""
    partner_id = planned.sender.partner.id
    kept = await earlier_reply(hub, partner_id, key, digest)
    if kept is not None:
        return kept
    asked = tuple(override_events(planned, hub.vault, None))
    await hub.writer.run(refuse, Refused(planned, unsure(planned, hub.vault, hub.now.wall()), asked))
    if planned.share.at_risk_now:
        raise SafeguardingRoute(planned.refused, whom_to_ring(hub.directory.safeguarding))
    raise refusal


async def earlier_reply(hub: Hub, partner_id: str, key: str, digest: str) -> dict[str, Any] | None:
    """Return what a partner was answered to this key and body, if it sent them before."""
    key_digest = hub.vault.digest("idempotency", f"{partner_id}|{key}")
    kept = await hub.read(kept_reply, partner_id, key_digest, hub.vault.digest("body", digest))
    return None if kept is None else opened_reply(hub, Kept(kept["share_id"], kept["reply"], kept["data_key"]))


def opened_reply(hub: Hub, kept: Kept) -> dict[str, Any]:
    """Return a kept reply as it was given; raises `Conflict` once its share is forgotten."""
    if kept.data_key is None:
        raise Conflict(FORGOTTEN)
    return unpack(hub.vault.unwrap(kept.data_key).open(kept.reply, place("replies", "reply", kept.share_id)))


def planned_now(  # noqa: PLR0913 - what one decision needs
    hub: Hub,
    share: Share,
    sender: Sender,
    ids: Ids,
    ended: Mapping[str, Refusal],
    link: Link,
    before: Before,
    sent_at: datetime | None = None,
) -> Plan:
    """Decide at this moment; `sent_at` is when a share that waited was sent."""
    now = hub.now.business()
    return plan(share, sender, ids, hub.directory, hub.library, now, hub.calendar, ended, link, sent_at, before)


async def planned_from_books(hub: Hub, share: Share, sender: Sender, ids: Ids, sent_at: datetime | None = None) -> Plan:
    """Decide at this moment, by what is kept of earlier agreements and of the choice."""
    partner_id = sender.partner.id
    agreed, replaces = agreements(hub.vault, partner_id, share), replaced(hub.vault, partner_id, share)
    link_key = link_key_of(hub.vault, partner_id, share)
    asked = needs(hub.vault, link_key, share)
    over, known, standing = await hub.read(
        earlier_agreements, list(agreed.values()), list(replaces.values()), list(asked.values())
    )
    ended = sent_before(asked, standing, replaces) | why_not(agreed, replaces, over, known)
    before = await what_was_before(hub, share, partner_id)
    link = opened(await hub.read(read_link, *link_key), hub.vault)
    return planned_now(hub, share, sender, ids, ended, link, before, sent_at)


def _second(request: Request, who: Caller, share: Share, raw: bytes) -> Author | None:
    """Read who else signed it, where an override is asked for of a partnership that adopted a policy (R23)."""
    asked = share.override is not None and callers.hub_of(request).directory.override is not None
    return callers.second_author(request, who, raw) if asked else None


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
    """Show who would see what, byte for byte, and keep nothing of it. Send the Idempotency-Key you will submit with."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = await callers.author_once(request, who, raw)
    share = _parse(hub, raw)
    if await hub.read(has_died, who.partner, link_key_of(hub.vault, who.partner, share)[2]):
        raise Conflict(DIED)
    ids = derive_ids(hub.vault, who.partner, key)
    second = _second(request, who, share, raw)
    if second is not None and not await hub.writer.run(remember, callers.one_time(second)):
        second = None
    planned = await planned_from_books(hub, share, callers.sender(request, who, found, second), ids)
    actor = f"client:{who.client_id}"
    attested = callers.attestation(request, who, found)
    await callers.note_read(request, "share.previewed", actor, planned.ids.share, **attested)
    return Reply(preview(planned, hub.directory.safeguarding))


@router.get("/v1/shares")
async def listed(request: Request) -> Reply:
    """List one trusted person's own shares, newest first: `?trusted_person=` and, for the next page, `&after=`."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    reference, after = request.query_params.get("trusted_person", ""), request.query_params.get("after", "")
    if not reference:
        raise Malformed(_FOR_WHOM)
    trusted_person = hub.vault.digest("trusted-person", f"{who.partner}|{reference}")
    today = london_date(hub.now.business()).isoformat()
    found = await hub.read(shares_of, who.partner, trusted_person, after, _PAGE + 1, today)
    if found is None:
        raise NotFound(NOT_FOUND)
    await callers.note_read(request, "share.listed", f"client:{who.client_id}")
    shown = [entry(row, hub.vault) for row in found[:_PAGE] if not await _unsafe(hub, row, trusted_person)]
    return Reply({"shares": shown, "next": found[_PAGE - 1]["id"] if len(found) > _PAGE else None})


async def _unsafe(hub: Hub, row: Row, reader: str) -> bool:
    """Whether a share is listed for a cover whose choice was marked as not safe since (R04)."""
    if row["trusted_person"] == reader:
        return False
    return opened(await hub.read(read_link, row["partner_id"], reader, row["person"]), hub.vault).not_safe


def reads_as(request: Request, partner_id: str) -> str | None:
    """Return the trusted person that a reader names, as a keyed hash; who names none is the partner's system (R06)."""
    reference = request.query_params.get("trusted_person")
    digest = callers.hub_of(request).vault.digest
    return None if reference is None else digest("trusted-person", f"{partner_id}|{reference}")


def is_theirs(request: Request, partner_id: str, record: ShareRecord) -> bool:
    """Whether a share is the reader's: their own, or one that they cover while its trusted person is away (R07)."""
    hub = callers.hub_of(request)
    there = presence_of(record, hub.vault, hub.now.business())
    return finds(there, record.share["trusted_person"], reads_as(request, partner_id))


@router.get("/v1/shares/{share_id}")
async def read(request: Request, share_id: str) -> Reply:
    """See who has it, since when, who owns it and what they said, in plain words."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    actor = f"client:{who.client_id}"
    attested: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    reader = ""
    if request.headers.get("author-assertion") is not None:  # a read need not name its worker, and may
        found = await callers.author_once(request, who, await body.read_raw(request))
        attested, groups = callers.attestation(request, who, found), found.groups
        reader = hub.vault.digest("author", f"{who.partner}|{found.subject}")
    record = await hub.read(read_share, share_id, who.partner)
    if record is None or not is_theirs(request, who.partner, record):
        await callers.note_read(request, "share.read_refused", actor, share_id, why="not-found", **attested)
        raise NotFound(NOT_FOUND)
    await callers.note_read(request, "share.read", actor, share_id, **attested)
    whose = reads_as(request, who.partner)
    answer = report(record, hub.directory, hub.vault, hub.now.business(), groups, reader, whose)
    waits = any(not each["is_collected"] for answers in record.answers.values() for each in answers)
    if waits and "trusted_person" not in answer:  # what waits for somebody who is not here was not fetched (R07)
        await hub.writer.run(collect, Collect(share_id, hub.now.business()))
    return Reply(answer)
