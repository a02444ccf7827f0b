"""TH06: two connections and more are loaded, and only the one that is addressed is ever called."""

from __future__ import annotations

from collections.abc import Callable

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share


def test_th06_only_the_addressed_connection_is_called(new_house: Callable[..., House]) -> None:
    # given a hub with three connections, all ready, and ledgers that hold what came before
    house = new_house()
    assert set(house.hub.couriers) == {HOUSING, SUPPORTED, TREATMENT}
    partners = {HOUSING: house.troupe.housing, SUPPORTED: house.troupe.supported, TREATMENT: house.troupe.health}
    before = {name: len(partner.entries()) for name, partner in partners.items()}

    # when a share is for supported housing alone, and one more for treatment alone
    first = house.cases.send(a_share(SUPPORTED))
    until_true("its delivery", lambda: house.cases.delivery(first["id"], SUPPORTED)["state"] == "delivered")
    after_first = {name: len(partner.entries()) - before[name] for name, partner in partners.items()}
    second = house.cases.send(a_share(TREATMENT))
    until_true("its delivery", lambda: house.cases.delivery(second["id"], TREATMENT)["state"] == "delivered")

    # then each partner was called once for its own share, and nobody for another's
    assert after_first == {HOUSING: 0, SUPPORTED: 1, TREATMENT: 0}
    arrived = {name: len(partner.entries()) - before[name] for name, partner in partners.items()}
    assert arrived == {HOUSING: 0, SUPPORTED: 1, TREATMENT: 1}
    # and the two that share a plug-in have processes of their own, of which the unaddressed one never started
    assert house.key_of(first, SUPPORTED) == partners[SUPPORTED].entries()[-1].key
    assert house.key_of(second, TREATMENT) == partners[TREATMENT].entries()[-1].key
