"""Tokens of a certified OAuth server (oidc-provider): got, kept, renewed, and refused, by key and by secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey

from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.oauth import BearerTokens, TokenRefused
from tests.peers.fhir import BY_KEY, BY_SECRET, LIFETIME, FhirServer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[FhirServer]:
    with FhirServer() as running:
        yield running


@pytest.mark.parametrize("client", [BY_KEY, BY_SECRET])
async def test_a_token_is_got_kept_and_renewed(client: str, server: FhirServer) -> None:
    # given
    tokens, begun = server.tokens(client), datetime.now(UTC)
    async with PlainContext(now=begun) as now, PlainContext(now=begun + timedelta(seconds=LIFETIME - 40)) as soon:
        # when: it is asked for three times, and once more after a 401
        first, again, kept = [await tokens.authorization(each) for each in (now, now, soon)]
        tokens.renew(first)
        after_refusal = await tokens.authorization(now)
        # then: the server knows each, and only the last is another
        for token in (first, after_refusal):
            reply = await now.send("GET", f"{server.url}/Task", headers={"authorization": token})
            assert reply.status == 200
        assert first == again == kept != after_refusal
    # and close to its end it is replaced before it is used
    async with PlainContext(now=begun + timedelta(seconds=LIFETIME - 10)) as late:
        assert await tokens.authorization(late) != after_refusal


@pytest.mark.parametrize(
    ("client", "key", "alg"),
    [
        (BY_KEY, ECKey.generate_key("P-256", {"kid": "hub-1"}).as_dict(private=True), "ES256"),
        (BY_SECRET, "another secret", "client_secret"),
        ("nobody", "another secret", "client_secret"),
    ],
)
async def test_a_client_it_does_not_know_is_refused(client: str, key: str, alg: str, server: FhirServer) -> None:
    async with PlainContext() as context:
        with pytest.raises(TokenRefused):
            await BearerTokens(server.token_url, client, key, alg).authorization(context)


async def test_without_a_token_nothing_is_given(server: FhirServer) -> None:
    async with PlainContext() as context:
        reply = await context.send("GET", f"{server.url}/Task", headers={"authorization": "Bearer made-up"})
        assert reply.status == 401
