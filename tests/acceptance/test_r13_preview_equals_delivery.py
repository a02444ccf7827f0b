"""R13: what a worker is shown before sending is, byte for byte, what each service gets; and a retry sends it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

MOMENT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def stand_still(house: House) -> None:
    """Business time does not pass: two documents made one after another bear the same instant."""
    house.hub.now.business = lambda: MOMENT  # type: ignore[method-assign]


def test_r13_the_preview_is_what_is_delivered_byte_for_byte(new_house: Callable[..., House]) -> None:
    # given a share for two services, and a worker who looks before sending
    house = new_house()
    stand_still(house)
    share = a_share(HOUSING, TREATMENT)
    shown = house.cases.post("/v1/shares/preview", share, key="the-same-key").json()
    previewed = {each["service"]: each["parcel"].encode() for each in shown["deliveries"]}
    # then nothing was kept for the look
    assert house.rows("SELECT count(*) AS n FROM shares") == [{"n": 0}]
    # when the same share is sent under the same key
    receipt = house.cases.send(share, key="the-same-key")
    for service in (HOUSING, TREATMENT):
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    # then each service has just the bytes that were shown, under the reference that was shown
    assert receipt["reference"] == shown["reference"]
    ledgers = {HOUSING: house.troupe.housing, TREATMENT: house.troupe.health}
    for service, ledger in ledgers.items():
        arrived = [entry.body for entry in ledger.entries() if entry.key == house.key_of(receipt, service)]
        assert arrived == [previewed[service]]
    # and each saw its own part of the story alone
    assert b"heroin" not in previewed[HOUSING]
    assert b"friends' sofas" not in previewed[TREATMENT]
