"""Bearer tokens: one fetch for all who wait, kept until shortly before the end, and the assertion partners ask for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from hub.sdk import Response
from hub.sdk.connector import NoReply, NotSent
from hub.sdk.transports.oauth import BearerTokens, TokenRefused

pytestmark = pytest.mark.anyio

URL = "https://api.partner.example/oauth2/token"
EC = ECKey.generate_key("P-256", {"kid": "ec-1"}, private=True)


class Partner:
    """A context whose token end point counts what it is asked; it answers with whatever stands in `reply`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        self.secrets: Mapping[str, str] = {}
        self.forms: list[dict[str, list[str]]] = []
        self.reply: Response | Exception | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        starts: bool = True,
    ) -> Response:
        assert (method, url, starts) == ("POST", URL, False)
        assert headers is not None
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        self.forms.append(parse_qs((content or b"").decode()))
        await asyncio.sleep(0)
        if isinstance(self.reply, Exception):
            raise self.reply
        body = {"access_token": f"t{len(self.forms)}", "expires_in": "599", "token_type": "Bearer"}
        return self.reply or Response(200, {}, json.dumps(body).encode())


def tokens(alg: str = "ES256") -> BearerTokens:
    return BearerTokens(URL, "our-client", EC.as_dict(private=True), alg)


@pytest.mark.parametrize(("alg", "key"), [("ES256", EC), ("RS512", RSAKey.generate_key(2048, {"kid": "rsa-1"}))])
async def test_the_assertion_says_what_partners_check(alg: str, key: ECKey | RSAKey) -> None:
    # given a client key as JWK and as PEM
    partner = Partner()
    for form in (json.dumps(key.as_dict(private=True)), key.as_pem(private=True).decode()):
        # when a token is fetched
        await BearerTokens(URL, "our-client", form, alg, kid="our-kid").authorization(partner)
    # then each assertion verifies with the public key, for exactly this URL, for less than five minutes, only once
    proofs = [jwt.decode(f["client_assertion"][0], key, algorithms=[alg]) for f in partner.forms]
    for proof in proofs:
        assert proof.header == {"alg": alg, "typ": "JWT", "kid": "our-kid"}
        assert (proof.claims["iss"], proof.claims["sub"], proof.claims["aud"]) == ("our-client", "our-client", URL)
        assert 0 < proof.claims["exp"] - partner.now.timestamp() <= 300
    assert proofs[0].claims["jti"] != proofs[1].claims["jti"]
    assert partner.forms[0]["grant_type"] == ["client_credentials"]


async def test_many_who_wait_share_one_fetch() -> None:
    # given fifty deliveries that need a token at once
    partner, ours = Partner(), tokens()
    # when all ask
    got = await asyncio.gather(*(ours.authorization(partner) for _ in range(50)))
    # then the partner was asked once
    assert set(got) == {"Bearer t1"}
    assert len(partner.forms) == 1


async def test_a_token_is_kept_until_thirty_seconds_before_its_end() -> None:
    partner, ours = Partner(), tokens()
    assert await ours.authorization(partner) == "Bearer t1"
    # when 568 of 599 seconds passed, then it is still used
    partner.now += timedelta(seconds=568)
    assert await ours.authorization(partner) == "Bearer t1"
    # when 570 passed, then it is replaced
    partner.now += timedelta(seconds=2)
    assert await ours.authorization(partner) == "Bearer t2"


async def test_renew_forgets_a_refused_token_but_not_its_successor() -> None:
    partner, ours = Partner(), tokens()
    first = await ours.authorization(partner)
    # when two calls report the same refused token, one after the renewal of the other
    ours.renew(first)
    second = await ours.authorization(partner)
    ours.renew(first)
    # then the new token stays; and a plain renew drops it
    assert await ours.authorization(partner) == second == "Bearer t2"
    ours.renew()
    assert await ours.authorization(partner) == "Bearer t3"


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refused_client_is_told_apart_from_a_partner_that_is_down(status: int) -> None:
    partner = Partner()
    partner.reply = Response(status)
    with pytest.raises(TokenRefused, match="token-refused") as caught:
        await tokens().authorization(partner)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Response(503), "token-unavailable"),
        (Response(200, {}, b"<html>"), "token-unreadable"),
        (Response(200, {}, b"[]"), "token-unreadable"),
        (Response(200, {}, b'{"token": "x"}'), "token-unreadable"),
        (NoReply("deadline"), "token-no-reply"),
        (NotSent("connection"), "connection"),
    ],
)
async def test_without_a_token_no_parcel_left(reply: Response | Exception, reason: str) -> None:
    # given a token end point in trouble
    partner, ours = Partner(), tokens()
    partner.reply = reply
    # then the caller learns that nothing was sent, and the next call tries again
    with pytest.raises(NotSent) as caught:
        await ours.authorization(partner)
    assert (caught.value.reason, isinstance(caught.value, TokenRefused)) == (reason, False)
    partner.reply = None
    assert await ours.authorization(partner) == "Bearer t2"


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        ("not a key", "ES256"),
        (EC.as_dict(private=True), "RS512"),
        (EC.as_dict(private=False), "ES256"),
        (EC.as_dict(private=True), "HS256"),
        (EC.as_dict(private=True), "none"),
        ("{broken", "ES256"),
    ],
)
def test_a_key_that_does_not_fit_is_refused_without_being_echoed(key: str, alg: str) -> None:
    with pytest.raises(ValueError, match=r"algorithm|public key") as caught:
        BearerTokens(URL, "our-client", key, alg)
    assert str(key) not in str(caught.value)
