"""One client of the hub with every proof in the test's own hands, to be sent whole, missing, stale or forged."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hub.security.assertions import ClientKey, author_assertion, token_request

#: Says that a header is left out, where `None` asks for the usual one.
LEFT_OUT = ""


@dataclass(slots=True)
class Caller:
    """A case system's raw side: `post` and `get` give the response whatever its status."""

    url: str
    client_id: str
    key: ClientKey
    worker: str = "worker-7"
    role: str = "key worker"
    groups: tuple[str, ...] = ()
    http: httpx.Client = field(init=False)
    _token: str = ""
    _until: float = 0.0  #: in seconds of the monotonic clock

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False, limits=limits)

    def token(self) -> str:
        """Return an access token, got anew before it runs out: a long run outlives one."""
        if time.monotonic() >= self._until:
            form = token_request(self.client_id, f"{self.url}/oauth/token", self.key, datetime.now(UTC))
            reply = self.http.post("/oauth/token", data=form).raise_for_status()
            said = reply.json()
            self._token, self._until = said["access_token"], time.monotonic() + said["expires_in"] / 2
        return self._token

    def proof(self, body: bytes, *, at: datetime | None = None, life: timedelta = timedelta(minutes=5)) -> str:
        """Return a fresh author's assertion for exactly these bytes."""
        now = at or datetime.now(UTC)
        return author_assertion(
            self.client_id, self.url, self.key, now, subject=self.worker, role=self.role, body=body, life=life
        )

    def headers(
        self, body: bytes, *, token: str | None = None, proof: str | None = None, key: str | None = None
    ) -> dict[str, str]:
        """Return the headers of a good request; name one to replace it, or give LEFT_OUT to leave it out."""
        found = {
            "authorization": f"Bearer {self.token()}" if token is None else token,
            "author-assertion": self.proof(body) if proof is None else proof,
            "idempotency-key": str(uuid.uuid4()) if key is None else key,
            "content-type": "application/json",
        }
        return {name: value for name, value in found.items() if value != LEFT_OUT}

    def post(self, path: str, body: bytes | dict[str, Any], more: dict[str, str] | None = None, **proofs: str) -> Any:
        """Post a body as it is, or a document as JSON."""
        raw = body if isinstance(body, bytes) else as_json(body)
        return self.http.post(path, content=raw, headers=self.headers(raw, **proofs) | (more or {}))

    def send_as(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send a document by another method than POST."""
        raw = as_json(body)
        return self.http.request(method, path, content=raw, headers=self.headers(raw))

    def get(self, path: str, *, groups: tuple[str, ...] = ()) -> httpx.Response:
        """Get something as this client; with groups, as a worker of those."""
        headers = {"authorization": f"Bearer {self.token()}"}
        if groups := groups or self.groups:
            now, signed_by = datetime.now(UTC), {"subject": self.worker, "role": self.role, "groups": groups}
            headers["author-assertion"] = author_assertion(
                self.client_id, self.url, self.key, now, body=b"", **signed_by
            )
        return self.http.get(path, headers=headers)

    def send(self, share: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send a share that must be accepted, and return its receipt."""
        reply = self.post("/v1/shares", share, **({"key": key} if key else {}))
        assert reply.status_code == 202, reply.text
        receipt: dict[str, Any] = reply.json()
        return receipt

    def read(self, share_id: str) -> dict[str, Any]:
        """Read a share that must be there."""
        report: dict[str, Any] = self.get(f"/v1/shares/{share_id}").raise_for_status().json()
        return report

    def delivery(self, share_id: str, service: str) -> dict[str, Any]:
        """Read one delivery of a share."""
        return next(each for each in self.read(share_id)["deliveries"] if each["service"] == service)


def as_json(document: Any) -> bytes:
    """Return the bytes that a case system would send."""
    return json.dumps(document, ensure_ascii=False).encode()
