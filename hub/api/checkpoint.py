"""The newest checkpoint of the audit log: whoever keeps one can tell later whether the log was changed (TH13)."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request

from hub.api import callers
from hub.api.reply import Reply
from hub.domain.errors import Refusal, Unavailable

router = APIRouter()

_NONE_YET: Final = Refusal(
    "checkpoint-none-yet",
    "The audit log has not been sealed yet.",
    "Ask again in a minute. If it goes on, ring the people who run the hub.",
    origin="hub",
)


@router.get("/v1/checkpoint")
async def newest(request: Request) -> Reply:
    """Give the newest checkpoint: keep it, and `hub audit verify` can hold any later log against it."""
    callers.caller(request)
    checkpoint = callers.hub_of(request).sealer.newest
    if checkpoint is None:
        raise Unavailable(_NONE_YET)
    return Reply(checkpoint.document())
