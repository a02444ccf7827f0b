"""Callbacks: what partners send us is proved, kept sealed, and acknowledged; a host reads it afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import Response

from hub.api import body, callers
from hub.bootstrap import Hub
from hub.domain.errors import HubError, NotFound, Refusal, Unauthenticated, Unavailable
from hub.partnership import Enabled
from hub.security.callbacks import Callback, verify_callback
from hub.security.tokens import UntrustedError, unverified_issuer
from hub.services.read_inbox import pack_message
from hub.services.receive import Message
from hub.services.remember import OneTime
from hub.services.withdraw import NOT_FOUND
from hub.store.read_share import owners

router = APIRouter()

#: What a connector may need of a request's head; credentials stay behind.
_KEPT_HEADERS: Final = ("content-type", "webhook-id", "x-request-id", "x-correlation-id")
_FHIR: Final = "application/fhir+json; version=1.4.0"
_CODES: Final = "https://fhir.nhs.uk/Codesystem/http-error-codes"
#: An answer may be nested as deep as its publisher likes; this is what keeps a reader's stack safe.
_MOST_LEVELS: Final = 64
_LONGEST_NAME: Final = 200
_NO_PARTNER: Final = Refusal(
    "callback-unproved",
    "Nothing proves which partner sent this",
    "Send a bearer token that your own key signed, with the issuer that is registered for you.",
    "receiver",
)
_ONLY_ANSWERS: Final = Refusal(
    "message-not-supported",
    "This hub takes a servicerequest-response here, and no other message",
    "Send an answer to one of the hub's own requests; to share something with it, use /v1/shares.",
    "receiver",
)


class _Noted:
    """Notes one-time tokens instead of committing them, so that they are committed with the message itself (TH11)."""

    def __init__(self) -> None:
        self.noted: list[OneTime] = []

    def first_time(self, kind: str, token: str, until: datetime) -> bool:
        """Note it; the commit decides."""
        self.noted.append(OneTime(kind, token, until))
        return True


@router.post("/v1/callbacks/{connection_id}", status_code=202)
async def callback(request: Request, connection_id: str) -> Response:
    """Take a partner's message: 202 once it is kept; the same message twice is kept once."""
    hub = callers.hub_of(request)
    enabled = hub.enabled.get(connection_id)
    if enabled is None or enabled.manifest.callback_auth == "none" or enabled.manifest.transport == "bars":
        raise NotFound(NOT_FOUND)
    raw = await body.read_raw(request, enabled.manifest.limits.reply_bytes)
    await hub.writer.run(hub.receive, _proved(hub, enabled, request, raw))
    return Response(status_code=202)


@router.post("/fhir/R4/$process-message")
async def process_message(request: Request) -> Response:
    """Take a BaRS message: a response to one of our requests is kept and acknowledged with its Bundle (BaRS 1.4)."""
    hub = callers.hub_of(request)
    try:
        claimed = _by_issuer(hub, request)
        raw = await body.read_raw(request, max(each.manifest.limits.reply_bytes for each in claimed))
        proved = _proved_by(hub, claimed, request, raw)  # before anything else of it is read
        event, answers = _header(body.load(raw, _MOST_LEVELS))
        if event != "servicerequest-response":
            return _outcome(request, 422, "REC_UNPROCESSABLE_ENTITY", "not-supported", _ONLY_ANSWERS)
        message = await _for_owner(hub, proved, answers)
        await hub.writer.run(hub.receive, message)
    except Unauthenticated as error:
        return _outcome(request, 401, "REC_UNAUTHORIZED", "security", error.refusal)
    except Unavailable as error:
        return _outcome(request, 503, "REC_SERVICE_UNAVAILABLE", "transient", error.refusal)
    except HubError as error:
        if error.refusal is body.TOO_LARGE:
            # The code list has none of its own for this; partners go by the status and the issue.
            return _outcome(request, 413, "REC_UNPROCESSABLE_ENTITY", "too-long", error.refusal)
        return _outcome(request, 400, "REC_BAD_REQUEST", "structure", error.refusal)
    return Response(raw, headers=_mirrored(request), media_type=_FHIR)


def _proved(hub: Hub, enabled: Enabled, request: Request, raw: bytes) -> Message:
    """The message, ready to be kept, once its proof holds; raises `Unauthenticated`."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    connection_id = enabled.connection.id
    peer = request.client.host if request.client else ""
    wall, noted = hub.now.wall(), _Noted()
    proof = Callback(connection_id, headers, raw, peer)
    kind = enabled.manifest.callback_auth
    assert kind != "none"
    message_id = verify_callback(kind, proof, enabled.callback_keys, wall, noted)
    if not raw:  # a notice that something changed says nothing that could be the same twice: each is looked into
        message_id = uuid4().hex
    kept: dict[str, str] = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    return Message(
        connection_id,
        hub.vault.digest("message", f"{connection_id}|{message_id}"),
        pack_message(kept, raw),
        tuple(noted.noted),
        wall,
    )


def _by_issuer(hub: Hub, request: Request) -> list[Enabled]:
    """The connections whose partner says it is calling; their keys then decide."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        issuer = unverified_issuer(token) if scheme.lower() == "bearer" else ""
    except UntrustedError:
        issuer = ""
    bars = [enabled for enabled in hub.enabled.values() if enabled.manifest.transport == "bars"]
    found = [enabled for enabled in bars if issuer and enabled.callback_keys.issuer == issuer]
    if not found:
        raise Unauthenticated(_NO_PARTNER)
    return found


def _proved_by(hub: Hub, claimed: list[Enabled], request: Request, raw: bytes) -> list[Message]:
    """The message as each connection whose keys prove it would keep it; raises `Unauthenticated` where none does."""
    proved, refused = [], Unauthenticated(_NO_PARTNER)
    for enabled in claimed:
        try:
            if len(raw) <= enabled.manifest.limits.reply_bytes:
                proved.append(_proved(hub, enabled, request, raw))
        except Unauthenticated as error:
            refused = error
    if not proved:
        raise refused
    # The proof is used up for all of them: it must not be good for one connection after another (TH11).
    used = tuple(token for message in proved for token in message.once)
    return [replace(message, once=used) for message in proved]


async def _for_owner(hub: Hub, proved: list[Message], answers: str) -> Message:
    """The message for the connection that owns what it answers, where one partner has several; else for the first."""
    if len(proved) == 1:
        return proved[0]
    ids = [message.connection_id for message in proved]
    owning = await hub.read(owners, ids, answers, hub.vault.digest("receipt", answers))
    return next((message for message in proved if message.connection_id in owning), proved[0])


def _header(bundle: Any) -> tuple[str, str]:
    """A message Bundle's event and what it answers, read leniently: the publishers' own samples are not valid R4."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "MessageHeader":
            coding = resource.get("eventCoding")
            response = resource.get("response")
            code = coding.get("code") if isinstance(coding, dict) else None
            answers = response.get("identifier") if isinstance(response, dict) else None
            return code if isinstance(code, str) else "", _name(answers)
    return "", ""


def _name(value: Any) -> str:
    """What can be looked for: a text that is whole."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_NAME else ""


def _outcome(request: Request, status: int, code: str, issue: str, refusal: Refusal) -> Response:
    """What is wrong as FHIR says it, with the next step as its diagnostics."""
    one = {
        "severity": "error",
        "code": issue,
        "details": {"coding": [{"system": _CODES, "code": code}]},
        "diagnostics": f"{refusal.title.rstrip('.')}. {refusal.next_step}",
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [one]}
    return Response(json.dumps(outcome), status, _mirrored(request), _FHIR)


def _mirrored(request: Request) -> Mapping[str, str]:
    return {name: request.headers[name] for name in ("x-request-id", "x-correlation-id") if name in request.headers}
