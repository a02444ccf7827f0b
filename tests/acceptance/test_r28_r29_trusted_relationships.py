"""R28 and R29: nothing else leads round the pathway, and children's services send and hear as anyone does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import typer

from hub.cli.main import app
from tests.acceptance.caller import Caller, as_json
from tests.acceptance.house import House, until_true
from tests.acceptance.referring import TR, for_service, refused_of
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

SENT = "SELECT count(*) AS n FROM deliveries WHERE service_id = 'trusted-relationships'"


def test_r28_what_a_case_holder_sent_is_refused_when_another_sends_it_again(gated: tuple[House, Caller]) -> None:
    # given the very bytes, and the key, of a referral that its case-holder made
    house, holder = gated
    share, key = for_service(TR), uuid.uuid4().hex
    assert holder.post("/v1/shares", share, key=key).status_code == 202
    sent = house.rows(SENT)
    others = [house.cases, house.other, Caller(house.url, holder.client_id, holder.key, role="champion")]
    # when a charity, its neighbour, and a champion of children's services send them again, under that key and another
    for outsider in others:
        for again in (key, uuid.uuid4().hex):
            reply = outsider.post("/v1/shares", share, key=again)
            # then it is the referrer's gate that says no, or the key was used by somebody who may: nothing more goes
            if reply.status_code in {200, 202}:
                assert outsider is others[2]
                assert again == key
            else:
                assert [each["type"] for each in refused_of(reply, TR)] == ["gate-referrer"], reply.text
    assert house.rows(SENT) == sent
    others[2].http.close()


def test_r28_a_fhir_request_is_no_way_in_and_says_the_same_of_every_child(gated: tuple[House, Caller]) -> None:
    # given requests of a proved partner, each about another child
    house, _ = gated
    before, replies = house.rows(SENT), []
    for born, name in (("2010-05-04", "Zz9Ann"), ("1950-01-01", "Zz9Bob"), ("", "")):
        header = {"resourceType": "MessageHeader", "eventCoding": {"code": "servicerequest-request"}}
        child = {"resourceType": "Patient", "birthDate": born, "name": [{"text": name}]}
        asked = {"resourceType": "ServiceRequest", "performer": [{"identifier": {"value": TR}}]}
        entries = [{"resource": each} for each in (header, child, asked)]
        now, url = int(datetime.now(UTC).timestamp()), f"{house.url}/fhir/R4/$process-message"
        claims = {"iss": "treatment-trust", "aud": url, "iat": now, "exp": now + 200, "jti": str(uuid.uuid4())}
        replies.append(
            httpx.post(
                url,
                content=as_json({"resourceType": "Bundle", "type": "message", "entry": entries}),
                headers={
                    "authorization": f"Bearer {house.troupe.made.receiver.sign(claims)}",
                    "content-type": "application/fhir+json",
                    "x-request-id": "11111111-2222-4333-8444-555555555555",
                },
                timeout=30,
                trust_env=False,
            )
        )
    # then each is told the same bytes, and nothing goes
    assert [each.status_code for each in replies] == [422, 422, 422]
    assert len({each.content for each in replies}) == 1
    assert "Zz9" not in replies[0].text
    assert house.rows(SENT) == before


def test_r28_no_command_of_the_command_line_sends_a_share() -> None:
    # given every command, by its whole name
    names = set(_commands(typer.main.get_command(app)))
    assert "hub delivery settle" in names
    # then none sends, imports, replays or refers; the demo's own tell their story to an instance of their own
    verbs = {"send", "submit", "import", "replay", "resend", "refer", "redirect", "forward", "share"}
    found = {each for each in names if verbs & set(each.replace("-", " ").split())}
    assert found <= {"hub directory import"}  # it reads in which services there are, and no share


def _commands(command: Any, at: str = "hub") -> Iterator[str]:
    inner = getattr(command, "commands", {})
    for name, each in inner.items():
        yield from _commands(each, f"{at} {name}")
    if not inner:
        yield at


def test_r29_a_council_s_own_case_system_sends_for_its_workers_and_hears_back(gated: tuple[House, Caller]) -> None:
    # given a children's worker whom a young person trusts, in their own case system
    house, holder = gated
    worker = Caller(house.url, holder.client_id, holder.key, role="family support worker")
    receipt = worker.send(a_share(HOUSING, TREATMENT))

    def delivery(service: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = worker.read(receipt["id"])["deliveries"]
        return next(each for each in found if each["service"] == service)

    # when both services have it and one answers
    for service in (HOUSING, TREATMENT):
        until_true("it to arrive", lambda s=service: delivery(s)["state"] == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk")
    until_true("the answer", lambda: delivery(HOUSING)["answer"] == "accepted")
    # then it is read where they work, and by nobody of another organisation
    assert delivery(HOUSING)["owner"] == "Jo of the duty desk"
    assert house.cases.get(f"/v1/shares/{receipt['id']}").status_code == 404
    worker.http.close()


def test_r29_the_hub_knows_no_case_holder_to_change(gated: tuple[House, Caller]) -> None:
    # given a referral that went its way
    house, holder = gated
    share = for_service(TR)
    receipt = holder.send(share)
    # then no operation, reply or table has whose case it is: it is the role of who sent, and nothing that is kept
    said = json.dumps(house.cases.http.get("/openapi.json").json()).lower()
    columns = [
        each["name"]
        for table in _tables(house)
        for each in house.rows(f"SELECT name FROM pragma_table_info('{table}')")
    ]
    for word in ("case_holder", "caseholder", "allocate", "allocated_worker", "reassign"):
        assert word not in said, word
        assert not [each for each in columns if word in each], word
    # and what the sender reads back has none but where the referral is
    (delivery,) = holder.read(receipt["id"])["deliveries"]
    assert (delivery["answer"], delivery["owner"]) == ("awaited", "") or delivery["answer"] == "received"


def _tables(house: House) -> list[str]:
    return [each["name"] for each in house.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
