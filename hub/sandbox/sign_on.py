"""An organisation's own sign-in (OpenID Connect), as a process: it knows a few people, and can be told to be wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.serve import Surroundings, run

#: What an ID token can be made wrong in, for a test of whoever reads it.
WRONG: Final = (
    *("issuer", "audience", "nonce", "expired", "no-algorithm", "shared-secret", "other-key", "unchecked-email"),
    *("reply-issuer", "azp"),
)
_ASKED: Final = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge")


class Provider:
    """Signs people in: `settings` has `client_id`, `client_secret`, `redirect_uri` and `people` (sub, email)."""

    def __init__(self, given: Surroundings) -> None:
        self._issuer, self._settings = given.url, given.settings
        self._key = _new_key()
        self._codes: dict[str, dict[str, str]] = {}
        self._wrong = ""
        routes = [
            Route("/.well-known/openid-configuration", self._about),
            Route("/jwks", self._jwks),
            Route("/authorize", self._ask, methods=["GET"]),
            Route("/authorize", self._choose, methods=["POST"]),
            Route("/token", self._token, methods=["POST"]),
            Route("/sandbox/wrong", self._be_wrong, methods=["POST"]),
            Route("/sandbox/rotate", self._rotate, methods=["POST"]),
        ]
        self.sandbox = Sandbox("sign-on", routes, ledger=given.ledger)

    async def _about(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self._issuer,
                "authorization_endpoint": f"{self._issuer}/authorize",
                "token_endpoint": f"{self._issuer}/token",
                "jwks_uri": f"{self._issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False) | {"use": "sig", "alg": "RS256"}]})

    async def _ask(self, request: Request) -> Response:
        """Show who can be signed in; what is asked for is kept in the form."""
        asked = {name: request.query_params.get(name, "") for name in (*_ASKED, "code_challenge_method")}
        if fault := self._fault(asked):
            return JSONResponse({"error": "invalid_request", "error_description": fault}, 400)
        kept = "".join(f'<input type="hidden" name="{name}" value="{escape(asked[name])}">' for name in asked)
        people = "".join(
            f'<button name="sub" value="{escape(each["sub"])}">{escape(each["email"])}</button>'
            for each in self._settings["people"]
        )
        return HTMLResponse(
            f'<!doctype html><html lang="en"><title>Sign in</title><h1>Who are you?</h1>'
            f'<form method="post" action="/authorize">{kept}{people}<button name="sub" value="">None</button></form>'
        )

    async def _choose(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if fault := self._fault(form):
            return JSONResponse({"error": "invalid_request", "error_description": fault}, 400)
        issuer = f"{self._issuer}.example" if self._used("reply-issuer") else self._issuer
        said = {"state": form["state"], "iss": issuer}
        if form.get("sub"):
            said["code"] = secrets.token_urlsafe(24)
            self._codes[said["code"]] = form
        else:
            said["error"] = "access_denied"
        return RedirectResponse(f"{form['redirect_uri']}?{urlencode(said)}", 303)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        both = (quote(self._settings[name], safe="") for name in ("client_id", "client_secret"))  # RFC 6749, 2.3.1
        expected = base64.b64encode(":".join(both).encode())
        if scheme != "Basic" or not secrets.compare_digest(given.encode(), expected):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), None)  # a code is good once
        proved = asked is not None and _challenge(form.get("code_verifier", "")) == asked["code_challenge"]
        if asked is None or not proved or form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        reply = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "id_token": self._signed(asked)}
        return JSONResponse(reply, headers={"cache-control": "no-store"})

    def _signed(self, asked: dict[str, str]) -> str:
        now, who = int(time.time()), next(each for each in self._settings["people"] if each["sub"] == asked["sub"])
        claims: dict[str, Any] = {
            "iss": f"{self._issuer}/" if self._used("issuer") else self._issuer,
            "aud": "another-client" if self._used("audience") else self._settings["client_id"],
            "sub": who["sub"],
            "email": who["email"],
            "email_verified": not self._used("unchecked-email"),
            "nonce": "another" if self._used("nonce") else asked["nonce"],
            "iat": now - 7200,
            "exp": now - 3600 if self._used("expired") else now + 300,
        }
        if self._used("azp"):
            claims["azp"] = "another-client"
        return self._in_form(claims)

    def _in_form(self, claims: dict[str, Any]) -> str:
        kid = str(self._key.kid)
        if self._used("no-algorithm"):
            return f"{_packed({'alg': 'none', 'kid': kid})}.{_packed(claims)}."
        if self._used("shared-secret"):  # the public key, taken for a secret that both sides know
            signed = f"{_packed({'alg': 'HS256', 'kid': kid})}.{_packed(claims)}"
            mac = hmac.digest(self._key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        key = _new_key() if self._used("other-key") else self._key
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, key, algorithms=["RS256"])

    def _fault(self, asked: dict[str, str]) -> str:
        wanted = {"client_id": self._settings["client_id"], "redirect_uri": self._settings["redirect_uri"]}
        wanted |= {"response_type": "code", "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        wrong += [name for name in ("state", "nonce", "code_challenge") if not asked.get(name)]
        if "openid" not in asked.get("scope", "").split():
            wrong.append("scope")
        return ", ".join(wrong)

    def _used(self, what: str) -> bool:
        """Tell whether to be wrong in this now; it is, once."""
        if self._wrong != what:
            return False
        self._wrong = ""
        return True

    async def _be_wrong(self, request: Request) -> Response:
        self._wrong = str((await request.json())["thing"])
        if self._wrong not in WRONG:
            return JSONResponse({"error": "thing", "known": list(WRONG)}, 400)
        return JSONResponse({"thing": self._wrong})

    async def _rotate(self, _request: Request) -> Response:
        self._key = _new_key()
        return JSONResponse({"kid": self._key.kid})


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(8)})


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


if __name__ == "__main__":
    run(lambda given: Provider(given).sandbox)
