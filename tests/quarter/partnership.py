"""The partnership of the quarter: twelve organisations, ten services, champions of few days, some of whom leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from hub.domain.clock import WindowSet
from hub.domain.route import Champion, Connection, Directory, Partner, Service
from hub.domain.share import Category
from tests.scenery import AGREEMENT

PURPOSE: Final = "find-somewhere-to-live"
FIRST, LAST = date(2026, 10, 1), date(2026, 12, 31)
NUMBER: Final = 12
SERVICES: Final = tuple(f"service-{number:02}" for number in range(1, 11))

#: The days that each champion works, Monday 0, in turn; nobody follows up every day.
_DAYS: Final = (frozenset({0, 1, 2, 3, 4}), frozenset({0, 3}), frozenset({1, 2, 4}), frozenset({0, 2, 4}))
#: Champions who leave in the middle of it, with their last day.
LEAVERS: Final = {"champion-02": date(2026, 11, 6), "champion-07": date(2026, 12, 11)}
#: Days on which one organisation, or all of them, is shut beside bank holidays.
SHUT: Final = {
    "partner-03": frozenset({date(2026, 10, 26), date(2026, 10, 27)}),
    "partner-08": frozenset({date(2026, 12, 24)}),
}
ALL_SHUT: Final = frozenset({date(2026, 12, 31)})
#: Champions' own leave: first and last day.
LEAVE: Final = {
    "champion-01": (date(2026, 10, 19), date(2026, 10, 30)),
    "champion-05": (date(2026, 11, 16), date(2026, 11, 20)),
    "champion-09": (date(2026, 12, 21), date(2026, 12, 31)),
}


def directory() -> Directory:
    """Return it, as a hub reads it from its files."""
    partners = {each.id: each for each in map(_partner, range(1, NUMBER + 1))}
    services = {name: _service(name) for name in SERVICES}
    connections = {
        name: Connection(name, "demo", "demo", "demo/1.0.0", frozenset(Category), body_bytes=100_000)
        for name in SERVICES
    }
    return replace(
        Directory("quarter", "d" * 64, partners, services, connections, WindowSet(), _person("operator", "hub")),
        coordinator=_person("coordinator", "partnership"),
        network_manager=_person("network-manager", "partnership"),
        above_network_manager=_person("change-forum", "partnership"),
        closures=ALL_SHUT,
    )


def _partner(number: int) -> Partner:
    name, own = f"partner-{number:02}", f"champion-{number:02}"
    champion = _person(own, name, working_days=_DAYS[number % len(_DAYS)], until=LEAVERS.get(own))
    deputy = _person(f"deputy-{number:02}", name) if number % 2 == 0 else None
    return Partner(name, name, "charity", champion, deputy=deputy, closures=SHUT.get(name, frozenset()))


def _service(name: str) -> Service:
    partner = name.replace("service", "partner")
    return Service(name, name, partner, name, f"https://{name}.example", (PURPOSE,), agreement=AGREEMENT)


def _person(name: str, organisation: str, **more: object) -> Champion:
    return replace(Champion(name, name.title(), f"{name}@quarter.example", organisation), **more)  # type: ignore[arg-type]


def on_leave(person: str, day: date) -> bool:
    """Tell whether somebody is on leave on a day."""
    first, last = LEAVE.get(person, (LAST + timedelta(days=1), LAST))
    return first <= day <= last
