"""TH07: a hub whose connectors have no network at all still delivers, by interface and by BaRS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hub.courier.courier import Courier
from tests.acceptance.house import House, append_to
from tests.acceptance.telling import HOUSING, TREATMENT, a_share
from tests.kernels import needs_namespaces


def _strict(folder: Path) -> None:
    append_to(folder / "hub.toml", "\n[isolation]\nstrict = true\n")


@needs_namespaces
def test_th07_shares_arrive_from_connectors_that_have_no_network(new_house: Callable[..., House]) -> None:
    # given a hub whose hub.toml asks for strict isolation
    house = new_house(edit=_strict)
    assert {each.reached.level for each in house.hub.enabled.values()} == {"namespaces"}
    before = len(house.troupe.housing.entries()), len(house.troupe.health.entries())
    # when a share goes to two services: one takes a token first, the other asks what it takes
    receipt = house.cases.send(a_share(HOUSING, TREATMENT))
    house.settled()
    # then both took it, from hosts that the kernel gives no socket to
    states = house.rows("SELECT state FROM deliveries WHERE share_id = :share", share=receipt["id"])
    assert [each["state"] for each in states] == ["delivered"] * 2
    after = len(house.troupe.housing.entries()), len(house.troupe.health.entries())
    assert all(now > then for now, then in zip(after, before, strict=True))
    for name in (HOUSING, TREATMENT):
        measures = set(_courier_of(house, name)._host._current.ready.measures)
        assert {"no-network", "no-sockets"} <= measures


def _courier_of(house: House, service: str) -> Courier:
    connection = next(each.connection.id for each in house.hub.configuration.services if each.id == service)
    return house.hub.couriers[connection]
