"""The two-deaths rule: how a parcel is treated after so many deaths of the hosts it was in flight at."""

from __future__ import annotations

from hub.courier.deaths import treatment


def test_two_deaths_isolate_a_parcel_and_a_third_gives_it_up() -> None:
    assert [treatment(deaths) for deaths in range(5)] == ["normal", "normal", "alone", "give_up", "give_up"]
