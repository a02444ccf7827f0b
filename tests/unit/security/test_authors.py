"""Authors: an assertion proves one worker, one body, one time, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.errors import Unauthenticated
from hub.security.assertions import ClientKey, author_assertion, client_assertion
from hub.security.authors import Author, author_replayed, read_author
from hub.security.clients import Client
from hub.security.tokens import Seen

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
AT = int(NOW.timestamp())
HUB = "https://hub.example"
KEY = ClientKey.generate()
CLIENT = Client("housing-case-system", "borough-housing", KEY.jwks(), frozenset({"share.write"}))
BODY = b'{"reference": "S-1", "sections": []}'


def refusal(check: Callable[[], object]) -> str:
    """The type of the refusal that a check ends in."""
    with pytest.raises(Unauthenticated) as raised:
        check()
    return raised.value.refusal.type


def signed(**changed: object) -> str:
    """A rightly signed assertion over BODY, some claims changed, None for absent."""
    claims: dict[str, Any] = {
        "iss": CLIENT.id,
        "aud": HUB,
        "sub": "w-7",
        "role": "caseworker",
        "iat": AT,
        "exp": AT + 300,
        "jti": "one",
        "body_sha256": hashlib.sha256(BODY).hexdigest(),
        **changed,
    }
    return KEY.sign({name: value for name, value in claims.items() if value is not None})


def test_an_assertion_proves_worker_role_and_body(seen: Seen) -> None:
    # given what a case system signs, when the hub reads it
    made = author_assertion(CLIENT.id, HUB, KEY, NOW, subject="w-7", role="caseworker", body=BODY)
    author = read_author(made, CLIENT, BODY, NOW, HUB)
    # then it knows the worker's opaque id and role, and how long to remember the use
    assert (author.subject, author.role) == ("w-7", "caseworker")
    assert author.once.until >= NOW + timedelta(minutes=5)
    assert "w-7" not in author.once.token


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": CLIENT.partner},
        {"body_sha256": base64.urlsafe_b64encode(hashlib.sha256(BODY).digest()).rstrip(b"=").decode()},
        {"iat": AT + 60, "exp": AT + 360},
    ],
)
def test_other_rightful_forms_are_taken(seen: Seen, changed: dict[str, object]) -> None:
    # given a rightful variation, when it is read, then it proves the same author
    author = read_author(signed(**changed), CLIENT, BODY, NOW, HUB)
    assert (author.subject, author.role) == ("w-7", "caseworker")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": AT}, "author-expired"),
        ({"iat": AT - 400, "exp": AT - 100}, "author-expired"),
        ({"iat": AT + 61, "exp": AT + 300}, "author-clock-skew"),
        ({"nbf": AT + 61}, "author-clock-skew"),
        ({"exp": AT + 301}, "author-untrusted"),
        ({"exp": None}, "author-untrusted"),
        ({"iat": None}, "author-untrusted"),
        ({"jti": None}, "author-untrusted"),
        ({"sub": None}, "author-untrusted"),
        ({"sub": "w\n7"}, "author-untrusted"),
        ({"sub": ""}, "author-untrusted"),
        ({"role": None}, "author-untrusted"),
        ({"role": "x" * 61}, "author-role"),
        ({"role": "DBS 001234567890"}, "author-role"),
        ({"role": "key worker, day shift"}, "author-role"),
        ({"role": "key  worker"}, "author-role"),
        ({"role": "-"}, "author-role"),
        ({"iss": "another-client"}, "author-untrusted"),
        ({"iss": None}, "author-untrusted"),
        ({"aud": "https://other.example"}, "author-untrusted"),
        ({"body_sha256": None}, "author-body-changed"),
        ({"body_sha256": hashlib.sha256(BODY + b" ").hexdigest()}, "author-body-changed"),
        ({"body_sha256": hashlib.sha256(BODY).hexdigest().upper()}, "author-body-changed"),
        ({"body_sha256": "é"}, "author-body-changed"),
        ({"body_sha256": ["x"]}, "author-body-changed"),
    ],
)
def test_one_thing_wrong_is_refused_by_name(seen: Seen, changed: dict[str, object], code: str) -> None:
    # given an assertion with one thing wrong, when it is read, then the refusal names it
    assert refusal(lambda: read_author(signed(**changed), CLIENT, BODY, NOW, HUB)) == code


@pytest.mark.parametrize("stated", ["Key worker", "x" * 60, "Gweithiŵr allweddol", "co-lead"])
def test_a_role_in_words_of_any_alphabet_is_taken(seen: Seen, stated: str) -> None:
    # given a role in words, when the assertion is read, then it is the author's
    assert read_author(signed(role=stated), CLIENT, BODY, NOW, HUB).role == stated


@pytest.mark.parametrize("missing", [None, ""])
def test_no_assertion_is_refused(seen: Seen, missing: str | None) -> None:
    # given no assertion, when read, then nobody is the author
    assert refusal(lambda: read_author(missing, CLIENT, BODY, NOW, HUB)) == "author-missing"


def test_another_key_and_another_kind_of_token_prove_nobody(seen: Seen) -> None:
    # given an assertion by another key under our kid, a client assertion, and a client whose key set is broken
    other = replace(ClientKey.generate(), kid=KEY.kid)
    forged = author_assertion(CLIENT.id, HUB, other, NOW, subject="w-7", role="caseworker", body=BODY)
    wrong_kind = client_assertion(CLIENT.id, HUB, KEY, NOW)
    for assertion, client in [(forged, CLIENT), (wrong_kind, CLIENT), (signed(), replace(CLIENT, jwks="{}"))]:
        # when read, then nobody is proved
        found = refusal(lambda a=assertion, c=client: read_author(a, c, BODY, NOW, HUB))
        assert found == "author-untrusted"


def test_the_use_of_an_assertion_is_told_apart_by_client(seen: Seen) -> None:
    # given one jti from two clients, when each is read and used, then each works once (TH11)
    neighbour = replace(CLIENT, id="health-case-system")
    for client in (CLIENT, neighbour):
        once = read_author(signed(iss=client.id), client, BODY, NOW, HUB).once
        assert seen.first_time(once.kind, once.token, once.until)
        assert not seen.first_time(once.kind, once.token, once.until)
    assert author_replayed().refusal.type == "author-replayed"


def test_reading_alone_records_nothing(seen: Seen) -> None:
    # given a caller that commits the use itself, when it reads twice, then the same use comes out twice
    assertion = signed()
    reads: list[Author] = [read_author(assertion, CLIENT, BODY, NOW, HUB) for _ in range(2)]
    assert reads[0].once == reads[1].once
    assert seen.first_time(reads[0].once.kind, reads[0].once.token, reads[0].once.until)


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_only_the_exact_bytes_are_covered(body: bytes, other: bytes) -> None:
    # given an assertion over one body, when it is read with another, then only equal bytes pass
    made = author_assertion(CLIENT.id, HUB, KEY, NOW, subject="w-7", role="caseworker", body=body)
    if body == other:
        assert read_author(made, CLIENT, other, NOW, HUB).role == "caseworker"
    else:
        assert refusal(lambda: read_author(made, CLIENT, other, NOW, HUB)) == "author-body-changed"


def test_no_altered_assertion_is_believed() -> None:
    # given a good assertion, when any one character is changed, three ways at every place
    assertion = signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= "
    chance = random.Random(11)
    tried = 0
    for place, kept in enumerate(assertion):
        for other in chance.sample([letter for letter in alphabet if letter != kept], 3):
            altered = assertion[:place] + other + assertion[place + 1 :]
            # then it proves nobody
            assert refusal(lambda a=altered: read_author(a, CLIENT, BODY, NOW, HUB)).startswith("author-")
            tried += 1
    assert tried > 1000
