"""Tokens: the hub's own OAuth 2 token endpoint, and the keys that verify what it signs."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request

from hub.api import body, callers
from hub.api.reply import Reply

router = APIRouter()
_MOST = 20_000


@router.post("/oauth/token")
async def token(request: Request) -> Reply:
    """Give an access token for a client's signed assertion (private_key_jwt); errors as RFC 6749 5.2 has them."""
    hub = callers.hub_of(request)
    raw = await body.read_raw(request, _MOST)
    form = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    # Recording the assertion's one use waits for a commit: in a thread, so that nobody else waits.
    reply = await asyncio.to_thread(hub.tokens.issue, form, hub.now.wall())
    return Reply(reply.body(), status_code=reply.status)


@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> Reply:
    """Give the hub's public keys."""
    return Reply(callers.hub_of(request).keys.current().jwks(), cache="max-age=300")
