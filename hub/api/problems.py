"""Problems: how the hub's errors look over HTTP (RFC 9457), with a next step and whose fault it is; no value echoed."""

from __future__ import annotations

from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hub.domain.errors import (
    Conflict,
    Fault,
    Forbidden,
    HubError,
    Malformed,
    NotFound,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from hub.services.receipt import refused
from hub.services.refusals import NothingMayGo, SafeguardingRoute

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final[tuple[tuple[type[HubError], int], ...]] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
    (Malformed, 422),
)

#: Types whose status differs from that of their kind (the Idempotency-Key draft; RFC 9110).
_OWN_STATUS: Final = {
    "already-sent": 409,
    "idempotency-key-missing": 400,
    "idempotency-key-malformed": 400,
    "idempotency-key-reused": 422,
    "body-not-json": 400,
    "body-too-large": 413,
    "body-type": 415,
}

_HTTP: Final[dict[int, Refusal]] = {
    404: Refusal("not-found", "There is nothing here.", "Check the address against /openapi.json."),
    405: Refusal("method-not-allowed", "This address does not take that method.", "See the Allow header."),
}


class Problem(JSONResponse):
    """A problem+json reply."""

    media_type = MEDIA_TYPE


def problem(
    refusal: Refusal, status: int, faults: tuple[Fault, ...] = (), headers: dict[str, str] | None = None, **more: Any
) -> Problem:
    """Return the reply for a refusal; `faults` name what is wrong by JSON pointer."""
    body: dict[str, Any] = {
        "type": f"/problems/{refusal.type}",
        "title": refusal.title,
        "status": status,
        "next_step": refusal.next_step,
        "origin": refusal.origin,
    }
    if refusal.pointer:
        body["pointer"] = refusal.pointer
    if refusal.link:
        body["link"] = refusal.link
    if faults:
        body["faults"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults]
    return Problem(body | more, status_code=status, headers={"cache-control": "no-store"} | (headers or {}))


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _defect)


def status_of(error: HubError) -> int:
    """Return the HTTP status of one of the hub's errors."""
    if isinstance(error, NothingMayGo) and error.incomplete:
        return 422
    own = _OWN_STATUS.get(error.refusal.type)
    return own or next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


async def _hub_error(_: Request, error: Exception) -> Problem:
    assert isinstance(error, HubError)
    status = status_of(error)
    more: dict[str, Any] = {}
    if isinstance(error, SafeguardingRoute):
        more["safeguarding"] = error.safeguarding
    if isinstance(error, NothingMayGo):
        more["refused"] = refused(error.refused)
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    if status == 503 or (status == 409 and not error.refusal.link):
        headers["retry-after"] = "1"
    return problem(error.refusal, status, error.faults, headers, **more)


async def _http_error(_: Request, error: Exception) -> Problem:
    assert isinstance(error, HTTPException)
    refusal = _HTTP.get(error.status_code) or Refusal(
        "request-refused", "This request cannot be taken.", "Check it against /openapi.json."
    )
    return problem(refusal, error.status_code, headers=dict(error.headers or {}))


async def _validation_error(_: Request, error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    # Only names from our own schema, never what was sent.
    faults = tuple(
        Fault("/" + "/".join(str(part) for part in each["loc"]), each["type"].replace("_", " "))
        for each in error.errors()
    )
    refusal = Refusal("request-malformed", "Part of this request cannot be read.", "Check it against /openapi.json.")
    return problem(refusal, 422, faults)


async def _defect(request: Request, error: Exception) -> Problem:
    log.error("api.defect", path=getattr(request.scope.get("route"), "path", ""), error=type(error).__name__)
    refusal = Refusal(
        "hub-fault",
        "Something went wrong in the hub.",
        "Nothing you sent was wrong. Send it again with the same Idempotency-Key. If it happens again, ring the people "
        "who run the hub.",
        origin="hub",
    )
    return problem(refusal, 500)
