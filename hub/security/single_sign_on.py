"""The partnership's own sign-in: OpenID Connect's authorisation code with PKCE, and an ID token read with suspicion.

What a flow needs between its two halves (state, nonce, code verifier) is made from one secret that the browser keeps,
so that nothing is stored, and a reply without the browser that asked is worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from hub.domain.errors import Refusal, Unavailable
from hub.sdk.connector import NoReply, NotSent, Response
from hub.sdk.http import GuardedClient
from hub.security import tokens
from hub.security.tokens import KeySetError, PublicKey, UntrustedError

#: An ID token that is good for longer was not made for one sign-in.
_LONGEST: Final = timedelta(hours=24)
#: How long, in seconds, what the provider says of itself, and its keys, are believed.
_KEPT: Final = 600.0
#: So long, in seconds, between two looks for a key that is not known.
_LOOK_AGAIN: Final = 30.0

AWAY: Final = Refusal(
    "sign-in-away",
    "Your organisation's sign-in does not answer.",
    "Try again in a few minutes. If it still does not answer, tell whoever looks after it.",
    origin="receiver",
)


class NotSignedIn(Exception):
    """The provider's reply signs nobody in; `why` is a code, and all that is said of it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in on its way: all made from one secret, by a keyed hash."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def of(cls, secret: str, digest: Callable[[str, str], str]) -> Flow:
        """Make a flow from what its browser keeps."""
        return cls(*(digest(f"sign-on-{name}", secret) for name in ("state", "nonce", "verifier")))


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider signed in: its own name of them, and an e-mail address that it says it checked."""

    subject: str
    email: str


@dataclass(slots=True)
class SingleSignOn:
    """One provider, as the hub's configuration names it; `redirect_uri` is where it leads back to."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    algorithms: frozenset[str]
    client: GuardedClient = field(repr=False)
    _about: tuple[float, Mapping[str, Any]] = (0.0, {})  #: until when, and what it says of itself
    _keys: tuple[float, Mapping[str, PublicKey]] = field(default=(0.0, {}), repr=False)
    _looked: float = 0.0

    async def begin(self, flow: Flow) -> str:
        """Return where the browser goes to sign in; raises `Unavailable`."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid email",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": _challenge(flow.verifier),
            "code_challenge_method": "S256",
        }
        address = str((await self._discover())["authorization_endpoint"])
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    async def finish(self, flow: Flow, said: Mapping[str, str], now: datetime) -> Identity:
        """Return whom the provider's reply signs in; raises `NotSignedIn` with a code, or `Unavailable`."""
        if not hmac.compare_digest(said.get("state", "").encode(), flow.state.encode()):
            raise NotSignedIn("state")
        about = await self._discover()
        if said.get("iss", "" if about.get("authorization_response_iss_parameter_supported") else self.issuer) != (
            self.issuer
        ):
            raise NotSignedIn("issuer")
        if "error" in said or not said.get("code"):
            raise NotSignedIn("refused")
        token = await self._redeem(about, said["code"], flow)
        return await self._identity(about, token, flow, now)

    async def aclose(self) -> None:
        """Close every connection to the provider."""
        await self.client.aclose()

    async def _redeem(self, about: Mapping[str, Any], code: str, flow: Flow) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": flow.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        ways = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in ways:
            both = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        body = urlencode(form).encode()
        reply = await self._send("POST", str(about["token_endpoint"]), headers=headers, content=body)
        token = _json(reply).get("id_token") if reply.status == 200 else None
        if not isinstance(token, str):
            raise NotSignedIn("code")
        return token

    async def _identity(self, about: Mapping[str, Any], token: str, flow: Flow, now: datetime) -> Identity:
        try:
            claims = await self._read(about, token)
            tokens.check_audience(claims, self.client_id)
            tokens.check_times(claims, now, _LONGEST)
            subject = tokens.text(claims, "sub")
            issuer, nonce = tokens.text(claims, "iss"), tokens.text(claims, "nonce")
        except UntrustedError as error:
            raise NotSignedIn(f"token-{error.why}") from None
        if issuer != self.issuer or claims.get("azp", self.client_id) != self.client_id:
            raise NotSignedIn("issuer")
        if not hmac.compare_digest(nonce.encode(), flow.nonce.encode()):
            raise NotSignedIn("nonce")
        email = claims.get("email")
        checked = isinstance(email, str) and claims.get("email_verified") is True
        return Identity(subject, str(email).strip().lower() if checked else "")

    async def _read(self, about: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Verify a token; a key that is not known is looked for once more, for providers change theirs."""
        try:
            return tokens.read(token, await self._key_set(about), allowed=self.algorithms)
        except UntrustedError:
            if time.monotonic() - self._looked < _LOOK_AGAIN:
                raise
            return tokens.read(token, await self._key_set(about, anew=True), allowed=self.algorithms)

    async def _discover(self) -> Mapping[str, Any]:
        """Return what the provider says of itself: it must say that it is the issuer, to the letter."""
        until, about = self._about
        if until > time.monotonic():
            return about
        about = _json(await self._send("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"))
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if about.get("issuer") != self.issuer or not all(isinstance(about.get(name), str) for name in needed):
            raise Unavailable(AWAY)
        self._about = (time.monotonic() + _KEPT, about)
        return about

    async def _key_set(self, about: Mapping[str, Any], *, anew: bool = False) -> Mapping[str, PublicKey]:
        until, keys = self._keys
        if until > time.monotonic() and not anew:
            return keys
        listed = _json(await self._send("GET", str(about["jwks_uri"]))).get("keys")
        signing = [each for each in listed if _signs(each)] if isinstance(listed, list) else []
        try:
            keys = tokens.public_keys(json.dumps({"keys": signing}))
        except KeySetError:
            raise Unavailable(AWAY) from None
        self._looked = time.monotonic()
        self._keys = (self._looked + _KEPT, keys)
        return keys

    async def _send(self, method: str, url: str, **how: Any) -> Response:
        try:
            return await self.client.send(method, url, **how)
        except (NotSent, NoReply):
            raise Unavailable(AWAY) from None


def _signs(key: Any) -> bool:
    return isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"} and key.get("use", "sig") == "sig"


def _json(reply: Response) -> dict[str, Any]:
    try:
        document = reply.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Unavailable(AWAY)
    return document


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
