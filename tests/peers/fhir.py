"""Medplum's FHIR R4 server behind a certified OAuth server (oidc-provider), as one process that is neither of ours."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey

from hub.sdk.connector import Context
from hub.sdk.transports.oauth import BearerTokens
from tests.peers.node import packages

SOURCE = Path(__file__).parent / "fhir"
#: Two clients of the OAuth server: one proves itself by its key, the other by a secret.
BY_KEY, BY_SECRET = "hub-by-key", "hub by secret"
SECRET = "a secret: with + and % in it, to be encoded"
#: Seconds that a token lives there.
LIFETIME = 120


class FhirServer(AbstractContextManager["FhirServer"]):
    """The server as a process; it forgets everything when it ends. `key` is the private key of `BY_KEY`."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "hub-1", "use": "sig"})
        self._folder = packages(SOURCE)
        self._process: subprocess.Popen[str] | None = None
        self.root = ""

    def __enter__(self) -> FhirServer:
        about = {"PATH": os.environ["PATH"]}
        self._process = subprocess.Popen(
            ["node", "server.mjs"],
            cwd=self._folder,
            env=about,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"clients": self._clients(), "ttl": LIFETIME}))
        self._process.stdin.close()
        for line in self._process.stdout:
            if line.startswith("ready "):
                self.root = line.split()[1]
                return self
        raise RuntimeError("the FHIR server did not start")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def url(self) -> str:
        """The base of its FHIR interface."""
        return f"{self.root}/fhir"

    @property
    def token_url(self) -> str:
        """Its token end point."""
        return f"{self.root}/token"

    def tokens(self, client: str = BY_KEY) -> BearerTokens:
        """The tokens of a client of its."""
        if client == BY_SECRET:
            return BearerTokens(self.token_url, client, SECRET, "client_secret")
        return BearerTokens(self.token_url, client, self.key.as_dict(private=True), "ES256")

    async def service(self, context: Context, method: str, path: str, document: Any = None) -> dict[str, Any]:
        """Do something there as the service itself does; returns what it says."""
        headers = {"authorization": await self.tokens(BY_SECRET).authorization(context)}
        async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
            reply = await client.request(method, f"{self.url}/{path}", json=document, headers=headers)
        read: dict[str, Any] = reply.raise_for_status().json()
        return read

    def _clients(self) -> list[dict[str, Any]]:
        of_all = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": []}
        by_key = {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256"}
        keys = {"jwks": {"keys": [self.key.as_dict(private=False)]}}
        by_secret = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": SECRET}
        return [
            of_all | by_key | keys | {"client_id": BY_KEY},
            of_all | by_secret | {"client_id": BY_SECRET},
        ]
