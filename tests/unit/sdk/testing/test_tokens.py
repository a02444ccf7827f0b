"""The token endpoint: every rule of an assertion, one broken at a time."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, RSAKey
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.tokens import ASSERTION_TYPE, TokenIssuer

pytestmark = pytest.mark.anyio

TOKEN_URL = "http://partner.example/oauth/token"
EC = ECKey.generate_key("P-256", parameters={"kid": "ec"}, auto_kid=False)
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"})


@pytest.fixture
def issuer() -> TokenIssuer:
    return TokenIssuer(KeySet([EC, RSA]).as_dict(private=False), TOKEN_URL)


@pytest.fixture
def client(issuer: TokenIssuer) -> httpx.AsyncClient:
    async def whoami(request: Request) -> Response:
        return PlainTextResponse(issuer.require(request))

    app = Sandbox("partner", [Route("/whoami", whoami)], ledger=Ledger(), issuer=issuer).app
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://partner.example")


def assertion(key: Key = EC, alg: str = "ES256", kid: str | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "hub",
        "sub": "hub",
        "aud": TOKEN_URL,
        "exp": now + 120,
        "iat": now,
        "jti": str(uuid.uuid4()),
    } | changes
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": kid or key.kid}, present, key, algorithms=[alg])


async def ask(client: httpx.AsyncClient, text: str, **form: str) -> httpx.Response:
    full = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": text,
    } | form
    return await client.post("/oauth/token", data=full)


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS512"), (RSA, "PS256")])
async def test_a_signed_assertion_gets_a_token_that_names_its_client(
    client: httpx.AsyncClient, key: Key, alg: str
) -> None:
    # when a client proves itself with any of the algorithms in use
    reply = await ask(client, assertion(key, alg))
    # then the token is shaped as the NHS API platform's, and opens the door
    assert reply.status_code == 200
    assert {**reply.json(), "access_token": ""} == {"access_token": "", "expires_in": "599", "token_type": "Bearer"}
    opened = await client.get("/whoami", headers={"Authorization": f"Bearer {reply.json()['access_token']}"})
    assert (opened.status_code, opened.text) == (200, "hub")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "http://partner.example/oauth/token/"},
        {"aud": None},
        {"sub": "someone-else"},
        {"iss": None, "sub": None},
        {"exp": int(time.time()) - 60},
        {"exp": int(time.time()) + 3600},
        {"exp": None},
        {"exp": "soon"},
        {"jti": None},
    ],
    ids=[
        *("other audience", "no audience", "other subject", "nobody", "expired", "lasts too long"),
        *("never expires", "expires in words", "no id"),
    ],
)
async def test_an_assertion_with_one_rule_broken_is_refused(client: httpx.AsyncClient, changes: dict[str, Any]) -> None:
    reply = await ask(client, assertion(**changes))
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


async def test_an_assertion_is_good_once(client: httpx.AsyncClient) -> None:
    text = assertion()
    assert (await ask(client, text)).status_code == 200
    assert (await ask(client, text)).status_code == 401


@pytest.mark.parametrize("text", ["", "not.a.jwt", "a.b", "\u0000"])
async def test_what_is_no_assertion_is_refused_in_the_same_way(client: httpx.AsyncClient, text: str) -> None:
    assert (await ask(client, text)).status_code == 401


async def test_a_stranger_s_key_is_refused_even_under_a_known_kid(client: httpx.AsyncClient) -> None:
    stranger = ECKey.generate_key("P-256")
    assert (await ask(client, assertion(stranger, kid="ec"))).status_code == 401
    assert (await ask(client, assertion(stranger, kid="nobody"))).status_code == 401


async def test_only_client_credentials_with_an_assertion_are_taken(client: httpx.AsyncClient) -> None:
    assert (await ask(client, assertion(), grant_type="password")).json() == {"error": "unsupported_grant_type"}
    assert (await ask(client, assertion(), client_assertion_type="x")).json()["error"] == "invalid_request"


async def test_expired_tokens_open_nothing_until_a_new_one_is_asked_for(client: httpx.AsyncClient) -> None:
    # given a token that works
    token = (await ask(client, assertion())).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/whoami", headers=headers)).status_code == 200
    # when the partner makes every token invalid
    assert (await client.put("/sandbox/tokens", json={"expired": True})).status_code == 204
    # then it is refused with the header that says why
    refused = await client.get("/whoami", headers=headers)
    assert refused.status_code == 401
    assert "invalid_token" in refused.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nothing", "Basic abc"])
async def test_no_token_is_401(client: httpx.AsyncClient, header: str) -> None:
    assert (await client.get("/whoami", headers={"Authorization": header})).status_code == 401


async def test_a_token_ends_after_its_lifetime() -> None:
    # given an issuer whose tokens last no time at all
    issuer = TokenIssuer(KeySet([EC]).as_dict(private=False), TOKEN_URL, lifetime=0)

    async def whoami(request: Request) -> Response:
        return PlainTextResponse(issuer.require(request))

    app = Sandbox("partner", [Route("/whoami", whoami)], ledger=Ledger(), issuer=issuer).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://partner.example") as client:
        token = (await ask(client, assertion())).json()["access_token"]
        # then it opens nothing
        assert (await client.get("/whoami", headers={"Authorization": f"Bearer {token}"})).status_code == 401
