"""Bad messages: what was heard, withdrawn or called back in a bad shape, or by another, leaves nothing behind."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from hub.security.assertions import ClientKey
from tests.acceptance.caller import as_json
from tests.acceptance.house import House
from tests.acceptance.refusals import (
    CANARY,
    heard,
    known_delivery,
    refused,
)
from tests.acceptance.telling import HOUSING, TREATMENT

pytestmark = pytest.mark.usefixtures("one_share", "nothing_stored")


BAD_HEARD = {
    "no-state": {"how": "phone", "on": "2026-11-20", "told_to": CANARY},
    "unknown-state": heard(state=CANARY),
    "awaited": heard(state="awaited"),
    "unknown-way": heard(how="carrier pigeon"),
    "no-date": heard(on=CANARY),
    "tomorrow": heard(on="2027-01-01"),
    "nobody": heard(told_to="   "),
    "too-long": heard(told_to=CANARY * 40),
    "text-too-long": heard(text=CANARY * 400),
    "unknown-name": heard(**{f"{CANARY}_name": CANARY}),
    "wrong-type": heard(owner=[CANARY]),
    "control-characters": heard(told_to=f"{CANARY}\u0000"),
    "two-lines": heard(told_to=f"{CANARY}\nbcc: someone"),
}


@pytest.mark.parametrize("name", BAD_HEARD)
def test_what_was_heard_in_a_bad_shape_is_refused(house: House, name: str) -> None:
    # given a delivery of ours, and a record that cannot be used
    reply = house.cases.post(f"/v1/deliveries/{known_delivery(house)}/heard", BAD_HEARD[name])
    # then it is refused with what to mend
    assert refused(reply, 422)["faults"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"services": "x"}', b'{"services": [1]}', b'{"why": "Zz9Canary"}', b"{" * 90]
)
def test_a_withdrawal_in_a_bad_shape_is_refused(house: House, body: bytes) -> None:
    # given a consent of ours
    record = house.rows("SELECT record_id FROM consents")[0]["record_id"]
    # when it is withdrawn with a body that cannot be read
    refused(house.cases.post(f"/v1/consents/{record}/withdraw", body), 400, 422)
    # then it still stands
    assert {row["state"] for row in house.rows("SELECT state FROM consents")} == {"given"}


def test_what_belongs_to_another_partner_looks_like_what_is_not_there(house: House, one_share: dict[str, Any]) -> None:
    # given a share, consent and delivery of one partner, and another partner's client
    def asked(share: str, record: str, delivery: str) -> list[httpx.Response]:
        return [
            house.other.get(f"/v1/shares/{share}"),
            house.other.post(f"/v1/consents/{record}/withdraw", {}),
            house.other.post(f"/v1/deliveries/{delivery}/heard", heard()),
        ]

    # when it asks for them, and for ids that nobody has
    theirs = asked(one_share["id"], one_share["consent"], known_delivery(house))
    nobodys = asked(*(uuid.uuid4().hex for _ in range(3)))
    odd = asked("../../etc/passwd", f"'; DROP TABLE shares; -- {CANARY}", "%00")
    # then both are the same 404, byte for byte, head and body
    for one, none in zip(theirs, nobodys, strict=True):
        assert refused(one, 404)
        assert one.content == none.content
        names = set(one.headers) - {"date"}
        assert {name: one.headers[name] for name in names} == {name: none.headers[name] for name in names}
    for each in odd:
        refused(each, 404, 405)


def _bars(house: House, claims: dict[str, Any] | None = None, key: ClientKey | None = None) -> str:
    now = int(datetime.now(UTC).timestamp())
    url = f"{house.url}/fhir/R4/$process-message"
    usual = {"iss": "treatment-trust", "aud": url, "iat": now, "exp": now + 200, "jti": str(uuid.uuid4())}
    return f"Bearer {(key or house.troupe.made.receiver).sign(usual | (claims or {}))}"


def _message(event: str) -> bytes:
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": event}, "source": {"name": CANARY}}
    return as_json({"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}], "id": CANARY})


def test_fhir_messages_that_are_not_answers_of_a_partner_are_refused(house: House) -> None:
    # given messages without proof, with a foreign one, of another kind, and no messages at all
    response, garbage = _message("servicerequest-response"), f"garbage {CANARY}".encode()
    cases = {
        "no-token": (response, "", 401),
        "not-a-token": (response, f"Bearer {CANARY}", 401),
        "unknown-issuer": (response, _bars(house, {"iss": CANARY}), 401),
        "foreign-key": (response, _bars(house, key=ClientKey.generate("RS512")), 401),
        "other-audience": (response, _bars(house, {"aud": house.url}), 401),
        "stale": (response, _bars(house, {"iat": 1, "exp": 2}), 401),
        "too-long": (response, _bars(house, {"exp": int(datetime.now(UTC).timestamp()) + 4000}), 401),
        "a-request": (_message("servicerequest-request"), _bars(house), 422),
        "a-request-unproved": (_message("servicerequest-request"), _bars(house, key=ClientKey.generate("RS512")), 401),
        "another-event": (_message(CANARY), _bars(house), 422),
        "garbage": (garbage, _bars(house), 400),
        "empty": (b"", _bars(house), 400),
        "deep": (b"[" * 50_000, _bars(house), 400),
        "an-array": (b"[]", _bars(house), 422),
        "huge": (b'"' + b"a" * 3_000_000 + b'"', _bars(house), (400, 413)),
    }
    for name, (body, token, status) in cases.items():
        headers = {"content-type": "application/fhir+json", "x-request-id": str(uuid.uuid4())}
        # when each is sent
        reply = httpx.post(
            f"{house.url}/fhir/R4/$process-message",
            content=body,
            headers=headers | ({"authorization": token} if token else {}),
            timeout=30,
            trust_env=False,
        )
        # then it is an OperationOutcome with a code and what to do, and holds nothing that was sent
        assert reply.status_code in (status if isinstance(status, tuple) else (status,)), (name, reply.text)
        assert reply.headers["content-type"].startswith("application/fhir+json")
        assert CANARY not in reply.text
        outcome = reply.json()
        assert outcome["resourceType"] == "OperationOutcome"
        issue = outcome["issue"][0]
        assert issue["severity"] == "error"
        assert issue["details"]["coding"][0]["code"].startswith("REC_")
        assert issue["diagnostics"], name
        assert reply.headers["x-request-id"] == headers["x-request-id"]


def test_callbacks_without_a_good_proof_are_refused(house: House) -> None:
    # given a true answer's body, and a connection that takes callbacks
    body, now = as_json({"idempotencyKey": str(uuid.uuid4()), "status": CANARY}), datetime.now(UTC)
    url = f"{house.url}/v1/callbacks"
    bare = {"content-type": "application/json"}

    def post(path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        return httpx.post(f"{url}/{path}", content=content, headers=headers, timeout=30, trust_env=False)

    # when it comes unsigned, under another secret, stale, early, oddly signed, huge, and to addresses that take none
    replies = {
        "callback-unproved": [post(HOUSING, body, bare)],
        "callback-untrusted": [
            house.callback(HOUSING, body, secret="whsec_" + "A" * 44),
            post(HOUSING, body, bare | {"webhook-id": CANARY, "webhook-timestamp": "x", "webhook-signature": "v1,x"}),
            post(HOUSING, body, bare | {"webhook-id": "a b", "webhook-timestamp": "1", "webhook-signature": CANARY}),
        ],
        "callback-expired": [house.callback(HOUSING, body, at=now - timedelta(minutes=6))],
        "callback-clock-skew": [house.callback(HOUSING, body, at=now + timedelta(minutes=6))],
        "body-too-large": [house.callback(HOUSING, b'"' + b"a" * 200_000 + b'"')],
        "not-found": [
            house.callback("no-such-connection", body),
            house.callback(TREATMENT, body),
            house.callback(CANARY, body),
            house.callback("..%2f..", body),
        ],
    }
    # then each is refused by its name
    for kind, each in replies.items():
        for reply in each:
            assert refused(reply, 401, 404, 413)["type"] == f"/problems/{kind}"
