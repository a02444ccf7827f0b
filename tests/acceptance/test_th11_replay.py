"""TH11: whoever recorded a true request and sends it again gets nothing done: submit, answer, withdraw, webhook."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from tests.acceptance.caller import as_json
from tests.acceptance.house import House, sign, until_true
from tests.acceptance.telling import HOUSING, a_share

STILL = ("shares", "consents", "deliveries", "answers", "consent_events", "lawful_bases")


def still(house: House) -> dict[str, int]:
    """How much there is of what a replay could add to, once nothing is under way."""
    counts = house.settled()
    return {name: counts[name] for name in STILL}


def twice(house: House, path: str, document: dict[str, Any]) -> tuple[httpx.Response, httpx.Response, httpx.Response]:
    """Post, then send the recorded bytes again, then once more under another Idempotency-Key."""
    raw = as_json(document)
    recorded = house.cases.headers(raw)
    first = house.cases.http.post(path, content=raw, headers=recorded)
    before = still(house)
    again = house.cases.http.post(path, content=raw, headers=recorded)
    other = house.cases.http.post(path, content=raw, headers=recorded | {"idempotency-key": str(uuid.uuid4())})
    assert still(house) == before
    return first, again, other


def test_th11_a_recorded_submit_heard_answer_or_withdrawal_does_nothing_again(house: House) -> None:
    # given a share that was sent once, when its recorded request comes again, then it is a replay
    first, again, other = twice(house, "/v1/shares", a_share(HOUSING))
    assert (first.status_code, again.status_code, other.status_code) == (202, 401, 401)
    receipt = first.json()
    delivery = house.cases.delivery(receipt["id"], HOUSING)
    # and so with an answer that was heard by telephone
    said = {"state": "accepted", "how": "phone", "on": "2026-11-20", "told_to": "Jo", "said_by": "The duty desk"}
    first, again, other = twice(house, f"/v1/deliveries/{delivery['id']}/heard", said)
    assert first.status_code in {200, 201, 202}, first.text
    assert (again.status_code, other.status_code) == (401, 401)
    # and with a withdrawal
    first, again, other = twice(house, f"/v1/consents/{receipt['consent']}/withdraw", {})
    assert first.status_code == 200, first.text
    assert (again.status_code, other.status_code) == (401, 401)


def test_th11_a_recorded_callback_of_a_partner_answers_nothing_again(house: House) -> None:
    # given a council's true answer, as it went over the wire
    receipt = house.cases.send(a_share(HOUSING))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    body = as_json({"idempotencyKey": house.key_of(receipt, HOUSING), "status": "RECEIVED"})
    headers, url = sign(body, house.troupe.callback_secret), f"{house.url}/v1/callbacks/{HOUSING}"
    assert httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False).is_success
    until_true("it to be read", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "received")
    before = still(house) | {"inbox": house.counts()["inbox"]}
    # when the very same comes ten times more, then nothing is kept of it
    replies = [httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False) for _ in range(10)]
    assert still(house) | {"inbox": house.counts()["inbox"]} == before
    assert not [each for each in replies if each.status_code == 500]
