"""Ask to be rung, saying nothing of anybody: about someone with no one, what nobody can act on, or someone at risk."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from hub.api import body, callers
from hub.api.page import page
from hub.api.reply import Reply
from hub.bootstrap import Hub
from hub.domain.errors import Conflict, Fault, Malformed, NotFound, Refusal
from hub.domain.ring import Ring, RingKind, RingState, due, is_late, words
from hub.services.list_services import list_services
from hub.services.receipt import whom_to_ring
from hub.services.ring import AskToRing, Gap, PickUp, ask_to_ring, pick_up
from hub.services.withdraw import NOT_FOUND
from hub.store.fetch import Row
from hub.store.read_state import ring as read_ring

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty object: the request holds no data, so that there is none to leak (R09)."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser


@dataclass(frozen=True, slots=True)
class GapRequest:
    """What no service could be found for: a need, as `GET /v1/services` names them or would, and an area's code."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by the strict parser

    need: str
    area: str = ""


_GAP: TypeAdapter[GapRequest] = TypeAdapter(GapRequest)
_GAP_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": _GAP.json_schema()}}}}
#: Codes: too short and too plain for a story.
_NEED: Final = re.compile(r"(?=.{2,60}\Z)[a-z]+(?:-[a-z]+){0,6}")
_AREA: Final = re.compile("[A-Z0-9]{0,12}")
_SOMEBODY_CAN: Final = Refusal(
    "a-service-can-act",
    "A service here can act on this.",
    "Look for it in the list of services for this need and area. Choose one with the person.",
    pointer="/need",
)
_REQUEST: TypeAdapter[Nothing] = TypeAdapter(Nothing)
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": _REQUEST.json_schema()}}}}


@router.post("/v1/please-ring-me", status_code=202, openapi_extra=_BODY)
async def please_ring_me(request: Request) -> Reply:
    """Ask the coordinator, or your champion where there is none, to ring your team about someone (R09)."""
    return await _ask(request, RingKind.PLEASE_RING_ME)


@router.post("/v1/safety-lane", status_code=202, openapi_extra=_BODY)
async def safety_lane(request: Request) -> Reply:
    """Tell the partnership's senior contact at once that someone may be at risk. Ring the numbers first (R23)."""
    return await _ask(request, RingKind.SAFETY)


@router.post("/v1/gaps", status_code=202, openapi_extra=_GAP_BODY)
async def gap(request: Request) -> Reply:
    """Tell the coordinator, or your champion where there is none, that no service here can act on a need (R24)."""
    return await _ask(request, RingKind.PLEASE_RING_ME, _GAP)


@router.get("/v1/gaps/{ring_id}")
async def see_gap(request: Request, ring_id: str) -> Reply:
    """See who was told that no service can act, and whether they have it."""
    return await _see(request, ring_id, RingKind.PLEASE_RING_ME, is_gap=True)


@router.get("/v1/please-ring-me/{ring_id}")
async def see_ring(request: Request, ring_id: str) -> Reply:
    """See whether anybody has picked it up."""
    return await _see(request, ring_id, RingKind.PLEASE_RING_ME)


@router.get("/v1/safety-lane/{ring_id}")
async def see_safety(request: Request, ring_id: str) -> Reply:
    """See whether anybody has picked it up; after 15 minutes it says that nobody has (R23)."""
    return await _see(request, ring_id, RingKind.SAFETY)


async def _ask(request: Request, kind: RingKind, shape: TypeAdapter[Any] = _REQUEST) -> Reply:
    hub = callers.hub_of(request)
    who = callers.caller(request)
    key = callers.idempotency_key(request)
    body.require_json(request)
    raw = await body.read_raw(request)
    author = await callers.author_once(request, who, raw)
    said = body.parse(raw, shape)
    found = _gap(hub, who.partner, said) if isinstance(said, GapRequest) else None
    now = hub.now.business()
    about = "gap" if found else kind
    item = AskToRing(
        id=hub.vault.digest("ring-id", f"{who.partner}|{about}|{key}")[:32],
        kind=kind,
        partner_id=who.partner,
        client_id=who.client_id,
        author=hub.vault.digest("author", f"{who.partner}|{author.subject}"),
        recipient=_recipient(hub, kind, who.partner),
        due_at=due(kind, now, hub.calendar),
        business=now,
        wall=hub.now.wall(),
        gap=found,
    )
    await hub.writer.run(ask_to_ring, item)
    kept = await hub.read(read_ring, item.id)
    assert kept is not None  # it was committed a moment ago
    return Reply(_shown(hub, kept), status_code=202)


def _gap(hub: Hub, partner_id: str, said: GapRequest) -> Gap:
    """Return what is missing; raises `Malformed` for what is no code, and `Conflict` where somebody can act."""
    faults = []
    if not _NEED.fullmatch(said.need):
        faults.append(Fault("/need", "is no code of a need, such as find-somewhere-to-live"))
    if not _AREA.fullmatch(said.area):
        faults.append(Fault("/area", "is no code of an area, such as E07000008"))
    if faults:
        raise Malformed(body.MALFORMED, tuple(faults))
    if list_services(hub.directory, hub.directory.partners[partner_id], said.need, said.area)["services"]:
        raise Conflict(_SOMEBODY_CAN)
    return Gap(said.need, said.area)


def _recipient(hub: Hub, kind: RingKind, partner_id: str) -> str:
    directory = hub.directory
    if kind is RingKind.SAFETY and directory.safeguarding is not None:
        return directory.safeguarding.contact.id
    if kind is RingKind.PLEASE_RING_ME and directory.coordinator is not None:
        return directory.coordinator.id
    return directory.partners[partner_id].champion.id


async def _see(request: Request, ring_id: str, kind: RingKind, *, is_gap: bool = False) -> Reply:
    hub = callers.hub_of(request)
    who = callers.caller(request)
    found = await hub.read(read_ring, ring_id)
    if found is None or found["partner_id"] != who.partner or (found["kind"], _is_gap(found)) != (kind, is_gap):
        raise NotFound(NOT_FOUND)
    return Reply(_shown(hub, found))


def _shown(hub: Hub, row: Row) -> dict[str, Any]:
    now = hub.now.business()
    safety = row["kind"] == RingKind.SAFETY
    return {
        **({"safeguarding": whom_to_ring(hub.directory.safeguarding)} if safety else {}),
        "id": row["id"],
        "state": row["state"],
        "late": is_late(_ring(row), now),
        "words": words(_ring(row), now),
        "asked_at": row["asked_at"].isoformat(timespec="seconds"),
        **({"need": row["need"], "area": row["area"], "told": _told(hub, row)} if _is_gap(row) else {}),
    }


def _is_gap(row: Row) -> bool:
    return row.get("need") is not None


def _told(hub: Hub, row: Row) -> str:
    """Whom the team can ask how it goes: the coordinator, or its own champion (R56)."""
    coordinator, partner = hub.directory.coordinator, hub.directory.partners[row["partner_id"]]
    return coordinator.name if coordinator and coordinator.id == row["recipient"] else partner.champion.name


def _ring(row: Row) -> Ring:
    return Ring(RingKind(row["kind"]), RingState(row["state"]), row["asked_at"], row["due_at"], row["picked_up_at"])


@router.get("/rings/{ring_id}/{proof}", include_in_schema=False)
async def show(request: Request, ring_id: str, proof: str) -> HTMLResponse:
    """Show which team asks to be rung; opening it changes nothing, since scanners of mail open links too."""
    hub = callers.hub_of(request)
    found = await _proved(hub, ring_id, proof)
    return _not_found() if found is None else _page(hub, found)


@router.post("/rings/{ring_id}/{proof}", include_in_schema=False)
async def picked_up(request: Request, ring_id: str, proof: str) -> HTMLResponse:
    """Record that whoever was asked has it."""
    hub = callers.hub_of(request)
    if await _proved(hub, ring_id, proof) is None:
        return _not_found()
    await hub.writer.run(pick_up, PickUp(ring_id, hub.now.business()))
    found = await hub.read(read_ring, ring_id)
    assert found is not None  # it was there a moment ago, and requests are not taken away
    return _page(hub, found)


async def _proved(hub: Hub, ring_id: str, proof: str) -> Row | None:
    known = hmac.compare_digest(hub.vault.digest("ring", ring_id)[:32].encode(), proof.encode())
    return await hub.read(read_ring, ring_id) if known else None


def _page(hub: Hub, row: Row) -> HTMLResponse:
    partner = hub.directory.partners.get(row["partner_id"])
    team = escape(partner.name if partner else "A team that has left the partnership")
    if row["state"] == RingState.PICKED_UP:
        return page("You have this", f"<p>Ring {team}. They can see that you have picked this up.</p>")
    button = '<form method="post"><button type="submit">I have this, and will ring them</button></form>'
    if _is_gap(row):
        where = f" in {escape(row['area'])}" if row["area"] else ""
        looked = f"<p>They looked for a service for: {escape(row['need'])}{where}. No service here can act on it.</p>"
        return page("A team can find no service", f"{looked}<p>Ring {team}.</p>{button}")
    first = "<p><strong>Someone may be at risk.</strong></p>" if row["kind"] == RingKind.SAFETY else ""
    return page("A team asks you to ring", f"{first}<p>Ring {team}. They know who it is about.</p>{button}")


def _not_found() -> HTMLResponse:
    return page("We cannot find this page", "<p>Check that you have the whole link from the email.</p>", status=404)
