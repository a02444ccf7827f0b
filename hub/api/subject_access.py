"""A subject-access export: all that the hub holds of one share, what is about somebody else kept apart (R67)."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request

from hub.api import body, callers
from hub.api.reply import Reply
from hub.api.shares import is_theirs, reads_as
from hub.domain.errors import NotFound
from hub.services.report import report
from hub.services.subject_access import subject_access
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import read_share

router = APIRouter()


@router.get("/v1/shares/{share_id}/subject-access")
async def export(request: Request, share_id: str) -> Reply:
    """Export what the hub holds of a share, for a person who asks for it; what is about somebody else stands apart."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    actor = f"client:{who.client_id}"
    attested: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    if request.headers.get("author-assertion") is not None:  # as for any read
        found = await callers.author_once(request, who, await body.read_raw(request))
        attested, groups = callers.attestation(request, who, found), found.groups
    record = await hub.read(read_share, share_id, who.partner)
    if record is None or not is_theirs(request, who.partner, record):
        await callers.note_read(request, "subject_access.read_refused", actor, share_id, why="not-found", **attested)
        raise NotFound(NOT_FOUND)
    await callers.note_read(request, "subject_access.read", actor, share_id, **attested)
    if (whose := reads_as(request, who.partner)) is None:
        record = replace(record, absences=())  # whoever answers such a request does not wait for a trusted person
    seen = report(record, hub.directory, hub.vault, hub.now.business(), groups, "", whose)
    return Reply(subject_access(record, seen, hub.vault, hub.library))
