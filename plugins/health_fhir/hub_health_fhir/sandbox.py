"""A BaRS receiver behind an API platform, as a process of its own: `python -m hub_health_fhir.sandbox`."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID, uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run
from hub_health_fhir import headers, lookups
from hub_health_fhir.callbacks import Message, dig
from hub_health_fhir.replies import DECISIONS, FAULTS, assigned, fault_of, is_valid, operation_outcome, response_message

#: A target value such as NHS0001-503 or NHS0001-409-conflict asks for that error, as the standard's own sandbox does.
SIMULATED = re.compile(r"-(\d{3})(?:-([a-z-]+))?$")
#: Header -> the FHIR resource type inside; None for the target identifier, which is no resource.
ENCODED = {
    "nhsd-target-identifier": None,
    "nhsd-end-user-organisation": "Organization",
    "nhsd-requesting-software": "Device",
}
USE_CONTEXT = re.compile(r"^[^|\s]+(\|[^|\s]+){3}$")
VERSION = re.compile(r"version=1\.(\d)\.\d")
ASSERTION_SECONDS = 240
KEYS: dict[str, type[ECKey] | type[RSAKey]] = {"ES256": ECKey, "RS512": RSAKey, "PS256": RSAKey}


class Receiver:
    """The receiving service: checks, dedupes, assigns ids, and later says what it decided."""

    def __init__(self, around: Surroundings, crash: Callable[[], NoReturn] | None = None) -> None:
        self._settings = around.settings
        routes = [
            Route("/metadata", self._metadata, methods=["GET"]),
            Route("/MessageDefinition", self._definitions, methods=["GET"]),
            Route("/ServiceRequest", self._referrals, methods=["GET"]),
            Route("/$process-message", self._process, methods=["POST"]),
            Route("/$process-message", self._post_only, methods=["GET", "PUT", "PATCH", "DELETE"]),
            Route("/sandbox/say", self._say, methods=["POST"]),
            Route("/sandbox/asked", self._show_asked, methods=["POST"]),
        ]
        self._asked: list[dict[str, Any]] = []  #: each question: where, and with which headers
        self._said: dict[str, str] = {}  #: the status that the service gave a case's referral
        self._ledger = around.ledger
        self._issuer = around.issuer()
        slow = float(self._settings.get("slow_seconds", 2.0))
        self.sandbox = Sandbox(
            "bars", routes, ledger=around.ledger, issuer=self._issuer, slow_seconds=slow, crash=crash
        )

    async def _metadata(self, request: Request) -> Response:
        """Serve a capability statement; `metadata_file` in the settings names another, such as the publisher's own."""
        refusal, _ = self._ask(request, "metadata")
        if refusal:
            return refusal
        file = self._settings.get("metadata_file")
        if file:
            return Response(Path(file).read_bytes(), media_type=headers.FHIR_JSON, headers=_mirrored(request))
        return _fhir(lookups.STATEMENT, request)

    async def _definitions(self, request: Request) -> Response:
        """Say which messages the service takes; `definitions_file` in the settings names another list."""
        refusal, service = self._ask(request, "definitions")
        if refusal:
            return refusal
        if f"{headers.DOS}|{service}" not in request.query_params.getlist("context"):
            return _fhir(operation_outcome(400, "required", "context"), request, 400)
        file = self._settings.get("definitions_file")
        if file:
            return Response(Path(file).read_bytes(), media_type=headers.FHIR_JSON, headers=_mirrored(request))
        return _fhir(lookups.definitions(service), request)

    async def _referrals(self, request: Request) -> Response:
        """Say how the referrals of a reference stand."""
        refusal, _ = self._ask(request, "referrals")
        if refusal:
            return refusal
        reference = request.query_params.get("ServiceRequest.identifier", "")
        return _fhir(lookups.referrals(reference, self._ledger.effects(), self._said), request)

    def _ask(self, request: Request, question: str) -> tuple[Response | None, str]:
        """Note a question and check it as a message is checked; returns a refusal, or None, and the service meant.

        The capability statement alone may be asked for without a target.
        """
        self._asked.append({"path": request.url.path, "query": request.url.query, "headers": dict(request.headers)})
        if refusal := self._unproved(request):
            return refusal, ""
        named = "nhsd-target-identifier" in request.headers or question != "metadata"
        fault = _header_fault(request, targeted=named)
        service = str(_decoded(request, "nhsd-target-identifier").get("value")) if named else ""
        if asked_for := lookups.simulated(question, service):
            fault = (*asked_for, "")
        if fault:
            retry = {"retry-after": "7"} if fault[0] in {429, 503} else {}
            return _fhir(operation_outcome(*fault), request, fault[0], retry), service
        return None, service

    async def _show_asked(self, _request: Request) -> Response:
        for each in self._asked:
            each["headers"].pop("authorization", None)
        return JSONResponse({"asked": self._asked})

    async def _post_only(self, request: Request) -> Response:
        reply = _fhir(operation_outcome(405), request, 405)
        reply.headers["allow"] = "POST"
        return reply

    async def _process(self, request: Request) -> Response:
        """Take a message: credentials, then headers, then the receiver's own judgement."""
        if refusal := self._unproved(request):
            return refusal
        fault = _header_fault(request)
        if fault:
            return _fhir(operation_outcome(*fault), request, fault[0])
        service = str(_decoded(request, "nhsd-target-identifier").get("value"))
        key = request.headers["x-request-id"]

        def accept(body: bytes, behaviour: Behaviour) -> Verdict:
            return self._judge(request, key, service, body, behaviour)

        return await self.sandbox.take(
            request,
            key=key,
            case=request.headers["x-correlation-id"],
            accept=accept,
            refuse=lambda _body: _fhir(operation_outcome(422), request, 422),
            lie=lambda body: _fhir(assigned(json.loads(body)), request),
        )

    def _judge(self, request: Request, key: str, service: str, body: bytes, behaviour: Behaviour) -> Verdict:
        """Dedupe first, then check, then take it (BaRS transactional integrity)."""
        if not lookups.SIMULATED.search(service) and (simulated := SIMULATED.search(service)):
            status = int(simulated[1]) if int(simulated[1]) in FAULTS else 500
            retry = {"retry-after": "7"} if status in {429, 503} else {}
            return Verdict(_fhir(operation_outcome(status, simulated[2] or ""), request, status, retry), effect=False)
        before = self._ledger.find(key)
        if before is not None:
            issue = "duplicate" if before.body == body else "conflict"
            return Verdict(_fhir(operation_outcome(409, issue), request, 409), effect=False)
        try:
            message = Message.parse(body)
        except ValueError:
            return Verdict(_fhir(operation_outcome(400, "structure"), request, 400), effect=False)
        if fault := fault_of(message, service):
            return Verdict(_fhir(operation_outcome(*fault), request, fault[0]), effect=False)
        reply = _fhir(assigned(message.bundle), request)
        if self._settings.get("decide") == "later" and behaviour is not Behaviour.SILENT:
            decided = {"decision": "accepted", "owner": self._settings.get("owner", "Duty clinician")}
            reply.background = BackgroundTask(self._answer, message.bundle, decided)
        return Verdict(reply, effect=True)

    def _unproved(self, request: Request) -> Response | None:
        """Refuse a caller without a live token; a sandbox without client keys asks for none."""
        if self._issuer is None:
            return None
        try:
            self._issuer.require(request)
        except HTTPException:
            return _fhir(operation_outcome(401), request, 401)
        return None

    async def _say(self, request: Request) -> Response:
        """Answer a message now; replies with what the hub made of it."""
        said = await request.json()
        entry = self._taken(str(said.get("key")))
        if entry is None or said.get("decision") not in DECISIONS:
            return JSONResponse({"error": "key or decision", "decisions": list(DECISIONS)}, 404)
        self._said[entry.case] = DECISIONS[said["decision"]][0]
        status, reply = await self._answer(json.loads(entry.body), said)
        return JSONResponse({"status": status, "reply": reply})

    def _taken(self, bundle_id: str) -> Entry | None:
        """Find what was taken by its Bundle.id."""
        return next((e for e in self._ledger.effects() if dig(json.loads(e.body), "id") == bundle_id), None)

    async def _answer(self, original: dict[str, Any], said: dict[str, Any]) -> tuple[int, str]:
        """POST a response message to the hub's `$process-message`; returns its status and body (0: no reply)."""
        url = self._settings["callback_url"]
        message = response_message(original, said, datetime.now(UTC))
        assert is_valid(message)
        sent = {
            "accept": headers.ACCEPT,
            "content-type": headers.FHIR_JSON,
            "authorization": f"Bearer {self._assertion(url)}",
            "nhsd-target-identifier": headers.target(str(self._settings.get("sender_service_id", "0"))),
            "nhsd-end-user-organisation": headers.organisation("X26", "Sandbox service"),
            "nhsd-requesting-software": headers.software("https://sandbox.example/Id/device", "1", "BaRS sandbox", "1"),
            "use-context": "a1t1|referral|servicerequest-response|new",
            "x-request-id": str(said.get("message_id") or uuid4()),
            "x-correlation-id": self._case(original),
        }
        try:
            async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
                reply = await client.post(url, content=json.dumps(message, ensure_ascii=False).encode(), headers=sent)
        except httpx.HTTPError:
            return 0, ""
        return reply.status_code, reply.text

    def _case(self, original: dict[str, Any]) -> str:
        """The correlation id of the case: the request's own (BaRS: the same for the whole case)."""
        entry = self._taken(str(original.get("id")))
        return entry.case if entry else str(uuid4())

    def _assertion(self, audience: str) -> str:
        """Prove who we are to the hub, with the partner's own key."""
        algorithm = self._settings.get("alg", "RS512")
        key = KEYS[algorithm].import_key(Path(self._settings["key_file"]).read_bytes())
        issued = int(time.time())
        claims = {
            "iss": self._settings["issuer"],
            "aud": audience,
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
            "jti": str(uuid4()),
        }
        kid = self._settings.get("kid")
        header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {})
        return jwt.encode(header, claims, key, algorithms=[algorithm])


def _header_fault(request: Request, *, targeted: bool = True) -> tuple[int, str, str] | None:
    """Check the headers of BaRS 1.4, or what 1.2 and 1.3 ask of them; returns status, issue code and what is wrong."""
    accepted = VERSION.search(request.headers.get("accept", ""))
    if not accepted:
        return 406, "processing", "accept"
    older = accepted[1] in {"2", "3"}
    for name in ("x-request-id", "x-correlation-id"):
        try:
            UUID(request.headers.get(name, ""))
        except ValueError:
            return 400, "required", name
    for name, kind in ENCODED.items():
        if name not in request.headers and ((older and kind) or (not targeted and kind is None)):
            continue
        value = _decoded(request, name)
        if value.get("resourceType") != kind or (kind is None and value.get("system") != headers.DOS):
            return 400, "structure", name
    stated = request.headers.get("use-context")
    if not USE_CONTEXT.match(stated or "") and not (older and stated is None):
        return 400, "required", "use-context"
    return None


def _decoded(request: Request, name: str) -> dict[str, Any]:
    """Read a base64 header; an empty object when it is not base64 of one."""
    try:
        value = json.loads(base64.b64decode(request.headers.get(name, ""), validate=True))
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _mirrored(request: Request) -> dict[str, str]:
    """Both ids, as the receiver sends them back."""
    return {name: request.headers.get(name, "") for name in ("x-request-id", "x-correlation-id")}


def _fhir(
    document: dict[str, Any], request: Request, status: int = 200, more: dict[str, str] | None = None
) -> Response:
    """Reply with a FHIR document and both ids mirrored back."""
    return JSONResponse(document, status, headers=_mirrored(request) | (more or {}), media_type=headers.FHIR_JSON)


def make(around: Surroundings) -> Sandbox:
    """Make the sandbox for a process."""
    return Receiver(around).sandbox


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    run(make, argv)


if __name__ == "__main__":
    main()
