"""R74: sender, receiver and champion see one short reference that can be read over a telephone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from hub.domain.reference import parse, spoken
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

SHAPE = re.compile(r"[2-9CFHKMQRTWXY]{3}-[2-9CFHKMQRTWXY]{3}")


def test_r74_everyone_sees_the_same_reference(new_house: Callable[..., House]) -> None:
    # given a share to two services, of which nobody answers
    house = new_house()
    receipt = house.cases.send(a_share(HOUSING, TREATMENT))
    reference = receipt["reference"]
    for service in (HOUSING, TREATMENT):
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    house.at(datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC))
    mails = until_true("the mails", lambda: len(found := house.mails(receipt)) >= 2 and found, seconds=10)

    # then it is short and speakable
    assert SHAPE.fullmatch(reference)
    assert parse(reference.lower().replace("-", " ")) == reference
    assert len(spoken(reference).split()) == 6
    # and the same for the sender, in both receivers' parcels, to the champions, and in the webhook
    assert house.cases.read(receipt["id"])["reference"] == reference
    housing = next(e for e in house.troupe.housing.entries() if e.key == house.key_of(receipt, HOUSING))
    assert json.loads(housing.body)["referenceNumber"] == reference
    health = next(e for e in house.troupe.health.entries() if e.key == house.key_of(receipt, TREATMENT))
    assert reference.encode() in health.body
    assert all(reference in mail["subject"] and reference in mail["text"] for mail in mails)
    told = until_true("the webhook", lambda: house.told(receipt, "delivery.overdue"))
    assert told[0]["data"]["reference"] == reference


def test_r74_the_reference_has_nothing_to_do_with_the_person(house: House) -> None:
    # given the same share sent forty times
    receipts = [house.cases.send(a_share(HOUSING)) for _ in range(40)]
    # then no two bear the same reference, and one that is repeated under its key keeps its own
    assert len({receipt["reference"] for receipt in receipts}) == 40
    share = a_share(HOUSING)
    first = house.cases.send(share, key="repeat-me")
    assert house.cases.send(share, key="repeat-me") == first
