"""TH09: an acknowledgement counts only from the connection that has the parcel; one that is swallowed is noticed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.acceptance.caller import as_json
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share

L2_PASSED = datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)


def arrives(house: House, receipt: dict[str, Any], service: str) -> None:
    """Wait until a service has its parcel."""
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], service)["state"] == "delivered")


def test_th09_no_other_connection_s_word_counts_and_none_that_is_signed_by_nobody(house: House) -> None:
    # given a parcel that housing has, which has said nothing yet
    receipt = house.cases.send(a_share(HOUSING, SUPPORTED))
    for service in (HOUSING, SUPPORTED):
        arrives(house, receipt, service)
    key = house.key_of(receipt, HOUSING)
    before = house.cases.delivery(receipt["id"], HOUSING)
    # when another connection, with its own good proof, says that housing took it and said yes; and so does nobody
    for status in ("RECEIVED", "ACCEPTED", "CLOSED"):
        house.callback(SUPPORTED, as_json({"idempotencyKey": key, "status": status}))
        forged = house.callback(HOUSING, as_json({"idempotencyKey": key, "status": status}), secret="whsec_" + "A" * 44)
        assert forged.status_code == 401
    house.rounds(3)  # a message of a parcel that its connection does not have stays unread, and counts for nothing
    # then none was accepted: neither state nor rung nor answer
    assert house.cases.delivery(receipt["id"], HOUSING) == before
    assert house.cases.delivery(receipt["id"], SUPPORTED)["answers"] == []


def test_th09_a_swallowed_acknowledgement_is_noticed_when_its_clock_runs_out(house: House) -> None:
    # given a connector that says that a parcel was taken, and brings nothing back that the team may have said
    now = house.hub.now.business()
    try:
        receipt = house.cases.send(a_share(HOUSING))
        arrives(house, receipt, HOUSING)
        # when the time in which somebody should have opened it has passed
        house.at(L2_PASSED)
        house.rounds(3)
        # then there is one alert of that rung, on time, for the hub's clock runs whatever the connector does
        found = house.rows(
            "SELECT level FROM alerts JOIN deliveries ON deliveries.id = delivery_id WHERE share_id = :share",
            share=receipt["id"],
        )
        assert [each["level"] for each in found] == [2]
    finally:
        house.at(now)
