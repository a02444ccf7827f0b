"""A day centre's case system: it sends shares, takes the hub's signed webhooks, and reads back what came of them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.serve import Surroundings, run
from hub.security.assertions import ClientKey, author_assertion, token_request


class RefusedError(Exception):
    """The hub refused a request: its status and its problem, for whoever sent it."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('type', '')}")
        self.status = status
        self.problem = problem


class CaseSystem:
    """The sending half: one client of the hub, with the partner's key; a worker's name never leaves it."""

    def __init__(self, hub_url: str, client_id: str, key: ClientKey) -> None:
        self._url = hub_url
        self._client_id = client_id
        self._key = key
        self._http = httpx.Client(base_url=hub_url, timeout=30, trust_env=False)
        self._token = ""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def log_in(self) -> None:
        """Get an access token for the client's signed assertion."""
        form = token_request(self._client_id, f"{self._url}/oauth/token", self._key, datetime.now(UTC))
        reply = self._http.post("/oauth/token", data=form).raise_for_status()
        self._token = reply.json()["access_token"]

    def send(self, share: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send a share and return its receipt; raises `RefusedError`."""
        headers = {"idempotency-key": key or str(uuid.uuid4())}
        return self._post("/v1/shares", share, headers)

    def withdraw(self, consent_id: str, **body: Any) -> dict[str, Any]:
        """Withdraw what was agreed in one share."""
        return self._post(f"/v1/consents/{consent_id}/withdraw", body)

    def record_heard(self, delivery_id: str, **body: Any) -> dict[str, Any]:
        """Record what a service said another way."""
        return self._post(f"/v1/deliveries/{delivery_id}/heard", body)

    def read(self, share_id: str) -> dict[str, Any]:
        """Read what became of a share."""
        return self._checked(self._http.get(f"/v1/shares/{share_id}", headers=self._authorization()))

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
        raw = json.dumps(body, ensure_ascii=False).encode()
        proof = author_assertion(
            self._client_id, self._url, self._key, datetime.now(UTC), subject="worker-7", role="key worker", body=raw
        )
        own = {"content-type": "application/json", "author-assertion": proof}
        return self._checked(
            self._http.post(path, content=raw, headers={**self._authorization(), **own, **(headers or {})})
        )

    def _authorization(self) -> dict[str, str]:
        if not self._token:
            self.log_in()
        return {"authorization": f"Bearer {self._token}"}

    @staticmethod
    def _checked(reply: httpx.Response) -> dict[str, Any]:
        document: dict[str, Any] = reply.json()
        if reply.status_code >= 400:
            raise RefusedError(reply.status_code, document)
        return document


class Webhooks:
    """The receiving half, as a process of its own: verifies each webhook and keeps it in a ledger."""

    def __init__(self, around: Surroundings) -> None:
        self._ledger = around.ledger
        self._webhook = Webhook(around.settings["secret"])
        self.sandbox = Sandbox("case-system", [Route("/hub", self._take, methods=["POST"])], ledger=around.ledger)

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        try:
            self._webhook.verify(body, dict(request.headers))
        except WebhookVerificationError:
            return JSONResponse({"error": "not signed by the hub"}, status_code=401)
        key = request.headers["webhook-id"]
        kept = {name: value for name, value in request.headers.items() if name.startswith("webhook-")}
        new = not self._ledger.has(key)
        at = datetime.now(UTC).timestamp()
        self._ledger.append(
            Entry(at=at, key=key, case="", path="/hub", body=body, headers=kept, status=204, effect=new)
        )
        return Response(status_code=204)


def load_share(name: str) -> dict[str, Any]:
    """Return one of the demo's shares, as a case system would send it."""
    path = Path(__file__).parent / "shares" / f"{name}.json"
    share: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return share


if __name__ == "__main__":
    run(lambda around: Webhooks(around).sandbox)
