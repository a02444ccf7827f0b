"""R02: a place can be trusted; each of its workers is attested, and answers are for the group the person knows of."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from hub.security.assertions import ClientKey
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.trusting import keep_link

DESK = "front-desk-team"
REPLIED = "One of the services replied."


@pytest.fixture(scope="module")
def for_the_desk(house: House) -> dict[str, Any]:
    """A share whose answers are for the front desk, which housing has answered."""
    share = a_share(HOUSING)
    share["trusted_person"] |= {"can_see": [DESK]}
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: _state(house, receipt) == "delivered")
    assert house.say(receipt, HOUSING, status="ACCEPTED", ownerName="Duty officer Zyx").status_code < 300
    until_true("the answer", lambda: _full(house, receipt)["deliveries"][0]["answers"])
    return receipt


def _state(house: House, receipt: dict[str, Any]) -> str:
    return str(house.rows("SELECT state FROM deliveries WHERE share_id = :id", id=receipt["id"])[0]["state"])


def _full(house: House, receipt: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = house.cases.get(f"/v1/shares/{receipt['id']}", groups=(DESK,)).raise_for_status().json()
    return found


def test_r02_two_workers_of_one_place_are_each_attested_for_the_same_trusted_person(house: House) -> None:
    # given the front desk, where another worker sits each day
    other = Caller(house.url, house.cases.client_id, house.cases.key, worker="worker-8", role="volunteer")
    share = a_share(HOUSING)
    assert share["trusted_person"]["kind"] == "place"
    # when both send a share for it
    receipts = [each.send(a_share(HOUSING)) for each in (house.cases, other)]
    other.http.close()
    # then both shares show the same trusted person
    rows = [house.rows("SELECT trusted_person FROM shares WHERE id = :id", id=each["id"])[0] for each in receipts]
    assert rows[0] == rows[1]
    # and each its own author, by a keyed hash
    authors = [
        json.loads(row["detail"])["author"]
        for each in receipts
        for row in house.rows(
            "SELECT detail FROM audit_events WHERE action = 'share.accepted' AND share_id = :id", id=each["id"]
        )
    ]
    assert len(set(authors)) == len(authors) == 2
    assert all(len(each) == 64 for each in authors)


def test_r02_the_group_that_was_named_reads_the_answer_in_full(house: House, for_the_desk: dict[str, Any]) -> None:
    read = _full(house, for_the_desk)
    assert read["deliveries"][0]["name"] == "Housing"
    assert read["deliveries"][0]["answer"] == "accepted"


@pytest.mark.parametrize("groups", [(), ("cleaners",), (f"{DESK}-2", "FRONT-DESK-TEAM")])
def test_r02_outside_that_group_one_only_hears_that_a_service_replied(
    house: House, for_the_desk: dict[str, Any], groups: tuple[str, ...]
) -> None:
    reply = house.cases.get(f"/v1/shares/{for_the_desk['id']}", groups=groups)
    assert reply.status_code == 200
    assert set(reply.json()) == {"id", "reference", "your_reference", "words"}
    assert reply.json()["words"] == REPLIED
    assert not [each for each in ("Housing", "Zyx", "accepted", HOUSING) if each in reply.text]


def test_r02_a_group_counts_only_when_the_partner_signs_for_it(house: House, for_the_desk: dict[str, Any]) -> None:
    # given somebody with the client's token and a key of their own
    forger = Caller(house.url, house.cases.client_id, ClientKey.generate())
    forger._token, forger._until = house.cases.token(), math.inf
    # when they claim to be of the group, then they read nothing
    refused(forger.get(f"/v1/shares/{for_the_desk['id']}", groups=(DESK,)), 401)
    forger.http.close()


def test_r02_the_webhook_of_the_whole_organisation_says_no_more(house: House, for_the_desk: dict[str, Any]) -> None:
    house.settled_notices()
    told = house.told(for_the_desk)
    assert told
    assert {each["type"] for each in told} >= {"delivery.answered"}
    for each in told:
        assert set(each["data"]) <= {"share", "reference", "your_reference", "words"}
    assert {each["data"].get("words") for each in told if each["type"] == "delivery.answered"} == {REPLIED}


def test_r02_a_partner_s_own_record_of_the_choice_names_the_group_too(house: House) -> None:
    # given a choice for which the partner's system names who may see answers, and a share that does not
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = "tp-with-group"
    keep_link(house.cases, share, can_see=[DESK])
    receipt = house.cases.send(share)
    # then it counts; with no group named anywhere, the whole of the partner reads
    outside: httpx.Response = house.cases.get(f"/v1/shares/{receipt['id']}")
    assert set(outside.json()) == {"id", "reference", "your_reference", "words"}
    assert _full(house, receipt)["deliveries"]
    everyone = house.cases.send(a_share(HOUSING))
    assert house.cases.read(everyone["id"])["deliveries"]


def test_r02_once_it_is_forgotten_nobody_outside_reads_more_than_before(new_house: Callable[..., House]) -> None:
    # given an answered share whose answers are for the front desk
    house = new_house()
    share = a_share(HOUSING)
    share["trusted_person"] |= {"can_see": [DESK]}
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: _state(house, receipt) == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", ownerName="Duty officer Zyx")
    until_true("the answer", lambda: _full(house, receipt)["deliveries"][0]["answers"])
    # when its story is forgotten, and with it who the group was
    house.at(datetime.fromisoformat("2027-03-01T12:00:00+00:00") + timedelta(days=1))
    until_true("it to be forgotten", lambda: house.cases.read(receipt["id"]).get("forgotten"))
    # then whoever is not its author reads neither who had it nor what they said, on the sheet neither
    assert house.cases.read(receipt["id"])["deliveries"] == []
    sheet = house.cases.get(f"/v1/shares/{receipt['id']}/for-the-person")
    assert "Housing" not in sheet.text
    # and its author still reads where it went
    assert {each["service"] for each in _full(house, receipt)["deliveries"]} == {HOUSING}
    # and no webhook of what comes late says more
    assert {key for each in house.told(receipt) for key in each["data"]} <= {
        *("share", "reference", "your_reference", "words"),
    }
