"""Who is calling: the client by its access token, the worker by the partner's signed assertion (R60)."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from fastapi import Request

from hub.bootstrap import Hub
from hub.domain.errors import Forbidden, Malformed, NotFound, Refusal, Unauthenticated
from hub.domain.override import Second
from hub.security.authors import Author, author_replayed, read_author
from hub.security.clients import Caller
from hub.services.decide import Sender
from hub.services.ports import attested
from hub.services.record_read import Read, record_read
from hub.services.remember import OneTime, remember
from hub.services.withdraw import NOT_FOUND

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ID = re.compile(r"[0-9a-f]{32}")

_SCOPE = Refusal(
    "scope-missing",
    "This client may not do that.",
    "Ask the partnership to add the scope to the client's registration.",
)
_KEY_MISSING: Final = Refusal(
    "idempotency-key-missing",
    "There is no Idempotency-Key.",
    "Send a new random Idempotency-Key for each share, and the same one when you send it again.",
)
_KEY_MALFORMED: Final = Refusal(
    "idempotency-key-malformed",
    "This Idempotency-Key cannot be used.",
    "Use 1 to 255 printable characters without spaces, such as a UUID.",
)


def hub_of(request: Request) -> Hub:
    """Return the hub that serves this request."""
    return cast("Hub", request.app.state.hub)


def caller(request: Request, scope: str = "share") -> Caller:
    """Return the authenticated client; raises `Unauthenticated` or `Forbidden`."""
    hub = hub_of(request)
    who = hub.tokens.verify_access_token(request.headers.get("authorization"), hub.now.wall())
    if scope not in who.scopes:
        raise Forbidden(_SCOPE)
    refuse_nul(request)
    return who


def refuse_nul(request: Request) -> None:
    """Raise `NotFound` for an id or query with a NUL in it: nothing of ours has one, and PostgreSQL cannot ask."""
    if any("\x00" in each for each in (*request.path_params.values(), *request.query_params.values())):
        raise NotFound(NOT_FOUND)


def author(request: Request, who: Caller, body: bytes) -> Author:
    """Return the worker that the partner attests for exactly this body; its use once is the caller's to commit."""
    hub = hub_of(request)
    client = hub.clients(who.client_id)
    assert client is not None  # the access token was checked against it a moment ago
    audience = hub.configuration.hub.public_url.rstrip("/")
    return read_author(request.headers.get("author-assertion"), client, body, hub.now.wall(), audience)


async def author_once(request: Request, who: Caller, body: bytes) -> Author:
    """Return the worker, with the assertion's one use committed (TH11)."""
    found = author(request, who, body)
    if not await hub_of(request).writer.run(remember, one_time(found)):
        raise author_replayed()
    return found


def second_author(request: Request, who: Caller, body: bytes) -> Author | None:
    """Return another worker whom the partner attests for exactly this body; None where that is not proved (R23)."""
    hub = hub_of(request)
    client = hub.clients(who.client_id)
    audience = hub.configuration.hub.public_url.rstrip("/")
    try:
        assert client is not None  # as above
        return read_author(request.headers.get("second-author-assertion"), client, body, hub.now.wall(), audience)
    except Unauthenticated:
        return None


def one_time(found: Author) -> OneTime:
    """Return what to commit so that an assertion works once."""
    return OneTime(found.once.kind, found.once.token, found.once.until)


def sender(request: Request, who: Caller, found: Author, second: Author | None = None) -> Sender:
    """Return who is sending, for the services; `second` is who agrees to an override (R23)."""
    partner, also = hub_of(request).directory.partners[who.partner], None
    if second is not None:
        also = Second(second.subject, second.role)
    return Sender(partner, who.client_id, found.subject, found.role, also)


def attestation(request: Request, who: Caller, found: Author) -> dict[str, str]:
    """Return what the audit log says of a worker: a keyed hash, the role, and which partner attests both (R60)."""
    return attested(who.partner, hub_of(request).vault.digest("author", f"{who.partner}|{found.subject}"), found.role)


async def note_read(
    request: Request,
    action: str,
    actor: str,
    share_id: str | None = None,
    delivery_id: str | None = None,
    **detail: Any,
) -> None:
    """Commit that something is read, before it is shown; an id that cannot be one of ours is not repeated (TH12)."""
    hub = hub_of(request)
    share_id = share_id if share_id and _ID.fullmatch(share_id) else None
    await hub.writer.run(record_read, Read(action, actor, hub.now.business(), share_id, delivery_id, detail))


def idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key; raises `Malformed` when it is missing or cannot be used."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Malformed(_KEY_MISSING)
    if not _KEY.fullmatch(key):
        raise Malformed(_KEY_MALFORMED)
    return key
