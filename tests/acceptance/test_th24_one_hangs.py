"""TH24: a partner whose system hangs fills its own slots and queue, and no other service waits for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share

HUNG, MEASURED = 24, 12  #: more than the hanging connection has slots for


def arrives(house: House, share_id: str) -> None:
    """Wait until housing has its parcel."""
    until_true("it to arrive", lambda: house.cases.delivery(share_id, HOUSING)["state"] == "delivered")


def hang(house: House) -> None:
    """See to it that something hangs at the other partner, on however slow a machine."""
    hanging = "SELECT 1 FROM deliveries WHERE service_id = :service AND state = 'sending' LIMIT 1"
    if not house.rows(hanging, service=SUPPORTED):
        for _ in range(HUNG):
            house.cases.send(a_share(SUPPORTED))
        until_true("some to hang", lambda: house.rows(hanging, service=SUPPORTED))


def seconds_to(house: House, before: Callable[[], None] = lambda: None) -> list[float]:
    """How long each of some shares took to reach housing, one after another, each after what comes `before`."""
    took = []
    for _ in range(MEASURED):
        before()
        began = time.monotonic()
        arrives(house, house.cases.send(a_share(HOUSING))["id"])
        took.append(time.monotonic() - began)
    return took


def test_th24_housing_is_served_while_every_slot_of_another_partner_hangs(house: House) -> None:
    # given how long housing takes while all is well
    seconds_to(house)
    alone = seconds_to(house)
    # when another partner's system takes what it is sent and says nothing, with more waiting than it has slots
    house.troupe.supported.behave(Behaviour.SLOW)
    try:
        beside = seconds_to(house, before=partial(hang, house))
        # then all that is for housing arrived
        assert len(beside) == MEASURED
        # and it took no longer than noise makes it: a wait for the other would be its whole deadline of 20 seconds
        assert statistics.median(beside) < max(2 * statistics.median(alone), 2.0)
    finally:
        house.troupe.supported.behave(Behaviour.PROMPT)
