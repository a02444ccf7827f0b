"""The council's own rules, and that it knows its referrals again after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hub_housing.sandbox import make

from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.serve import Surroundings

pytestmark = pytest.mark.anyio

REFERRAL = {
    "localAuthorityAreaId": "E07000008",
    "referenceNumber": "K7M-4QX",
    "status": "SUBMITTED",
    "contact": {"rule": "safe first"},
    "person": {"name": "Sam"},
    "reason": {"code": "HOMELESS"},
    "submissionNote": "",
}


def council(ledger: Ledger | None = None, **settings: Any) -> httpx.AsyncClient:
    sandbox = make(Surroundings("http://council.example", ledger or Ledger(), None, settings))
    return httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://council.example")


async def post(client: httpx.AsyncClient, body: object, key: str = "k1") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/referrals", content=content, headers={"Idempotency-Key": key} if key else {})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (REFERRAL | {"localAuthorityAreaId": "W06000015"}, "not-our-area"),
        (REFERRAL | {"localAuthorityAreaId": "E07000009"}, "not-our-area"),
        (REFERRAL | {"localAuthorityAreaId": None}, "not-our-area"),
        (REFERRAL | {"status": "ACCEPTED"}, "first-status-must-be-submitted"),
        (REFERRAL | {"status": "WITHDRAWN"}, "nothing-to-withdraw"),
        (REFERRAL | {"referenceNumber": ""}, "reference-missing"),
        (REFERRAL | {"submissionNote": "x" * 4001}, "note-too-long"),
        (REFERRAL | {"person": {}}, "person-missing"),
        (REFERRAL | {"contact": None}, "contact-missing"),
        (REFERRAL | {"reason": None}, "reason-missing"),
        ([], "reference-missing"),
        (b"{", "not-json"),
        (b"\xff", "not-json"),
    ],
)
async def test_a_referral_that_breaks_a_rule_is_refused_and_not_kept(body: object, code: str) -> None:
    async with council(authority="E07000008") as client:
        reply = await post(client, body)
        assert (reply.status_code, reply.json()) == (422, {"code": code})
        assert (await client.get("/referrals?idempotencyKey=k1")).json() == {"referrals": []}


async def test_a_referral_needs_a_key() -> None:
    async with council() as client:
        assert (await post(client, REFERRAL, key="")).json() == {"code": "idempotency-key-missing"}


async def test_a_referral_is_found_by_its_key_and_keeps_its_receipt_over_a_crash(tmp_path: Path) -> None:
    # given a council that took a referral
    file = tmp_path / "ledger.jsonl"
    async with council(Ledger(file)) as client:
        receipt = (await post(client, REFERRAL)).json()["id"]
    # when a new process reads the same ledger
    async with council(Ledger(file)) as client:
        # then it is the same referral, and a second arrival is known
        (found,) = (await client.get("/referrals?idempotencyKey=k1")).json()["referrals"]
        assert (found["id"], found["status"]) == (receipt, "SUBMITTED")
        again = await post(client, REFERRAL)
        assert (again.status_code, again.json()["id"]) == (200, receipt)


async def test_without_a_place_to_answer_to_it_says_that_nobody_took_it() -> None:
    async with council() as client:
        await post(client, REFERRAL)
        said = (await client.post("/sandbox/say", json={"key": "k1", "status": "ACCEPTED"})).json()
        assert (said["status"], said["referral"]["status"]) == (0, "ACCEPTED")


async def test_it_says_nothing_about_a_referral_that_it_does_not_have() -> None:
    async with council() as client:
        assert (await client.post("/sandbox/say", json={"key": "k9", "status": "ACCEPTED"})).status_code == 404
