"""Services: who can act, what they may be sent, and what they ask for first."""

from __future__ import annotations

from fastapi import APIRouter, Request

from hub.api import callers
from hub.api.reply import Reply

router = APIRouter()


@router.get("/v1/services")
async def services(request: Request) -> Reply:
    """List the services of the partnership; a listing is never permission to send (R58)."""
    hub = callers.hub_of(request)
    callers.caller(request)
    listed = [
        {
            "id": service.id,
            "name": service.name,
            "organisation": hub.directory.partners[service.partner].name,
            "purposes": service.purposes,
            "area": service.area,
            "phone": service.phone,
            "can_receive": sorted(str(each) for each in route.connection.accepts),
            "asks_for": list(dict.fromkeys(fact.name for fact in route.connection.facts)),
        }
        for service in hub.directory.services.values()
        if (route := hub.directory.route(service.id)) is not None
    ]
    return Reply({"services": listed})
