"""A council's children's system to try the connectors against: forms over REST, outcomes by signed callback."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run

#: Ids are made from keys, so that a system that crashed knows its own contacts again.
NAMES = uuid.UUID("3d0d7c52-1f3a-4f38-9f0e-8b8b0a3e5c44")
FORMS = ("/contacts", "/information", "/panel-referrals")
#: What each form must hold; a contact without a source cannot be counted, a panel reads the CERA by its number.
NEEDED = {
    "/contacts": ("source", "person", "contact"),
    "/information": ("openOn", "person", "contact"),
    "/panel-referrals": ("pathway", "person", "contact"),
}
#: Fields that would carry what a CERA says; the panel's form takes none of them.
NEVER = frozenset({"cera", "assessment", "riskAssessment"})


class ChildrensSystem:
    """What it takes, what it says, and how it tells the hub."""

    def __init__(self, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        self._callback_url: str = settings.get("callback_url", "")
        self._secret: str = settings.get("callback_secret", "")
        self._records: bool = settings.get("records_at_once", True)
        routes = [Route("/sandbox/say", self._say, methods=["POST"])]
        for form in FORMS:
            routes += [
                Route(form, self._taking(form), methods=["POST"]),
                Route(form, self._look_up, methods=["GET"]),
                Route(f"{form}/{{of}}/notes", self._take_note, methods=["POST"]),
                Route(f"{form}/{{of}}/notes", self._look_up, methods=["GET"]),
            ]
        self.sandbox = Sandbox(
            "childrens-lcs",
            routes,
            ledger=surroundings.ledger,
            issuer=surroundings.issuer(),
            slow_seconds=settings.get("slow_seconds", 2.0),
        )

    def _taking(self, form: str) -> Callable[[Request], Any]:
        async def take(request: Request) -> Response:
            return await self._take_as(request, lambda sent: _wrong(form, sent))

        return take

    async def _take_note(self, request: Request) -> Response:
        of = request.path_params["of"]
        return await self._take_as(request, lambda sent: self._wrong_note(of, sent))

    async def _take_as(self, request: Request, wrong: Callable[[Any], str]) -> Response:
        self._require(request)
        key = request.headers.get("idempotency-key", "")
        if not key:
            return _problem(400, "idempotency-key-missing")

        def accept(body: bytes, _: Behaviour) -> Verdict:
            earlier = self.sandbox.ledger.find(key)
            if earlier is not None:
                same = JSONResponse(self._shown(earlier), 200)
                conflict = JSONResponse({"code": "conflict", "idempotencyKey": key}, 409)
                return Verdict(same if earlier.body == body else conflict, effect=False)
            fault = _fault(body, wrong)
            if fault:
                return Verdict(_problem(422, fault), effect=False)
            entry = Entry(datetime.now(UTC).timestamp(), key, "", request.url.path, body, {}, 201, effect=True)
            return Verdict(JSONResponse(self._shown(entry), 201 if self._records else 202), effect=True)

        return await self.sandbox.take(
            request,
            key=key,
            accept=accept,
            refuse=lambda _: _problem(422, "form-closed"),
            lie=lambda _: JSONResponse({"id": str(uuid.uuid4()), "idempotencyKey": str(uuid.uuid4())}, 201),
        )

    def _wrong_note(self, of: str, sent: Any) -> str:
        if self.sandbox.ledger.find(of) is None:
            return "no-such-contact"
        return "" if isinstance(sent, dict) and sent.get("followsKey") == of else "note-names-another"

    def _shown(self, entry: Entry) -> dict[str, Any]:
        """A form as the interface shows it; a panel's has a status of its own from the start."""
        shown: dict[str, Any] = {"id": str(uuid.uuid5(NAMES, entry.key)), "idempotencyKey": entry.key}
        if self._records:
            shown["recordedAt"] = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds")
        return shown | ({"status": "WITH_PANEL"} if entry.path == "/panel-referrals" else {})

    async def _look_up(self, request: Request) -> Response:
        self._require(request)
        found = self.sandbox.ledger.find(request.query_params.get("idempotencyKey", ""))
        here = found is not None and found.path == request.url.path
        return JSONResponse({"found": [self._shown(found)] if found and here else []})

    async def _say(self, request: Request) -> Response:
        wanted = await request.json()
        known = self.sandbox.ledger.find(wanted.get("key", ""))
        if known is None:
            return _problem(404, "no-such-contact")
        said = {name: wanted[name] for name in ("outcomes", "comments", "team", "doNotTellYet") if name in wanted}
        message_id = wanted.get("messageId") or f"msg_{uuid.uuid4().hex}"
        status = await self._tell(self._shown(known) | said, message_id)
        return JSONResponse({"status": status, "messageId": message_id})

    async def _tell(self, said: dict[str, Any], message_id: str) -> int:
        """Send the signed callback; returns the hub's HTTP status, 0 where nobody answered."""
        if not self._callback_url:
            return 0
        body, at = json.dumps(said, ensure_ascii=False), datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(message_id, at, body),
        }
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                return (await client.post(self._callback_url, content=body.encode(), headers=headers)).status_code
        except httpx.HTTPError:
            return 0

    def _require(self, request: Request) -> None:
        if self.sandbox.issuer is not None:
            self.sandbox.issuer.require(request)


def _fault(body: bytes, wrong: Callable[[Any], str]) -> str:
    try:
        return wrong(json.loads(body))
    except ValueError:
        return "not-json"


def _wrong(form: str, sent: Any) -> str:
    """Name the first rule that a form breaks; empty when it breaks none."""
    if not isinstance(sent, dict) or not sent.get("reference"):
        return "reference-missing"
    if NEVER & set(sent):
        return "more-than-its-number"
    missing = [name for name in NEEDED[form] if not sent.get(name)]
    return f"{missing[0]}-missing" if missing else ""


def _problem(status: int, code: str) -> Response:
    return JSONResponse({"code": code}, status)


def make(surroundings: Surroundings) -> Sandbox:
    """Make the children's system from its surroundings."""
    return ChildrensSystem(surroundings).sandbox


if __name__ == "__main__":
    run(make)
