"""Services: who can act, what they may be sent, and what they ask for first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from hub.api import callers
from hub.api.reply import Reply
from hub.services.list_services import list_services
from hub.services.publish_services import publish_services

router = APIRouter()

Need = Annotated[str, Query(description="only those that act on this need: one of `purposes`")]
Area = Annotated[str, Query(description="only those that act in this area, by its code")]
Page = Annotated[int, Query(ge=1, le=10_000, description="which page, from 1")]
PerPage = Annotated[int, Query(ge=1, le=100, description="how many services a page holds")]


@router.get("/v1/services")
async def services(request: Request, need: Need = "", area: Area = "") -> Reply:
    """List the services of the partnership; a listing is never permission to send (R58)."""
    hub = callers.hub_of(request)
    who = callers.caller(request)
    return Reply(list_services(hub.directory, hub.directory.partners[who.partner], need, area))


@router.get("/v1/services/open-referral")
async def open_referral(request: Request, page: Page = 1, per_page: PerPage = 50) -> Reply:
    """List the same services as Open Referral UK 3.0 writes them; a listing is never permission to send (R58)."""
    hub = callers.hub_of(request)
    callers.caller(request)
    return Reply(publish_services(hub.directory, page, per_page))
