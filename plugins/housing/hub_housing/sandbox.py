"""A council's housing system to try the connector against: referrals over REST, answers by signed callback."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
from standardwebhooks import Webhook
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.sandbox import Behaviour, Sandbox, Verdict
from hub.sdk.testing.serve import Surroundings, run

#: Ids are made from keys, so that a council that crashed knows its own referrals again.
NAMES = uuid.UUID("6f1a1c0e-54c3-4d0a-9a53-0b7a6b9f7d11")
ENGLISH = re.compile(r"E(06|07|08|09)\d{6}")
#: A sender of Standard Webhooks tries again when its receiver is not there; seconds between tries.
PAUSES = (0.1, 0.4, 1.6, 6.4)
#: What an automatic answer says.
PROMPT_ANSWER = {"status": "ACCEPTED", "outcomeReason": "PREVENTION_AND_RELIEF_DUTY"}
#: What a council says of a referral that it was asked to stop using; nothing else leads out of that.
AFTERWARDS = frozenset({"STOPPED", "KEPT"})
#: What may be said beside a status.
SAYABLE = (
    *("outcomeReason", "withdrawalReason", "outcomeNote", "owner", "nextStep", "nextDate"),
    *("checkWithPerson", "doNotTellYet"),
)


@dataclass(slots=True)
class Referral:
    """One referral as the council holds it."""

    id: str
    key: str
    reference: str
    area: str
    received_at: str
    status: str = "SUBMITTED"

    def shown(self, *, opened: bool = True) -> dict[str, Any]:
        """The referral as the interface shows it; one that nobody opened yet has no `receivedAt`."""
        wire = {
            "id": self.id,
            "idempotencyKey": self.key,
            "referenceNumber": self.reference,
            "localAuthorityAreaId": self.area,
            "status": self.status,
        }
        return wire | ({"receivedAt": self.received_at} if opened else {})


class Council:
    """The housing team's system: what it takes, what it says, and how it tells the hub."""

    def __init__(self, surroundings: Surroundings) -> None:
        settings = surroundings.settings
        self._callback_url: str = settings.get("callback_url", "")
        self._secret: str = settings.get("callback_secret", "")
        self._auto_answer: bool = settings.get("auto_answer", False)
        self._owner: str = settings.get("owner", "Duty officer, Housing Options")
        self._area: str = settings.get("authority", "")
        self._duplicate_status: int = settings.get("duplicate_status", 200)
        self._referrals: dict[str, Referral] = {}
        for entry in surroundings.ledger.effects():
            if entry.path == "/referrals":
                self._keep(entry.key, json.loads(entry.body), datetime.fromtimestamp(entry.at, UTC))
        routes = [
            Route("/referrals", self._take, methods=["POST"]),
            Route("/referrals", self._look_up, methods=["GET"]),
            Route("/referrals/{of}/notes", self._take_note, methods=["POST"]),
            Route("/referrals/{of}/notes", self._look_up_note, methods=["GET"]),
            Route("/sandbox/say", self._say, methods=["POST"]),
        ]
        self.sandbox = Sandbox(
            "housing",
            routes,
            ledger=surroundings.ledger,
            issuer=surroundings.issuer(),
            slow_seconds=settings.get("slow_seconds", 2.0),
        )

    async def _take(self, request: Request) -> Response:
        return await self._take_as(request, self._accept)

    async def _take_note(self, request: Request) -> Response:
        of = request.path_params["of"]
        return await self._take_as(request, lambda key, body, _: self._accept_note(of, key, body))

    async def _take_as(self, request: Request, accept: Callable[[str, bytes, Behaviour], Verdict]) -> Response:
        self._require(request)
        key = request.headers.get("idempotency-key", "")
        if not key:
            return _problem(400, "idempotency-key-missing")
        return await self.sandbox.take(
            request,
            key=key,
            accept=lambda body, behaviour: accept(key, body, behaviour),
            refuse=lambda _: _problem(422, "referrals-closed"),
            lie=lambda _: JSONResponse(_somebody_else(), 201),
        )

    def _accept(self, key: str, body: bytes, behaviour: Behaviour) -> Verdict:
        earlier = self.sandbox.ledger.find(key)
        if earlier is not None:
            return Verdict(self._again(earlier, body), effect=False)
        try:
            wrong = self._wrong(sent := json.loads(body))
        except ValueError:
            wrong = "not-json"
        if wrong:
            return Verdict(_problem(422, wrong), effect=False)
        referral = self._keep(key, sent, datetime.now(UTC))
        answers = self._auto_answer and behaviour in {Behaviour.PROMPT, Behaviour.SLOW}
        later = BackgroundTask(self._answer, referral) if answers and sent["status"] == "SUBMITTED" else None
        return Verdict(JSONResponse(referral.shown(opened=False), 201, background=later), effect=True)

    def _accept_note(self, of: str, key: str, body: bytes) -> Verdict:
        """File a note on the referral that its address and itself name; it is open to whoever opens the referral."""
        earlier = self.sandbox.ledger.find(key)
        if earlier is not None:
            return Verdict(self._again(earlier, body), effect=False)
        if of not in self._referrals:
            return Verdict(_problem(404, "no-such-referral"), effect=False)
        try:
            wrong = _wrong_with_note(of, json.loads(body))
        except ValueError:
            wrong = "not-json"
        if wrong:
            return Verdict(_problem(422, wrong), effect=False)
        return Verdict(JSONResponse(_note(key, datetime.now(UTC)), 201), effect=True)

    def _again(self, earlier: Entry, body: bytes) -> Response:
        if earlier.body != body:
            return JSONResponse({"code": "conflict", "idempotencyKey": earlier.key}, 409)
        known = self._referrals.get(earlier.key)
        shown = known.shown() if known else _note(earlier.key, datetime.fromtimestamp(earlier.at, UTC))
        return JSONResponse(
            shown | ({"code": "duplicate"} if self._duplicate_status == 409 else {}), self._duplicate_status
        )

    def _wrong(self, sent: Any) -> str:
        """Name the first rule that a referral breaks; empty when it breaks none."""
        if not isinstance(sent, dict) or not sent.get("referenceNumber"):
            return "reference-missing"
        if len(sent.get("submissionNote", "")) > 4000:
            return "note-too-long"
        if sent.get("status") == "WITHDRAWN":
            known = any(each.reference == sent["referenceNumber"] for each in self._referrals.values())
            return "" if known else "nothing-to-withdraw"
        if sent.get("status") != "SUBMITTED":
            return "first-status-must-be-submitted"
        area = str(sent.get("localAuthorityAreaId"))
        if not ENGLISH.fullmatch(area) or (self._area and area != self._area):
            return "not-our-area"
        missing = [name for name in ("person", "contact", "reason") if not sent.get(name)]
        return f"{missing[0]}-missing" if missing else ""

    def _keep(self, key: str, sent: dict[str, Any], at: datetime) -> Referral:
        reference, status = sent["referenceNumber"], sent["status"]
        area = sent.get("localAuthorityAreaId", "")
        referral = Referral(str(uuid.uuid5(NAMES, key)), key, reference, area, at.isoformat(timespec="seconds"), status)
        if status == "WITHDRAWN":
            for each in self._referrals.values():
                each.status = "WITHDRAWN" if each.reference == reference else each.status
        self._referrals[key] = referral
        return referral

    async def _look_up(self, request: Request) -> Response:
        self._require(request)
        found = self._referrals.get(request.query_params.get("idempotencyKey", ""))
        return JSONResponse({"referrals": [found.shown()] if found else []})

    async def _look_up_note(self, request: Request) -> Response:
        self._require(request)
        found = self.sandbox.ledger.find(request.query_params.get("idempotencyKey", ""))
        here = found is not None and found.path == request.url.path
        notes = [_note(found.key, datetime.fromtimestamp(found.at, UTC))] if found and here else []
        return JSONResponse({"notes": notes})

    async def _say(self, request: Request) -> Response:
        wanted = await request.json()
        names = {wanted.get("key"), wanted.get("id")}
        referral = next((each for each in self._referrals.values() if names & {each.key, each.id}), None)
        if referral is None:
            return _problem(404, "no-such-referral")
        if referral.status == "WITHDRAWN" and wanted.get("status") not in AFTERWARDS:
            return _problem(409, "withdrawn")
        said = {name: wanted[name] for name in ("status", *SAYABLE) if wanted.get(name)}
        message_id = wanted.get("messageId") or f"msg_{uuid.uuid4().hex}"
        status = await self._tell(referral, said, message_id)
        return JSONResponse({"status": status, "messageId": message_id, "referral": referral.shown()})

    async def _answer(self, referral: Referral) -> None:
        """Answer by itself, as a prompt duty desk would, until the hub has taken it."""
        message_id = f"msg_{uuid.uuid4().hex}"
        for pause in (0.0, *PAUSES):
            await anyio.sleep(pause)
            if await self._tell(referral, PROMPT_ANSWER | {"owner": self._owner}, message_id) in range(200, 300):
                break

    async def _tell(self, referral: Referral, said: dict[str, str], message_id: str) -> int:
        """Record a status and send the signed callback; returns the hub's HTTP status, 0 where nobody answered."""
        if referral.status != "WITHDRAWN":
            referral.status = said.get("status", referral.status)
        if not self._callback_url:
            return 0
        body = json.dumps(referral.shown() | said, ensure_ascii=False)
        at = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(message_id, at, body),
        }
        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                reply = await client.post(self._callback_url, content=body.encode(), headers=headers)
        except httpx.HTTPError:
            return 0
        return reply.status_code

    def _require(self, request: Request) -> None:
        if self.sandbox.issuer is not None:
            self.sandbox.issuer.require(request)


def _wrong_with_note(of: str, sent: Any) -> str:
    """Name the first rule that a note breaks; empty when it breaks none."""
    if not isinstance(sent, dict) or sent.get("referralKey") != of:
        return "note-names-another-referral"
    missing = [name for name in ("referenceNumber", "note") if not sent.get(name)]
    return f"{missing[0]}-missing" if missing else ""


def _note(key: str, at: datetime) -> dict[str, Any]:
    """A filed note as the interface shows it."""
    return {"id": str(uuid.uuid5(NAMES, key)), "idempotencyKey": key, "receivedAt": at.isoformat(timespec="seconds")}


def _somebody_else() -> dict[str, Any]:
    """A reply that claims success and belongs to another referral."""
    return {"id": str(uuid.uuid4()), "idempotencyKey": str(uuid.uuid4()), "status": "SUBMITTED"}


def _problem(status: int, code: str) -> Response:
    return JSONResponse({"code": code}, status)


def make(surroundings: Surroundings) -> Sandbox:
    """Make the council from its surroundings."""
    return Council(surroundings).sandbox


if __name__ == "__main__":
    run(make)
