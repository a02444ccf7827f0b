"""Clients: the token endpoint takes one fresh assertion by the right key; the hub takes its own tokens only."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hub.domain.errors import Unauthenticated
from hub.security.assertions import ClientKey, client_assertion, token_request
from hub.security.clients import Client, ClientLookup, TokenEndpoint, TokenIssued, TokenRefused
from hub.security.keys import KeyRing, add_signing_key, generate
from hub.security.tokens import ALGORITHMS, KeySetError, Seen, public_keys

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ISSUER = "https://hub.example"
TOKEN_URL = "https://hub.example/oauth/token"
KEY = ClientKey.generate()
CLIENT = Client("housing-case-system", "borough-housing", KEY.jwks(), frozenset({"share.write", "share.read"}))


class Registry(dict[str, Client]):
    """The registered clients of a test, by id."""

    def __init__(self, *clients: Client) -> None:
        super().__init__({client.id: client for client in clients})


@pytest.fixture
def registry() -> Registry:
    """One registered client."""
    return Registry(CLIENT)


@pytest.fixture
def endpoint(ring: KeyRing, registry: Registry, seen: Seen) -> TokenEndpoint:
    """The hub's token endpoint."""
    return TokenEndpoint(ISSUER, TOKEN_URL, ring, registry.get, seen)


def issue(endpoint: TokenEndpoint, now: datetime = NOW) -> str:
    """A fresh access token for the one client."""
    reply = endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, now), now)
    assert isinstance(reply, TokenIssued)
    return reply.access_token


def refusal(check: Callable[[], object]) -> str:
    """The type of the refusal that a check ends in; it must have words and echo nothing."""
    with pytest.raises(Unauthenticated) as raised:
        check()
    assert raised.value.refusal.title
    assert raised.value.refusal.next_step
    return raised.value.refusal.type


def test_a_client_gets_a_token_that_proves_it_for_ten_minutes(endpoint: TokenEndpoint) -> None:
    # given a registered client, when it asks with its own key
    reply = endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, NOW), NOW)
    # then the token says who calls, with every registered scope, for ten minutes and no longer
    assert isinstance(reply, TokenIssued)
    assert reply.body() | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": 600,
        "scope": "share.read share.write",
    }
    header = f"Bearer {reply.access_token}"
    caller = endpoint.verify_access_token(header, NOW + timedelta(seconds=599))
    assert (caller.client_id, caller.partner, caller.scopes) == (CLIENT.id, CLIENT.partner, CLIENT.scopes)
    assert refusal(lambda: endpoint.verify_access_token(header, NOW + timedelta(seconds=600))) == "token-expired"


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_allowed_algorithm_works(ring: KeyRing, seen: Seen, algorithm: str) -> None:
    # given a client with a key of that algorithm, kept as PEM, when it asks, then it gets a token
    key = ClientKey.from_pem(ClientKey.generate(algorithm).pem(), algorithm)
    endpoint = TokenEndpoint(ISSUER, TOKEN_URL, ring, Registry(replace(CLIENT, jwks=key.jwks())).get, seen)
    assert isinstance(endpoint.issue(token_request(CLIENT.id, TOKEN_URL, key, NOW), NOW), TokenIssued)


def test_a_narrower_scope_can_be_asked_for_and_a_wider_one_not(endpoint: TokenEndpoint) -> None:
    # given a client with two scopes, when it asks for one, then the token holds that one
    narrow = endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, NOW, frozenset({"share.read"})), NOW)
    assert isinstance(narrow, TokenIssued)
    assert endpoint.verify_access_token(f"bearer {narrow.access_token}", NOW).scopes == {"share.read"}
    # when it asks for one that it lacks, then it gets none
    wide = endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, NOW, frozenset({"hub.admin"})), NOW)
    assert (wide.status, wide.body()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion": None}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_request"),
        ({"client_id": "somebody-else"}, "invalid_client"),
        ({"client_assertion": "not-a-token"}, "invalid_client"),
        ({"client_assertion": "a.b.c"}, "invalid_client"),
        ({"client_assertion": "é.é.é"}, "invalid_client"),
    ],
)
def test_ill_formed_requests_get_oauth_errors(
    endpoint: TokenEndpoint, form: Mapping[str, str | None], error: str
) -> None:
    # given a request with one member changed, when it is made, then the error is the one of RFC 6749
    changed = {**token_request(CLIENT.id, TOKEN_URL, KEY, NOW), **form}
    reply = endpoint.issue({name: value for name, value in changed.items() if value is not None}, NOW)
    assert isinstance(reply, TokenRefused)
    assert (reply.error, reply.status) == (error, 401 if error == "invalid_client" else 400)


def claims(**changed: object) -> dict[str, Any]:
    """A good client assertion's claims, some changed, None for absent."""
    at = int(NOW.timestamp())
    good = {"iss": CLIENT.id, "sub": CLIENT.id, "aud": TOKEN_URL, "iat": at, "exp": at + 300, "jti": "one"}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody-else"},
        {"iss": 7},
        {"sub": "somebody-else"},
        {"sub": None},
        {"aud": ISSUER},
        {"aud": TOKEN_URL + "/"},
        {"aud": [TOKEN_URL, "https://other.example"]},
        {"aud": None},
        {"exp": None},
        {"exp": AT},
        {"exp": AT - 1},
        {"exp": AT + 301},
        {"exp": AT + 301, "iat": None},
        {"exp": str(AT + 60)},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**30},
        {"iat": AT + 61, "exp": AT + 300},
        {"nbf": AT + 61},
        {"iat": AT - 200, "exp": AT + 101},
        {"iat": "now"},
        {"nbf": True},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 201},
        {"jti": 5},
        {"jti": "\ud800"},
    ],
)
def test_an_assertion_with_one_claim_wrong_is_refused(endpoint: TokenEndpoint, changed: dict[str, object]) -> None:
    # given a rightly signed assertion with one claim wrong, when it is used, then the client is not believed
    form = {**token_request(CLIENT.id, TOKEN_URL, KEY, NOW), "client_assertion": KEY.sign(claims(**changed))}
    reply = endpoint.issue(form, NOW)
    assert isinstance(reply, TokenRefused)
    assert reply.error == "invalid_client"


@pytest.mark.parametrize(
    "changed",
    [{}, {"iat": None}, {"aud": [TOKEN_URL]}, {"iat": AT + 60, "exp": AT + 360}, {"nbf": AT + 60}, {"jti": "x" * 200}],
)
def test_the_edges_of_the_rules_are_inside(endpoint: TokenEndpoint, changed: dict[str, object]) -> None:
    # given an assertion right at the edge of a rule, when it is used, then it works
    form = {**token_request(CLIENT.id, TOKEN_URL, KEY, NOW), "client_assertion": KEY.sign(claims(**changed))}
    assert isinstance(endpoint.issue(form, NOW), TokenIssued)


def test_an_assertion_works_once(endpoint: TokenEndpoint) -> None:
    # given an assertion that got a token, when it is used again while it lasts, then it gets none (TH11)
    form = token_request(CLIENT.id, TOKEN_URL, KEY, NOW)
    assert isinstance(endpoint.issue(form, NOW), TokenIssued)
    again = [endpoint.issue(form, NOW + timedelta(seconds=second)) for second in range(0, 300, 10)]
    assert {type(reply) for reply in again} == {TokenRefused}


def test_none_and_symmetric_algorithms_are_never_believed(endpoint: TokenEndpoint) -> None:
    # given the public key used as a shared secret, and no signature at all
    secret = OctKey.import_key(CLIENT.jwks)
    symmetric = jwt.encode({"alg": "HS256", "kid": KEY.kid}, claims(), secret, algorithms=["HS256"])
    bare = [
        ".".join([_part({"alg": alg, "kid": KEY.kid}), _part(claims()), ""]) for alg in ("none", "None", "NONE", "nOnE")
    ]
    odd = [".".join([_part(header), _part(claims()), "AAAA"]) for header in ({}, [], {"alg": 5}, {"alg": ["ES256"]})]
    # when they are used, then none gets a token
    for assertion in [symmetric, *bare, *odd]:
        reply = endpoint.issue({**token_request(CLIENT.id, TOKEN_URL, KEY, NOW), "client_assertion": assertion}, NOW)
        assert isinstance(reply, TokenRefused)


def test_a_hostile_token_costs_an_answer_and_no_more(endpoint: TokenEndpoint) -> None:
    # given tokens that nest deeply, are huge, or are not what they seem
    deep = ".".join([_part({"alg": "ES256"}), _encode(b"[" * 5000), "AAAA"])
    deep_header = ".".join([_encode(b'{"a":' * 3000), _part(claims()), "AAAA"])
    signed_list = KEY.sign(["iss"])  # type: ignore[arg-type]
    hostile = [signed_list, deep, deep_header, "a" * 9000, "." * 9000, "..", "...", "\x00.\x00.\x00", "é.a.b"]
    # when each is used both ways, then it is refused by value
    for token in hostile:
        form = {**token_request(CLIENT.id, TOKEN_URL, KEY, NOW), "client_assertion": token}
        assert isinstance(endpoint.issue(form, NOW), TokenRefused)
        assert refusal(lambda token=token: endpoint.verify_access_token(f"Bearer {token}", NOW)) == "token-malformed"


def test_strangers_wrong_keys_and_revoked_clients_sound_alike(endpoint: TokenEndpoint, registry: Registry) -> None:
    # given a stranger, a wrong key, and a revoked client, when each asks
    wrong = ClientKey.generate()
    replies = [
        endpoint.issue(token_request("stranger", TOKEN_URL, KEY, NOW), NOW),
        endpoint.issue(token_request(CLIENT.id, TOKEN_URL, wrong, NOW), NOW),
        endpoint.issue(token_request(CLIENT.id, TOKEN_URL, replace(wrong, kid=KEY.kid), NOW), NOW),
    ]
    registry[CLIENT.id] = replace(CLIENT, revoked=True)
    replies.append(endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, NOW), NOW))
    # then the answer does not tell which it was
    assert len({json.dumps(reply.body()) for reply in replies}) == 1
    assert replies[0].status == 401


def test_a_client_can_rotate_its_key_with_overlap(endpoint: TokenEndpoint, registry: Registry) -> None:
    # given two registered keys, when either is used, then it works; when one is taken away, it stops
    other = ClientKey.generate("ES384")
    both = json.dumps({"keys": json.loads(KEY.jwks())["keys"] + json.loads(other.jwks())["keys"]})
    registry[CLIENT.id] = replace(CLIENT, jwks=both)
    for key in (KEY, other):
        assert isinstance(endpoint.issue(token_request(CLIENT.id, TOKEN_URL, key, NOW), NOW), TokenIssued)
    registry[CLIENT.id] = replace(CLIENT, jwks=other.jwks())
    assert isinstance(endpoint.issue(token_request(CLIENT.id, TOKEN_URL, KEY, NOW), NOW), TokenRefused)


def test_an_access_tokens_refusals_are_told_apart(
    endpoint: TokenEndpoint, ring: KeyRing, seen: Seen, tmp_path: Path
) -> None:
    # given one good token, and others made by somebody else or for something else
    good = issue(endpoint)
    elsewhere = TokenEndpoint(ISSUER, TOKEN_URL, generate(tmp_path / "keys"), Registry(CLIENT).get, seen)
    other_issuer = TokenEndpoint("https://other.example", TOKEN_URL, ring, Registry(CLIENT).get, seen)
    assertion = client_assertion(CLIENT.id, TOKEN_URL, KEY, NOW)
    signing = ring.signing_keys[ring.signing_kid]
    other_type = jwt.encode({"alg": "ES256", "kid": ring.signing_kid}, claims(aud=ISSUER, iss=ISSUER), signing)
    meant_for_another = jwt.encode(
        {"alg": "ES256", "kid": ring.signing_kid, "typ": "at+jwt"},
        claims(iss=ISSUER, aud="https://other.example", scope="share.read"),
        signing,
    )
    cases = {
        None: "token-missing",
        f"Bearer {meant_for_another}": "token-foreign",
        "": "token-missing",
        good: "token-malformed",
        f"Basic {good}": "token-malformed",
        "Bearer ": "token-malformed",
        "Bearer x.y": "token-malformed",
        f"Bearer {good} {good}": "token-malformed",
        f"Bearer {issue(elsewhere)}": "token-foreign",
        f"Bearer {issue(other_issuer)}": "token-foreign",
        f"Bearer {assertion}": "token-foreign",
        f"Bearer {other_type}": "token-foreign",
        f"Bearer {issue(endpoint, NOW + timedelta(minutes=3))}": "token-clock-skew",
        f"Bearer {issue(endpoint, NOW - timedelta(minutes=10))}": "token-expired",
    }
    # when each is presented, then each has its own refusal
    assert {header: refusal(lambda h=header: endpoint.verify_access_token(h, NOW)) for header in cases} == cases


def test_revoking_and_removing_a_client_stops_its_token(endpoint: TokenEndpoint, registry: Registry) -> None:
    # given a token in use
    header = f"Bearer {issue(endpoint)}"
    assert endpoint.verify_access_token(header, NOW).client_id == CLIENT.id
    # when the client is revoked, narrowed or removed, then the same token follows at once (TH16)
    registry[CLIENT.id] = replace(CLIENT, scopes=frozenset({"share.read"}))
    assert endpoint.verify_access_token(header, NOW).scopes == {"share.read"}
    registry[CLIENT.id] = replace(CLIENT, revoked=True)
    assert refusal(lambda: endpoint.verify_access_token(header, NOW)) == "client-revoked"
    del registry[CLIENT.id]
    assert refusal(lambda: endpoint.verify_access_token(header, NOW)) == "client-unknown"


def test_a_lookup_forgets_within_five_seconds(registry: Registry) -> None:
    # given a lookup that has seen the client, on a clock of ours
    now = [0.0]
    reads: list[str] = []

    def read(client_id: str) -> Client | None:
        reads.append(client_id)
        return registry.get(client_id)

    lookup = ClientLookup(read, clock=lambda: now[0])
    assert lookup(CLIENT.id) == CLIENT
    # when it is revoked, then the old answer lasts less than five seconds, and reads are few
    registry[CLIENT.id] = replace(CLIENT, revoked=True)
    stale = 0.0
    while (found := lookup(CLIENT.id)) is not None and not found.revoked:
        now[0] += 0.1
        stale = now[0]
    assert 0 < stale <= 5
    assert len(reads) == 2
    # and an id nobody registered is asked for again each time, and kept nowhere
    assert [lookup("stranger"), lookup("stranger")] == [None, None]
    assert len(reads) == 4


def test_a_token_signed_before_a_rotation_still_works(tmp_path: Path, seen: Seen) -> None:
    # given a token signed by the first key, when the signing key is rotated, then it still proves its client
    folder = tmp_path / "keys"
    registry = Registry(CLIENT)
    before = issue(TokenEndpoint(ISSUER, TOKEN_URL, generate(folder), registry.get, seen))
    add_signing_key(folder)
    after = TokenEndpoint(ISSUER, TOKEN_URL, KeyRing.load(folder), registry.get, seen)
    assert after.verify_access_token(f"Bearer {before}", NOW).client_id == CLIENT.id


def test_no_altered_token_or_assertion_is_believed(endpoint: TokenEndpoint) -> None:
    # given a good token and a good assertion
    token = issue(endpoint)
    form = token_request(CLIENT.id, TOKEN_URL, KEY, NOW)
    # when any single character of either is changed, every place at least twice
    believed = 0
    tokens_tried = mutations(token, 2)
    for altered in tokens_tried:
        try:
            endpoint.verify_access_token(f"Bearer {altered}", NOW)
            believed += 1
        except Unauthenticated:
            pass
    assertions_tried = mutations(form["client_assertion"], 2)
    for altered in assertions_tried:
        believed += isinstance(endpoint.issue({**form, "client_assertion": altered}, NOW), TokenIssued)
    # then none of more than a thousand is believed, and the original still is
    assert len(tokens_tried) + len(assertions_tried) > 1000
    assert believed == 0
    assert isinstance(endpoint.issue(form, NOW), TokenIssued)


@pytest.mark.parametrize(
    ("jwks", "code"),
    [
        ("", "key-set-malformed"),
        ("[]", "key-set-malformed"),
        ('{"keys": []}', "key-set-empty-or-ambiguous"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}]}', "key-set-private"),
        ('{"keys": [{"kty": "EC", "crv": "P-256"}]}', "key-set-malformed"),
        ('{"keys": [{"kty": "RSA", "e": "AQAB", "n": "' + "u" * 171 + '"}]}', "key-set-weak"),
        ("[" * 100_000, "key-set-malformed"),
    ],
)
def test_unusable_key_sets_are_refused_with_a_reason(jwks: str, code: str) -> None:
    # given a key set that is empty, weak, symmetric or broken, when imported, then its code says what to mend
    with pytest.raises(KeySetError, match=code):
        public_keys(jwks)


def test_a_private_key_is_refused_as_a_key_set() -> None:
    # given a partner that sent its private key by mistake, when imported, then it is refused
    private = ClientKey.generate()._key.as_dict(private=True)
    with pytest.raises(KeySetError, match="key-set-private"):
        public_keys(json.dumps({"keys": [private]}))


def mutations(token: str, each: int) -> list[str]:
    """The token with one character changed, `each` times at every place, the same on every run."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= "
    chance = random.Random(7)
    altered = []
    for place, kept in enumerate(token):
        for other in chance.sample([letter for letter in alphabet if letter != kept], each):
            altered.append(token[:place] + other + token[place + 1 :])
    return altered


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _part(content: object) -> str:
    return _encode(json.dumps(content).encode())
