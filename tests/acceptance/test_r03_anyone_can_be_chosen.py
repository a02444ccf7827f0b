"""R03: a neighbour or a pharmacist can be the trusted person: nobody is registered, employed or equipped first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

NEIGHBOUR = {
    "reference": "tp-neighbour",
    "kind": "person",
    "name": "Pat from next door",
    "contact": {"role": "Neighbour, through the day centre", "email": "", "phone": "01223 000000"},
    "can_see": [],
}
PHARMACY = NEIGHBOUR | {"reference": "tp-pharmacy", "kind": "service", "name": "Mill Road pharmacy"}


@pytest.mark.parametrize("trusted_person", [NEIGHBOUR, PHARMACY])
@pytest.mark.parametrize("sender", ["cases", "other"])
def test_r03_a_worker_of_any_partner_sends_for_somebody_with_no_system(
    house: House, trusted_person: dict[str, Any], sender: str
) -> None:
    # given somebody whom no system knows, who passed on what they heard
    caller = getattr(house, sender)
    share = a_share(HOUSING) | {"trusted_person": trusted_person}
    told = next(each for each in share["sections"] if each["category"] == "goal")
    told["said"] = {"by": trusted_person["name"], "how": "passed_on", "on": "2026-11-18"}
    assert house.rows("SELECT 1 FROM trusted_people") == []
    # when a worker sends it for them
    receipt = caller.send(share)
    until_true("it to arrive", lambda: caller.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    # then the service reads who told it and how, and nobody had to be registered
    (parcel,) = [e.body.decode() for e in house.troupe.housing.entries() if receipt["reference"].encode() in e.body]
    assert trusted_person["name"] in parcel
    assert house.rows("SELECT 1 FROM trusted_people") == []
    # and the worker stands in the books as its author, attested by their organisation
    (event,) = house.rows(
        "SELECT detail FROM audit_events WHERE action = 'share.accepted' AND share_id = :id", id=receipt["id"]
    )
    detail = json.loads(event["detail"])
    assert (len(detail["author"]), detail["role"]) == (64, "key-worker")
    assert detail["attested_by"] == house.hub.clients(caller.client_id).partner
