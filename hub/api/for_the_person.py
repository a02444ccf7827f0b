"""The sheet for the person: what was shared and what came back, as a page to read out or print, or as JSON (R70)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from hub.api import body, callers
from hub.api.page import unbranded
from hub.api.reply import Reply
from hub.api.shares import is_theirs, reads_as
from hub.domain import sheet_words as words
from hub.domain.errors import NotFound
from hub.domain.reference import spoken
from hub.partnership import forgetting
from hub.services.report import report
from hub.services.sheet import safer_sheet, sheet
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import read_share

router = APIRouter()


@router.get("/v1/shares/{share_id}/for-the-person")
async def show(request: Request, share_id: str) -> Response:
    """Give the person a sheet: HTML, or JSON where that is asked for. `?safer=true` tells whoever finds it nothing."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    actor = f"client:{who.client_id}"
    attested: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    if request.headers.get("author-assertion") is not None:  # a read need not name its worker, and may
        found = await callers.author_once(request, who, await body.read_raw(request))
        attested, groups = callers.attestation(request, who, found), found.groups
    record = await hub.read(read_share, share_id, who.partner)
    if record is None or not is_theirs(request, who.partner, record):
        await callers.note_read(request, "sheet.read_refused", actor, share_id, why="not-found", **attested)
        raise NotFound(NOT_FOUND)
    safer = request.query_params.get("safer", "false").lower() != "false"  # what is misspelt is meant
    await callers.note_read(request, "sheet.read", actor, share_id, safer=safer, **attested)
    if safer:
        made = safer_sheet(record.share["reference"])
    else:
        seen = report(record, hub.directory, hub.vault, hub.now.business(), groups, "", reads_as(request, who.partner))
        made = sheet(record, seen, hub.vault, forgetting(hub.configuration.partnership))
    accept = request.headers.get("accept", "")
    if "application/json" in accept and "text/html" not in accept:
        return Reply(made)
    return unbranded(escape(made["title"]), "".join(_html(made)))


def _html(made: Mapping[str, Any]) -> Iterable[str]:
    reference = made["reference"]
    yield f'<p>Your reference is:</p><p class="reference">{escape(reference)}</p>'
    yield f"<p>Say: {escape(spoken(reference))}.</p>"
    if "safe_to_keep" in made:
        yield f"<p>{escape(made['safe_to_keep'])}</p>"
    if "sent" in made:
        yield f"<p>This was sent on {escape(made['sent'])}.</p>"
    yield from (f"<p>{escape(line)}</p>" for line in made["words"])
    if made.get("services"):
        yield "<h2>Who was told, and what they said</h2>"
        for service in made["services"]:
            yield from _service(service)
    if "change_your_mind" in made:
        yield f"<h2>If you change your mind</h2><p>{escape(made['change_your_mind'])}</p>"
        yield f"<h2>How long we keep it</h2><p>{escape(made['forgotten'])}</p>"


def _service(service: Mapping[str, Any]) -> Iterable[str]:
    yield f"<h3>{_name(service['name'])}</h3>"
    if service["about"]:
        parts = "".join(f"<li>{_part(each)}</li>" for each in service["about"])
        yield f"<p>{words.TOLD_ABOUT}</p><ul>{parts}</ul>"
    yield from (f'<p dir="auto">{escape(line)}</p>' for line in service["back"])


def _part(part: Mapping[str, str]) -> str:
    said = f'. <span dir="auto">{escape(part["said"])}.</span>' if part["said"] else ""
    return f"{escape(part['what'])}{said}"


def _name(name: str) -> str:
    return f"<bdi>{escape(name)}</bdi>"
