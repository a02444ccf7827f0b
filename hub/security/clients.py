"""Clients (partners' systems): the token endpoint they get an access token from, and the check of that token.

OAuth 2 client credentials (RFC 6749) with private_key_jwt (RFC 7523); access tokens in the shape of RFC 9068.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal

from joserfc import jwt

from hub.security import tokens
from hub.security.live_keys import Keys
from hub.security.refusals import unauthenticated
from hub.security.tokens import KeySetError, Seen, UntrustedError

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFE: Final = timedelta(minutes=10)

OAuthError = Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]


@dataclass(frozen=True, slots=True)
class Client:
    """A partner's system as registered; `jwks` is its public key set as JSON text, several keys while rotating."""

    id: str
    partner: str
    jwks: str
    scopes: frozenset[str]
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, proved: a client that stands, its partner, and what both token and registration allow."""

    client_id: str
    partner: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A new access token (RFC 6749 section 5.1)."""

    access_token: str
    expires_in: int
    scope: str
    status: int = 200

    def body(self) -> dict[str, str | int]:
        """The JSON reply; send it with `Cache-Control: no-store`."""
        return {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.scope,
        }


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """Why there is no token (RFC 6749 section 5.2)."""

    error: OAuthError
    description: str
    status: int = 400

    def body(self) -> dict[str, str | int]:
        """The JSON reply; send it with `Cache-Control: no-store`."""
        return {"error": self.error, "error_description": self.description}


TokenReply = TokenIssued | TokenRefused

#: What the token endpoint says of an assertion; unknown client, wrong key and wrong audience sound the same on purpose.
_ASSERTION_WORDS: Final[dict[tokens.Why, str]] = {
    "malformed": "the client assertion cannot be read",
    "expired": "the client assertion has run out",
    "clock-skew": "the client assertion is from the future: check this system's clock",
    "untrusted": "the client assertion was not accepted: check key, kid, iss, sub, aud, exp (5 minutes at most), jti",
}


class ClientLookup:
    """A client by id through `read`, remembered for a few seconds, so that revoking one takes at most 5 (TH16)."""

    def __init__(
        self,
        read: Callable[[str], Client | None],
        seconds: float = 4.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._found: dict[str, tuple[float, Client]] = {}

    def __call__(self, client_id: str) -> Client | None:
        """The client as it was at most `seconds` ago; ids nobody registered are never remembered."""
        started = self._clock()
        kept = self._found.get(client_id)
        if kept is not None and started - kept[0] < self._seconds:
            return kept[1]
        client = self._read(client_id)
        if client is None:
            self._found.pop(client_id, None)
        else:
            # Dated from before the read: what the read saw is never younger than this.
            self._found[client_id] = (started, client)
        return client


class TokenEndpoint:
    """Issues and checks the hub's access tokens; safe to share between threads."""

    def __init__(
        self,
        issuer: str,
        token_url: str,
        keys: Keys,
        clients: Callable[[str], Client | None],
        seen: Seen,
    ) -> None:
        self._issuer = issuer
        self._token_url = token_url
        self._clients = clients
        self._seen = seen
        self._keys = keys
        # A signature, once good, stays good: only time and the client's standing are checked on each request.
        self._verified = lru_cache(maxsize=4096)(
            lambda token: tokens.read(token, keys.current(anew=True).signing_keys, own=True)
        )

    def issue(self, form: Mapping[str, str], now: datetime) -> TokenReply:
        """Answer one token request; every refusal is a value that quotes nothing of the request."""
        if refused := _ill_formed(form):
            return refused
        try:
            client = self._authenticate(form["client_assertion"], now)
        except UntrustedError as error:
            return TokenRefused("invalid_client", _ASSERTION_WORDS[error.why], 401)
        if form.get("client_id", client.id) != client.id:
            return TokenRefused("invalid_client", "client_id is not who signed the assertion", 401)
        asked = frozenset(form.get("scope", "").split()) or client.scopes
        if not asked <= client.scopes:
            return TokenRefused("invalid_scope", "the client is not registered for every scope it asked for")
        return self._sign(client, asked, now)

    def verify_access_token(self, header_value: str | None, now: datetime) -> Caller:
        """Who an `Authorization` header proves; raises `Unauthenticated` with one of the token- and client- types."""
        claims = self._read(header_value)
        try:
            tokens.check_times(claims, now, TOKEN_LIFE)
        except UntrustedError as error:
            code = {"expired": "token-expired", "clock-skew": "token-clock-skew"}.get(error.why, "token-foreign")
            raise unauthenticated(code) from None
        client = self._clients(claims["sub"])
        if client is None:
            raise unauthenticated("client-unknown")
        if client.revoked:
            raise unauthenticated("client-revoked")
        return Caller(client.id, client.partner, client.scopes & frozenset(claims["scope"].split()))

    def _read(self, header_value: str | None) -> dict[str, Any]:
        """The claims of a token that this hub signed as this issuer."""
        if not header_value:
            raise unauthenticated("token-missing")
        scheme, _, token = header_value.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated("token-malformed")
        try:
            claims = self._verified(token)
        except UntrustedError as error:
            raise unauthenticated("token-malformed" if error.why == "malformed" else "token-foreign") from None
        if claims.get("iss") != self._issuer or claims.get("aud") != self._issuer:
            raise unauthenticated("token-foreign")
        return claims

    def _authenticate(self, assertion: str, now: datetime) -> Client:
        """The client that signed this assertion for this token endpoint, now, for the first time."""
        client = self._clients(tokens.unverified_issuer(assertion))
        if client is None or client.revoked:
            raise UntrustedError("untrusted")
        try:
            claims = tokens.read(assertion, tokens.public_keys(client.jwks))
        except KeySetError:
            raise UntrustedError("untrusted") from None
        if claims.get("iss") != client.id or claims.get("sub") != client.id:
            raise UntrustedError("untrusted")
        tokens.check_audience(claims, self._token_url)
        expires = tokens.check_times(claims, now)
        used = tokens.once("client-assertion", client.id, tokens.text(claims, "jti"), expires)
        if not self._seen.first_time(used.kind, used.token, used.until):
            raise UntrustedError("untrusted")
        return client

    def _sign(self, client: Client, scopes: frozenset[str], now: datetime) -> TokenIssued:
        issued = int(now.timestamp())
        life = int(TOKEN_LIFE.total_seconds())
        scope = " ".join(sorted(scopes))
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": client.id,
            "client_id": client.id,
            "partner": client.partner,
            "scope": scope,
            "jti": str(uuid.uuid4()),
            "iat": issued,
            "exp": issued + life,
        }
        ring = self._keys.current()
        header = {"alg": "ES256", "kid": ring.signing_kid, "typ": "at+jwt"}
        return TokenIssued(jwt.encode(header, claims, ring.signing_keys[ring.signing_kid]), life, scope)


def _ill_formed(form: Mapping[str, str]) -> TokenRefused | None:
    """What is wrong with a token request before anybody is authenticated, if anything."""
    if "grant_type" not in form:
        return TokenRefused("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        return TokenRefused("unsupported_grant_type", "grant_type must be client_credentials")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
        return TokenRefused("invalid_request", f"send client_assertion, and client_assertion_type {ASSERTION_TYPE}")
    return None
