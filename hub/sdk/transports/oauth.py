"""Bearer tokens for partners that know a client by its signed JWT (private_key_jwt, RFC 7523) or by a secret."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from hub.sdk.connector import Context, NoReply, NotSent, Response

#: Below the five minutes that NHS England allows, so that a clock a little ahead does not break it.
ASSERTION_SECONDS = 240
#: A token this close to its end is replaced before it is used.
RENEW_BEFORE = timedelta(seconds=30)
#: What a token is worth when the partner does not say.
DEFAULT_SECONDS = 300
#: A token that is said to last longer is fetched again after a day.
_LONGEST_SECONDS = 86_400

#: In place of an algorithm: the key is a secret shared with the partner.
CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a way, and no secret

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KEY_TYPES: dict[str, type[ECKey] | type[RSAKey]] = {
    "ES256": ECKey,
    "ES384": ECKey,
    "RS256": RSAKey,
    "RS512": RSAKey,
    "PS256": RSAKey,
}


class TokenRefused(NotSent):
    """The partner refused our client or its key, so no parcel left: a connector answers `Halt`.

    `status` is the HTTP status of the token end point. The host also treats it as `Halt` when a connector lets it pass.
    """

    def __init__(self, status: int) -> None:
        super().__init__("token-refused")
        self.status = status


class BearerTokens:
    """One client's tokens: fetched once for all who wait, kept until shortly before they end.

    `key` is a private key as PEM or JWK; `alg` is ES256, ES384, RS256, RS512 (NHS England) or PS256. With
    `client_secret` for `alg`, `key` is the secret itself, which travels as RFC 6749 2.3.1 has it: only for a partner
    that knows nothing better. Raises `ValueError` when the key does not fit.
    """

    def __init__(  # noqa: PLR0913 - all of it is what a partner registers of a client
        self,
        token_url: str,
        client_id: str,
        key: str | Mapping[str, Any],
        alg: str = "ES256",
        *,
        kid: str = "",
        scope: str = "",
    ) -> None:
        self._url = token_url
        self._client = client_id
        self._alg = alg
        self._secret = str(key) if alg == CLIENT_SECRET else ""
        self._key = None if alg == CLIENT_SECRET else _read_key(key, alg)
        self._kid = kid or (self._key and self._key.kid) or ""
        self._scope = scope
        self._lock = asyncio.Lock()
        self._authorization = ""
        self._until: datetime | None = None

    async def authorization(self, context: Context) -> str:
        """Return the `Authorization` header's value.

        Raises `TokenRefused` (the client is not accepted) or `NotSent` (no token now): in both cases no parcel left.
        """
        if kept := self._kept(context.now):
            return kept
        async with self._lock:
            if kept := self._kept(context.now):  # another caller fetched it while this one waited
                return kept
            return await self._fetch(context)

    def renew(self, stale: str = "") -> None:
        """Forget the token, because the partner answered 401.

        With `stale`, the header that was refused, a token that another call has renewed meanwhile is kept.
        """
        if not stale or stale == self._authorization:
            self._authorization, self._until = "", None

    def _kept(self, now: datetime) -> str:
        return self._authorization if self._until is not None and now < self._until else ""

    async def _fetch(self, context: Context) -> str:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        if self._key is None:
            pair = f"{quote_plus(self._client)}:{quote_plus(self._secret)}".encode()
            headers["authorization"] = f"Basic {b64encode(pair).decode('ascii')}"
        else:
            assertion = self._assertion(self._key, context.now)
            form |= {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion}
        try:
            response = await context.send(
                "POST",
                self._url,
                headers=headers,
                content=urlencode(form).encode(),
                starts=False,
            )
        except NoReply:
            raise NotSent("token-no-reply") from None
        return self._keep(response, context.now)

    def _keep(self, response: Response, now: datetime) -> str:
        if response.status in {400, 401, 403}:
            raise TokenRefused(response.status)
        if response.status != 200:
            raise NotSent("token-unavailable")
        try:
            reply = response.json()
            token, lifetime = str(reply["access_token"]), int(reply.get("expires_in", DEFAULT_SECONDS))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise NotSent("token-unreadable") from None
        self._authorization = f"Bearer {token}"
        self._until = now + timedelta(seconds=min(max(lifetime, 0), _LONGEST_SECONDS)) - RENEW_BEFORE
        return self._authorization

    def _assertion(self, key: ECKey | RSAKey, now: datetime) -> str:
        header = {"alg": self._alg, "typ": "JWT"} | ({"kid": self._kid} if self._kid else {})
        issued = int(now.timestamp())
        claims = {
            "iss": self._client,
            "sub": self._client,
            "aud": self._url,  # exactly the URL posted to: NHS England compares it letter by letter
            "jti": str(uuid.uuid4()),
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        return jwt.encode(header, claims, key, algorithms=[self._alg])


def _read_key(key: str | Mapping[str, Any], alg: str) -> ECKey | RSAKey:
    kind = _KEY_TYPES.get(alg)
    if kind is None:
        raise ValueError("this algorithm is not offered")
    try:
        read = kind.import_key(_parse(key))
        private = read.is_private
    except (JoseError, ValueError, TypeError):
        raise ValueError("the client key cannot be read, or does not fit the algorithm") from None
    if not private:
        raise ValueError("the client key is a public key")
    return read


def _parse(key: str | Mapping[str, Any]) -> Any:
    """Return what joserfc reads: a JWK as a dictionary, PEM as text."""
    if isinstance(key, str):
        return json.loads(key) if key.lstrip().startswith("{") else key
    return dict(key)
