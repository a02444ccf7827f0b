"""What follows a share: a later fact, a correction, an answer to a service's question, a pause (R19, R40, R41, R42)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.earlier import plan_is_old
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.check import later
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import Conflict, Fault, Malformed, NotFound
from hub.domain.share import Section
from hub.security.authors import author_replayed
from hub.services.decide import Sender
from hub.services.further import FORGOTTEN, ConsentMoved, Further, FurtherPlan, Telling
from hub.services.keep_further import (
    KeepFurther,
    further_preview,
    further_receipt,
    keep_further,
    paused_section,
    refuse_further,
)
from hub.services.keep_trusted_person import opened
from hub.services.pack import place, unpack
from hub.services.refusals import NothingMayGo
from hub.services.remember import OneTime, remember
from hub.services.submit import Kept
from hub.services.terms import plan_named
from hub.services.withdraw import NOT_FOUND
from hub.store.read_further import paused_sections
from hub.store.read_share import kept_reply, read_share
from hub.store.read_trust import read_link

router = APIRouter()
_STRICT: Final = {"extra": "forbid"}
#: Consent may move between the decision and its commit; so often it is decided again.
_TRIES: Final = 5


class Asked(Protocol):
    """A request about a share, as it was read."""

    @property
    def sections(self) -> list[Section]: ...
    def further(self) -> Further: ...
    def names(self) -> Sequence[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class AddendumRequest:
    """A later fact: new sections, and the section of the share that they relate to, if one."""

    __pydantic_config__ = _STRICT

    sections: list[Section]
    relates_to: str = ""

    def further(self) -> Further:
        """Return what is to be told."""
        return Further(DeliveryKind.ADDENDUM, self.sections, relates_to=self.relates_to)

    def names(self) -> Sequence[tuple[str, str]]:
        """Return the references in it, each with its place."""
        return [("/relates_to", self.relates_to)] if self.relates_to else []


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """What is put right: a section that was sent, and the statement in its place (none: only do not rely on it)."""

    __pydantic_config__ = _STRICT

    corrects: str
    sections: list[Section] = field(default_factory=list)

    def further(self) -> Further:
        """Return what is to be told."""
        return Further(DeliveryKind.CORRECTION, self.sections, corrects=self.corrects)

    def names(self) -> Sequence[tuple[str, str]]:
        """Return the references in it, each with its place."""
        return [("/corrects", self.corrects)]


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """The answer to the question on one delivery; `also` names other services, who see what was agreed for them."""

    __pydantic_config__ = _STRICT

    delivery: str
    sections: list[Section]
    also: list[str] = field(default_factory=list)

    def further(self) -> Further:
        """Return what is to be told."""
        return Further(DeliveryKind.REPLY, self.sections, delivery=self.delivery, also=self.also)

    def names(self) -> Sequence[tuple[str, str]]:
        """Return the references in it, each with its place."""
        return [("/delivery", self.delivery), *((f"/also/{n}", each) for n, each in enumerate(self.also))]


@dataclass(frozen=True, slots=True)
class PauseRequest:
    """A statement to be checked with the person: it goes in nothing more until it is corrected (R40)."""

    __pydantic_config__ = _STRICT

    section: str

    @property
    def sections(self) -> list[Section]:
        """Nothing new is told."""
        return []

    def further(self) -> Further:
        """Return what is to be told."""
        return Further(DeliveryKind.CORRECTION, corrects=self.section, checking=True)

    def names(self) -> Sequence[tuple[str, str]]:
        """Return the references in it, each with its place."""
        return [("/section", self.section)]


_SHAPES: Final[dict[str, TypeAdapter[Any]]] = {
    "addenda": TypeAdapter(AddendumRequest),
    "corrections": TypeAdapter(CorrectionRequest),
    "replies": TypeAdapter(ReplyRequest),
    "pauses": TypeAdapter(PauseRequest),
}


def _body(which: str) -> dict[str, Any]:
    schema = _SHAPES[which].json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post("/v1/shares/{share_id}/addenda", status_code=202, openapi_extra=_body("addenda"))
async def add(request: Request, share_id: str) -> Reply:
    """Tell a later fact to every service of a share that the person agreed may see it."""
    return await _tell(request, share_id, "addenda")


@router.post("/v1/shares/{share_id}/corrections", status_code=202, openapi_extra=_body("corrections"))
async def correct(request: Request, share_id: str) -> Reply:
    """Put a statement right with all who got it; where consent has ended they hear only not to rely on it."""
    return await _tell(request, share_id, "corrections")


@router.post("/v1/shares/{share_id}/replies", status_code=202, openapi_extra=_body("replies"))
async def reply(request: Request, share_id: str) -> Reply:
    """Answer a service's question, once; others may see the answer only where the person agreed."""
    return await _tell(request, share_id, "replies")


@router.post("/v1/shares/{share_id}/pauses", status_code=202, openapi_extra=_body("pauses"))
async def pause(request: Request, share_id: str) -> Reply:
    """Say that a statement is being checked with the person: whoever has it is told, and it goes in nothing later."""
    return await _tell(request, share_id, "pauses")


@router.post("/v1/shares/{share_id}/addenda/preview", openapi_extra=_body("addenda"))
async def show_addendum(request: Request, share_id: str) -> Reply:
    """Show who would see what of a later fact, byte for byte, and keep nothing."""
    return await _show(request, share_id, "addenda")


@router.post("/v1/shares/{share_id}/corrections/preview", openapi_extra=_body("corrections"))
async def show_correction(request: Request, share_id: str) -> Reply:
    """Show who would hear what of a correction, byte for byte, and keep nothing."""
    return await _show(request, share_id, "corrections")


@router.post("/v1/shares/{share_id}/replies/preview", openapi_extra=_body("replies"))
async def show_reply(request: Request, share_id: str) -> Reply:
    """Show who would see what of an answer, byte for byte, and keep nothing."""
    return await _show(request, share_id, "replies")


async def _tell(request: Request, share_id: str, which: str) -> Reply:
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = callers.author(request, who, raw)
    asked = _parse(hub, raw, which)
    with request.app.state.in_flight.hold(who.partner, key):
        sender, once = callers.sender(request, who, found), callers.one_time(found)
        said = hashlib.sha256(f"{which}|{share_id}|".encode() + raw).hexdigest()
        answer = await _again(hub, who.partner, key, said, once)
        if answer is None:
            answer = await _keep(hub, share_id, asked.further(), sender, key, said, once)
    return Reply(answer, status_code=202)


async def _again(hub: Hub, partner_id: str, key: str, said: str, once: OneTime) -> dict[str, Any] | None:
    """A repeat of what was accepted gets its first answer, whatever has become of consent or the question since."""
    key_digest = hub.vault.digest("idempotency", f"{partner_id}|{key}")
    kept = await hub.read(kept_reply, partner_id, key_digest, hub.vault.digest("body", said))
    if kept is None or kept["data_key"] is None:
        return None
    if not await hub.writer.run(remember, once):
        raise author_replayed()
    return _opened(hub, Kept(kept["share_id"], kept["reply"], kept["data_key"]))


def _contacts(hub: Hub, sender: Sender) -> tuple[str, ...]:
    """Who looks at it first where a choice was marked as not safe: the champion, and the safeguarding contact."""
    safeguarding = hub.directory.safeguarding
    return (sender.partner.champion.id, *((safeguarding.contact.id,) if safeguarding else ()))


async def _keep(  # noqa: PLR0913 - what one commit needs
    hub: Hub, share_id: str, further: Further, sender: Sender, key: str, said: str, once: OneTime
) -> dict[str, Any]:
    """Plan and commit; what was agreed may move in between, and then it is planned again."""
    key_digest = hub.vault.digest("idempotency", f"{sender.partner.id}|{key}")
    for _ in range(_TRIES):
        planned = await _plan(hub, share_id, further, sender, key)
        record_id = planned.telling.record.consents[0]["record_id"]
        item = KeepFurther(
            planned,
            record_id,
            key_digest,
            hub.vault.digest("body", said),
            further_receipt(planned, hub.directory),
            once,
            planned.business,
            hub.now.wall(),
            _contacts(hub, sender),
        )
        try:
            if not planned.parts and not planned.ring:
                await hub.writer.run(refuse_further, item)
                raise NothingMayGo(planned.refused)
            result: KeepFurther | Kept = await hub.writer.run(keep_further, item)
        except ConsentMoved:
            continue
        return result.receipt if isinstance(result, KeepFurther) else _opened(hub, result)
    raise ConsentMoved


def _opened(hub: Hub, kept: Kept) -> dict[str, Any]:
    if kept.data_key is None:
        raise Conflict(FORGOTTEN)
    return unpack(hub.vault.unwrap(kept.data_key).open(kept.reply, place("replies", "reply", kept.share_id)))


async def _show(request: Request, share_id: str, which: str) -> Reply:
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    found = await callers.author_once(request, who, raw)
    asked = _parse(hub, raw, which)
    planned = await _plan(hub, share_id, asked.further(), callers.sender(request, who, found), key)
    attested = callers.attestation(request, who, found)
    await callers.note_read(request, "share.previewed", f"client:{who.client_id}", share_id, **attested)
    return Reply(further_preview(planned, hub.directory))


async def _plan(hub: Hub, share_id: str, further: Further, sender: Sender, key: str) -> FurtherPlan:
    record = await hub.read(read_share, share_id, sender.partner.id)
    if record is None:
        raise NotFound(NOT_FOUND)
    paused = await hub.read(paused_sections, share_id)
    named = plan_named(Telling(record, hub.vault).kept)
    further = replace(further, plan_stale=await plan_is_old(hub, sender.partner.id, named))
    ids = {*(section.id for section in further.sections), further.corrects}
    held = frozenset(each for each in ids if each and paused_section(hub.vault, share_id, each) in paused)
    seed = hub.vault.digest("submission", f"{sender.partner.id}|{key}")
    share = record.share
    link = opened(await hub.read(read_link, share["partner_id"], share["trusted_person"], share["person"]), hub.vault)
    return hub.furthers.plan(record, further, sender, seed, hub.now.business(), hub.now.wall(), held, link)


def _parse(hub: Hub, raw: bytes, which: str) -> Asked:
    asked: Asked = body.parse(raw, _SHAPES[which])
    found = tuple(_faults(hub, asked, which))
    if found:
        raise Malformed(body.MALFORMED, found)
    return asked


def _faults(hub: Hub, asked: Asked, which: str) -> Iterator[Fault]:
    yield from later(asked.sections, asked.names(), hub.now.business())
    if which in {"addenda", "replies"} and not asked.sections:
        yield Fault("/sections", "must not be empty")
