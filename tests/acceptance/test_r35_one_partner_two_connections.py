"""R35: a partner with two connections answers each where it belongs; size and depth are no reason to lose an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from hub.sandbox import instance
from tests.acceptance.house import House, replace_in, until_true
from tests.acceptance.telling import TREATMENT, a_share

#: In front of the connection that sent the share, by name.
SECOND = "another-treatment"


def _add_second(folder: Path) -> None:
    """A second team of the same trust, reached over a connection of its own, with the same issuer and keys."""
    services = folder / "services"
    second = services / f"{SECOND}.toml"
    second.write_text((services / f"{TREATMENT}.toml").read_text(encoding="utf-8"), encoding="utf-8")
    replace_in(second, f'"{TREATMENT}"', f'"{SECOND}"')
    replace_in(second, '"start-treatment"', '"find-somewhere-to-live"')


@pytest.fixture
def two(new_house: Callable[..., House]) -> House:
    return new_house(edit=_add_second)


def _answer(key: str, **more: Any) -> dict[str, Any]:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "servicerequest-response"},
        "response": {"identifier": key},
    }
    referral = {"resourceType": "ServiceRequest", "id": "1", "status": "active", **more}
    entries = [{"resource": header}, {"resource": referral}]
    return {"resourceType": "Bundle", "type": "message", "id": str(uuid4()), "entry": entries}


def _post(house: House, content: bytes, token: str = "") -> httpx.Response:
    url = f"{house.url}/fhir/R4/$process-message"
    proof = {"authorization": f"Bearer {token or _token(house)}", "x-request-id": str(uuid4())}
    return httpx.post(url, content=content, headers=proof, timeout=15, trust_env=False)


def _token(house: House) -> str:
    key, now = house.troupe.made.receiver, int(time.time())
    claims = {
        "iss": "treatment-trust",
        "aud": f"{house.url}/fhir/R4/$process-message",
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid4()),
    }
    header = {"alg": "RS512", "typ": "JWT", "kid": key.kid}
    return jwt.encode(header, claims, RSAKey.import_key(key.pem()), algorithms=["RS512"])


def _delivered(house: House) -> tuple[dict[str, Any], str]:
    receipt = house.cases.send(a_share(TREATMENT))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    return receipt, house.key_of(receipt, TREATMENT)


def test_r35_an_answer_goes_to_the_connection_that_owns_what_it_answers(two: House) -> None:
    # given a trust with two connections, of which the first by name did not send this share
    assert next(name for name, each in two.hub.enabled.items() if each.manifest.transport == "bars") == SECOND
    receipt, key = _delivered(two)
    # when it answers
    token, content = _token(two), json.dumps(_answer(key)).encode()
    reply = _post(two, content, token)
    assert reply.status_code == 200, reply.text
    # then the answer is there
    until_true("the answer", lambda: two.cases.delivery(receipt["id"], TREATMENT)["answer"] == "accepted")
    assert [row["connection_id"] for row in two.rows("SELECT connection_id FROM inbox")] == [TREATMENT]
    # and its proof is used up for both connections
    assert _post(two, json.dumps(_answer("somebody")).encode(), token).status_code == 401
    assert two.rows("SELECT count(*) AS n FROM inbox") == [{"n": 1}]


def test_r35_what_nobody_owns_yet_is_kept_by_the_first(two: House) -> None:
    assert _post(two, json.dumps(_answer(str(uuid4()))).encode()).status_code == 200
    assert [row["connection_id"] for row in two.rows("SELECT connection_id FROM inbox")] == [SECOND]


def test_r35_a_nested_answer_is_read(house: House) -> None:
    # given an extension in an extension, forty levels deep
    receipt, key = _delivered(house)
    nested: dict[str, Any] = {"url": "https://trust.example/x", "valueString": "deep"}
    for _ in range(18):
        nested = {"url": "https://trust.example/x", "extension": [nested]}
    # when / then
    reply = _post(house, json.dumps(_answer(key, extension=[nested])).encode())
    assert reply.status_code == 200, reply.text
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], TREATMENT)["answer"] == "accepted")


@pytest.mark.parametrize(("depth", "beyond", "status"), [(70, False, 400), (1, True, 413)])
def test_r35_what_is_too_deep_or_too_large_is_said_as_fhir_says_it(
    house: House, depth: int, beyond: bool, status: int
) -> None:
    nested: Any = "x" * (house.hub.enabled[TREATMENT].manifest.limits.reply_bytes if beyond else 100)
    for _ in range(depth):
        nested = [nested]
    reply = _post(house, json.dumps(_answer(str(uuid4()), note=nested)).encode())
    assert reply.status_code == status
    assert reply.json()["resourceType"] == "OperationOutcome"
    assert instance.CLIENT not in reply.text
    assert "x" * 50 not in reply.text
