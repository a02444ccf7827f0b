"""Who is calling: the client by its access token, the worker by the partner's signed assertion (R60)."""

from __future__ import annotations

import re
from typing import Final, cast

from fastapi import Request

from hub.bootstrap import Hub
from hub.domain.errors import Forbidden, Malformed, Refusal
from hub.security.authors import Author, author_replayed, read_author
from hub.security.clients import Caller
from hub.services.decide import Sender
from hub.services.remember import OneTime, remember

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

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
    return who


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


def one_time(found: Author) -> OneTime:
    """Return what to commit so that an assertion works once."""
    return OneTime(found.once.kind, found.once.token, found.once.until)


def sender(request: Request, who: Caller, found: Author) -> Sender:
    """Return who is sending, for the services."""
    return Sender(hub_of(request).directory.partners[who.partner], who.client_id, found.subject)


def idempotency_key(request: Request) -> str:
    """Return the Idempotency-Key; raises `Malformed` when it is missing or cannot be used."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise Malformed(_KEY_MISSING)
    if not _KEY.fullmatch(key):
        raise Malformed(_KEY_MALFORMED)
    return key
