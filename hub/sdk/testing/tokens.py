"""A partner's token endpoint: OAuth 2.0 client credentials proved with a signed assertion (RFC 7523)."""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "RS512", "PS256")
#: The NHS API platform's limit on how far ahead an assertion may expire, in seconds.
LONGEST_ASSERTION = 300
#: How far two clocks may differ, in seconds.
LEEWAY = 5


class _ProofError(Exception):
    """The assertion does not prove who the caller is; the text names the rule."""


class TokenIssuer:
    """Issues opaque bearer tokens to the holders of the keys in `jwks`.

    `audience` is the exact token URL that an assertion must be made for; `lifetime` is in seconds.
    """

    def __init__(self, jwks: dict[str, Any], audience: str, lifetime: int = 599) -> None:
        self._keys = KeySet.import_key_set(jwks)  # type: ignore[arg-type] # a plain dict from a JSON file
        self._audience = audience
        self._lifetime = lifetime
        self._tokens: dict[str, tuple[str, float]] = {}
        self._seen: dict[str, float] = {}
        self.issued = 0

    @property
    def routes(self) -> list[Route]:
        """The token endpoint, and the control that makes every issued token invalid."""
        return [
            Route("/oauth/token", self._issue, methods=["POST"]),
            Route("/sandbox/tokens", self._control, methods=["PUT"]),
        ]

    def require(self, request: Request) -> str:
        """Return the client whose live token the request carries; raise HTTP 401 where it carries none."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        client, until = self._tokens.get(token, ("", 0.0))
        if scheme.lower() != "bearer" or until <= time.time():
            raise HTTPException(401, "token", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return client

    def expire(self) -> None:
        """Make every issued token invalid."""
        self._tokens.clear()

    async def _control(self, request: Request) -> Response:
        wanted = await request.json()
        if wanted != {"expired": True}:
            return JSONResponse({"error": 'the only order is {"expired": true}'}, 400)
        self.expire()
        return Response(status_code=204)

    async def _issue(self, request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode("latin-1")).items()}
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return JSONResponse({"error": "invalid_request", "error_description": "client_assertion_type"}, 400)
        try:
            client = self._client(form.get("client_assertion", ""))
        except _ProofError as unproved:
            return JSONResponse({"error": "invalid_client", "error_description": str(unproved)}, 401)
        token = secrets.token_urlsafe(32)
        self._tokens[token] = (client, time.time() + self._lifetime)
        self.issued += 1
        reply = {"access_token": token, "expires_in": str(self._lifetime), "token_type": "Bearer"}
        return JSONResponse(reply, headers={"Cache-Control": "no-store"})

    def _client(self, assertion: str) -> str:
        try:
            claims = jwt.decode(assertion, self._keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError) as wrong:  # joserfc reports an unknown kid as a ValueError
            raise _ProofError("signature") from wrong
        now = time.time()
        client, expires, once = claims.get("iss"), claims.get("exp"), claims.get("jti")
        if not client or client != claims.get("sub"):
            raise _ProofError("iss and sub must be the same client")
        if claims.get("aud") != self._audience:
            raise _ProofError("aud must be exactly this token URL")
        if not isinstance(expires, int | float) or not now - LEEWAY < expires <= now + LONGEST_ASSERTION + LEEWAY:
            raise _ProofError("exp must be within five minutes")
        self._seen = {seen: until for seen, until in self._seen.items() if until > now - LEEWAY}
        if not once or once in self._seen:
            raise _ProofError("jti must be new")
        self._seen[once] = expires
        return str(client)
