"""R69: when somebody has died everything about them stops, and one person gets one kind message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.wording import DIED_WORDS
from tests.acceptance.continuing import call, delivered, section
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share
from tests.acceptance.trusting import release, unsaid

_WHO = {"reference": "P-1001"}


def _by_their_own(house: House, receipt: dict[str, Any]) -> None:
    said = call(house, receipt, "death", 200)
    assert said["words"] == "We are so sorry. We have stopped everything. Your champion has been told."
    call(house, receipt, "death", 200)


def _by_a_service(house: House, receipt: dict[str, Any]) -> None:
    house.say(receipt, HOUSING, status="WITHDRAWN", withdrawalReason="DECEASED")
    until_true("it to be known", lambda: house.rows("SELECT at FROM deaths"))


@pytest.mark.parametrize("hears", [_by_their_own, _by_a_service])
def test_r69_everything_stops_and_one_person_hears_once(new_house: Callable[..., House], hears: Any) -> None:
    # given two shares of one person, of which one cannot get through, and another person's share
    house = new_house()
    receipt = delivered(house, a_share(HOUSING, person=_WHO), HOUSING)
    house.troupe.supported.stop()
    try:
        waiting = house.cases.send(a_share(SUPPORTED, person=_WHO))
        until_true("a try", lambda: house.cases.delivery(waiting["id"], SUPPORTED)["state"] == "retrying")
        somebody_else = a_share(SUPPORTED) | {"person": {"reference": "P-2002"}}
        other = house.cases.send(somebody_else)
        # when it is heard that the person has died
        hears(house, receipt)
    finally:
        house.troupe.supported.start()
    # then nothing that waited goes, and nobody is asked to stop using anything
    assert house.cases.delivery(waiting["id"], SUPPORTED)["state"] == "cancelled"
    ids = {"a": receipt["id"], "b": waiting["id"]}
    mine = "(SELECT id FROM deliveries WHERE share_id IN (:a, :b))"
    assert house.rows(f"SELECT level FROM clocks WHERE state = 'running' AND delivery_id IN {mine}", **ids) == []
    assert house.rows("SELECT id FROM deliveries WHERE kind = 'please_stop_using'") == []
    # and whoever else is waiting is served
    until_true("it to arrive", lambda: house.cases.delivery(other["id"], SUPPORTED)["state"] == "delivered", 60)
    # and no month brings a reminder or an alert
    house.at(datetime(2026, 12, 10, 12, 0, tzinfo=UTC))
    house.rounds(3)
    house.settled_notices()
    alerts = f"SELECT id FROM alerts WHERE state = 'open' AND delivery_id IN {mine}"
    assert house.rows(alerts, **ids) == []
    # and one person got one message, which names nobody
    (mail,) = [each for receipt_ in (receipt, waiting) for each in house.mails(receipt_)]
    assert mail["subject"] == f"We are sorry: {receipt['reference']}"
    # and what is still tried about them goes nowhere
    more = call(house, receipt, "addenda", 409, sections=[section("s40", "goal", "x")])
    assert more["type"] == "/problems/person-has-died"
    for path in ("/v1/shares", "/v1/shares/preview"):
        again = house.cases.post(path, a_share(HOUSING, person=_WHO))
        assert (again.status_code, again.json()["type"]) == (409, "/problems/person-has-died")


@pytest.mark.parametrize("answered", [False, True])
def test_r69_who_reads_a_share_is_told_kindly_and_asked_for_nothing(
    new_house: Callable[..., House], answered: bool
) -> None:
    # given a share that one service has, and perhaps asks about, and one that waits for the champion
    house = new_house()
    receipt = delivered(house, a_share(HOUSING, person=_WHO), HOUSING)
    if answered:
        house.say(receipt, HOUSING, status="QUESTION", outcomeNote="Which day suits?")
        until_true("the question", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "needs_info")
    held = house.cases.send(unsaid(a_share(SUPPORTED, person=_WHO)))
    # when somebody says that the person has died
    _by_their_own(house, receipt)
    # then whoever reads either is told so, and nothing asks them to answer, wait or ring
    read, waiting = house.cases.read(receipt["id"]), house.cases.read(held["id"])
    assert (read["status"], read["words"]) == ("closed", DIED_WORDS)
    assert (waiting["status"], waiting["words"]) == ("closed", DIED_WORDS)
    delivery = read["deliveries"][0]
    assert (delivery["words"], delivery["reply_by"], delivery["overdue"]) == (
        f"{delivery['name']} got this before.",
        None,
        False,
    )
    # and what waited is not let go, nor kept
    refused = release(house.cases, held["id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/person-has-died")
    assert house.rows("SELECT share_id FROM held_shares") == []
    assert house.rows("SELECT id FROM deliveries WHERE share_id = :id", id=held["id"]) == []
    # and nobody is asked to tell them what came of it
    told = call(house, receipt, "person-told", 409, told="yes", on="2026-11-18")
    assert told["type"] == "/problems/person-has-died"
