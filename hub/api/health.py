"""Health: is the process alive, and can it keep a promise; no ids, no counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request

from hub.api import callers
from hub.api.reply import Reply

router = APIRouter()
_SECONDS = 2.0
#: The relay goes round every second: one that has not for so long finds no work that a lost nudge left behind. The
#: sealer is quicker: while it does not go round, nothing will soon be sent.
_ROUND_SECONDS = 10.0


@router.get("/healthz", include_in_schema=False)
async def healthz() -> Reply:
    """Say that the process answers."""
    return Reply({"status": "ok"})


@router.get("/readyz", include_in_schema=False)
async def readyz(request: Request) -> Reply:
    """Say whether a share could be kept now: the writer commits, the relay goes round, the audit log is sealed."""
    hub = callers.hub_of(request)
    try:
        async with asyncio.timeout(_SECONDS):
            await hub.writer.run(_nothing, None)
        store = True
    except Exception:  # noqa: BLE001 - the boundary of the probe: whatever is wrong, it is not ready
        store = False
    relay = hub.relay.went_round(_ROUND_SECONDS)
    audit = hub.sealer.went_round(_ROUND_SECONDS)
    ready = store and relay and audit
    checks = {"store": store, "relay": relay, "audit": audit, "broker": hub.broker.is_connected}
    return Reply({"ready": ready, **checks}, status_code=200 if ready else 503)


def _nothing(_tx: Any, items: Sequence[None]) -> list[None]:
    return list(items)
