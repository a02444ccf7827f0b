"""Trusted people: a partner's system says whom a person chose; nothing here lists, finds or picks anybody (R01)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.check import LISTED, at_most, line, reference_fault
from hub.domain.errors import Fault, Malformed
from hub.domain.share import Person, RoleContact
from hub.domain.trusted_person import NOT_CHOSEN
from hub.services.keep_trusted_person import Keeping, link_key

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Cover:
    """Whom the person named to hear what comes back while this one is away: by your own reference of them (R07)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    reference: str
    on: date
    how: Literal["spoken", "written", "signed"]
    nothing_suggests_unsafe: bool


@dataclass(frozen=True, slots=True)
class TrustedPersonRequest:
    """One person's choice: of what kind, by what name, what about, who may read answers, and until when.

    `topics` are purposes, none for all of them. `not_safe` is never shown to anybody.
    """

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    person: Person
    kind: Literal["person", "group", "place", "service", "organisation"]
    name: str
    contact: RoleContact
    chosen_by_person: bool
    topics: list[str] = field(default_factory=list)
    can_see: list[str] = field(default_factory=list)
    withhold_author: bool = False
    not_safe: bool = False
    until: date | None = None
    cover: Cover | None = None


_REQUEST: TypeAdapter[TrustedPersonRequest] = TypeAdapter(TrustedPersonRequest)
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.put("/v1/trusted-people/{reference}", openapi_extra=_BODY)
async def keep(request: Request, reference: str) -> Reply:
    """Keep whom a person chose, by your own references; the same again changes nothing. Sending needs no such entry."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    said = body.parse(raw, _REQUEST)
    if not said.chosen_by_person:
        raise Malformed(NOT_CHOSEN)
    if found := tuple(_faults(reference, said)):
        raise Malformed(body.MALFORMED, found)
    author = callers.author(request, who, raw)
    key = link_key(hub.vault, who.partner, reference, said.person.reference)
    item = Keeping(
        key,
        _details(said),
        who.client_id,
        hub.vault.digest("author", f"{who.partner}|{author.subject}"),
        hub.now.business(),
        callers.one_time(author),
        _digest(hub, who.partner, said.cover.reference) if said.cover else None,
    )
    hub.links.learn(key, await hub.writer.run(hub.keep_trusted_person, item))
    return Reply({"trusted_person": reference, "words": "We have kept this. Nobody was told."})


def _digest(hub: Hub, partner_id: str, reference: str) -> str:
    return hub.vault.digest("trusted-person", f"{partner_id}|{reference}")


def _details(said: TrustedPersonRequest) -> dict[str, Any]:
    return {
        "kind": said.kind,
        "name": said.name,
        "contact": {"role": said.contact.role, "email": said.contact.email, "phone": said.contact.phone},
        "topics": said.topics,
        "can_see": said.can_see,
        "withhold_author": said.withhold_author,
        "not_safe": said.not_safe,
        "until": said.until.isoformat() if said.until else "",
        **({"cover": [said.cover.reference, said.cover.on.isoformat(), said.cover.how]} if said.cover else {}),
    }


def _faults(reference: str, said: TrustedPersonRequest) -> Iterator[Fault]:
    """The same rules as for a share's own trusted person."""
    yield from reference_fault("", reference)
    yield from reference_fault("/person/reference", said.person.reference)
    yield from line("/name", said.name, required=True)
    yield from line("/contact/role", said.contact.role, required=True)
    yield from line("/contact/email", said.contact.email)
    yield from line("/contact/phone", said.contact.phone)
    if said.cover is not None:
        yield from cover_faults("/cover", said.cover, reference)
    for name in ("topics", "can_see"):
        listed = getattr(said, name)
        yield from at_most(f"/{name}", listed, LISTED)
        for index, each in enumerate(listed[:LISTED]):
            yield from line(f"/{name}/{index}", each, required=True)


def cover_faults(pointer: str, cover: Cover, reference: str) -> Iterator[Fault]:
    """A cover is somebody else, of whom the worker says what they say of any choice (R04)."""
    yield from reference_fault(f"{pointer}/reference", cover.reference)
    if cover.reference == reference:
        yield Fault(f"{pointer}/reference", "must be somebody else")
    if not cover.nothing_suggests_unsafe:
        yield Fault(f"{pointer}/nothing_suggests_unsafe", "ring your champion first; if someone is in danger, ring 999")
