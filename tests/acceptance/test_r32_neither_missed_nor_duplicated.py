"""R32: what a person asks of a service through one trusted person is asked once; from anyone else it goes as ever."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from hub.sandbox.instance import CLIENT
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, consent_of, copy_of

ALREADY = "already-sent"


def again(share: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same need of the same person, agreed anew."""
    another = copy_of(share) | {"reference": f"DC-{secrets.token_hex(4)}", **changes}
    for consent in another["consents"]:
        consent["reference"] = f"c-{secrets.token_hex(6)}"
    return another


def test_r32_what_is_open_is_not_sent_twice_and_the_link_says_where_it_is(house: House) -> None:
    # given an open share
    share = a_share(HOUSING)
    receipt = house.cases.send(share)
    # when the same is sent again, under a key of its own
    reply = house.cases.post("/v1/shares", again(share))
    # then it is refused with the link to the open one, and nothing is kept
    problem = refused(reply, 409)
    assert problem["type"] == f"/problems/{ALREADY}"
    assert problem["link"] == f"/v1/shares/{receipt['id']}"
    assert [(each["service"], each["type"], each["link"]) for each in problem["refused"]] == [
        (HOUSING, ALREADY, problem["link"])
    ]
    assert house.cases.get(problem["link"]).status_code == 200
    assert "retry-after" not in reply.headers
    assert len(_parcels(house, share)) == 1
    # and a preview says so before anything is sent
    shown = house.cases.post("/v1/shares/preview", again(share)).json()
    assert ([each["type"] for each in shown["refused"]], shown["deliveries"]) == ([ALREADY], [])


def _parcels(house: House, share: dict[str, Any]) -> list[dict[str, Any]]:
    """The deliveries of one person's shares."""
    partner = house.rows("SELECT DISTINCT partner_id FROM shares WHERE client_id = :us", us=CLIENT)[0]["partner_id"]
    person = house.hub.vault.digest("person", f"{partner}|{share['person']['reference']}")
    found = "SELECT d.id FROM deliveries d JOIN shares s ON s.id = d.share_id WHERE s.person = :person"
    return house.rows(found, person=person)


def test_r32_the_others_of_a_share_go_all_the_same(house: House) -> None:
    # given an open share for housing
    share = a_share(HOUSING, TREATMENT)
    first = house.cases.send(share | {"services": [HOUSING]})
    # when the same person's need is sent to housing again, and to another service
    receipt = house.cases.send(again(share))
    # then only what is new goes
    assert [each["service"] for each in receipt["deliveries"]] == [TREATMENT]
    (why,) = receipt["refused"]
    assert (why["service"], why["type"], why["link"]) == (HOUSING, ALREADY, f"/v1/shares/{first['id']}")


def test_r32_a_repeat_with_its_own_key_is_answered_as_it_was_at_first(house: House) -> None:
    share, key = a_share(HOUSING), secrets.token_hex(8)
    first = house.cases.post("/v1/shares", share, key=key)
    assert (first.status_code, house.cases.post("/v1/shares", share, key=key).content) == (202, first.content)


def _another_need(share: dict[str, Any]) -> dict[str, Any]:
    consent_of(share, HOUSING)["purpose"] = "keep-my-tenancy"
    return share


def _another_link(share: dict[str, Any]) -> dict[str, Any]:
    share["trusted_person"]["reference"] = f"tp-{secrets.token_hex(4)}"
    return share


def _another_person(share: dict[str, Any]) -> dict[str, Any]:
    return share | {"person": {"reference": f"P-{secrets.token_hex(4)}"}}


@pytest.mark.parametrize("change", [_another_need, _another_link, _another_person])
def test_r32_another_need_link_or_person_goes_as_ever(house: House, change: Callable[[Any], Any]) -> None:
    share = a_share(HOUSING)
    house.cases.send(share)
    receipt = house.cases.send(change(again(share)))
    assert receipt["refused"] == []


def _shape(reply: httpx.Response) -> str:
    """A reply's bytes, with what is drawn anew for each share taken out, each at its own length."""
    body = re.sub(r'"checkpoint":(null|\{[^}]*\})', "", reply.text)
    return re.sub(
        r'(?<=")([0-9a-f]{32}|[2-9A-Z]{3}-[2-9A-Z]{3}|DC-[0-9a-f]{8})(?=")', lambda found: "x" * len(found[0]), body
    )


@pytest.mark.parametrize("who", ["another link", "another partner"])
def test_r32_th04_nobody_else_can_tell_that_it_is_open(house: House, who: str) -> None:
    # given a share that is open, and one like it that nobody has sent
    known, unknown = a_share(HOUSING), a_share(HOUSING)
    house.cases.send(known)
    caller: Caller = house.other if who == "another partner" else house.cases
    replies = []
    for share in (known, unknown):
        asked = again(share)
        if who == "another link":
            asked["trusted_person"]["reference"] = "tp-other"
        # when somebody else sends each
        replies.append(caller.post("/v1/shares", asked))
    # then both are taken, with the very same bytes but for what is drawn for each
    assert [each.status_code for each in replies] == [202, 202]
    assert _shape(replies[0]) == _shape(replies[1])


def test_r32_of_two_at_once_one_wins(house: House) -> None:
    # given the same need, sent eight times at once under keys of their own
    share = a_share(HOUSING)
    asked = [again(share) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda each: house.cases.post("/v1/shares", each), asked))
    # then one is taken, the others are told where it is, and one parcel stands
    assert sorted(each.status_code for each in replies) == [202] + [409] * 7
    (taken,) = [each.json()["id"] for each in replies if each.status_code == 202]
    assert {each.json()["link"] for each in replies if each.status_code == 409} == {f"/v1/shares/{taken}"}
    assert len(_parcels(house, share)) == 1


def test_r32_what_was_taken_back_or_answered_no_can_be_sent_again(house: House) -> None:
    # given a share that was withdrawn
    share = a_share(HOUSING)
    receipt = house.cases.send(share)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()
    # then a new agreement for the same need goes
    receipt = house.cases.send(again(share))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    # and so it does once the service has ended it
    house.say(receipt, HOUSING, status="WITHDRAWN", withdrawalReason="NO_LONGER_NEEDED")
    until_true("its end", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] in {"declined", "completed"})
    assert house.cases.send(again(share))["refused"] == []


def test_r32_a_new_choice_that_replaces_the_open_one_goes(house: House) -> None:
    # given an open share
    share = a_share(SUPPORTED)
    house.cases.send(share)
    # when the person chooses anew in its place
    anew = again(share)
    consent_of(anew, SUPPORTED)["replaces"] = consent_of(share, SUPPORTED)["reference"]
    # then that goes
    assert house.cases.send(anew)["refused"] == []
    # and that in turn is open: it is not sent twice
    assert house.cases.post("/v1/shares", again(share)).status_code == 409
