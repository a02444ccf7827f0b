"""A partnership with a whole ladder, and one alert about a share that a service has, for tests of who holds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hub.domain.calendar import england_and_wales
from hub.domain.route import Champion, Directory
from hub.ladder import Ladder, ladder
from hub.services.watch import Watch, watch
from tests.scenery import NOW, SENDER, Scene, Store, delivered, directory

CHAMPION, DEPUTY = f"champion-{SENDER}", "deputy"
#: L2 of a share of Friday 20 November 2026 at 15:00 is due on Monday at 17:00.
DUE = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
MONDAY = DUE + timedelta(seconds=1)
CALENDAR = england_and_wales()


def person(name: str, organisation: str = "partnership", **more: Any) -> Champion:
    return Champion(name, name.title(), f"{name}@example.org", organisation, **more)


def laddered(**sender: Any) -> Directory:
    """The partnership with a whole ladder; the sender's champion works Mondays and Thursdays."""
    plain = directory()
    champion = replace(plain.partners[SENDER].champion, working_days=frozenset({0, 3}))
    own = {"champion": champion, "deputy": person(DEPUTY, SENDER), **sender}
    partners = dict(plain.partners) | {SENDER: replace(plain.partners[SENDER], **own)}
    return replace(
        plain,
        partners=partners,
        coordinator=person("coordinator"),
        network_manager=person("network-manager"),
        above_network_manager=person("change-forum"),
    )


class Follow:
    """One store, its ladder bound as bootstrap does, and one alert about a share that a service has."""

    def __init__(self, scene: Scene, store: Store, of: Directory | None = None, *, raised: datetime = MONDAY) -> None:
        self.store, self.directory = store, of or laddered()
        self.verbs: Ladder = ladder(self.directory, CALENDAR, scene.vault, {})
        self.claimed = delivered(scene, store)
        self.look(raised)

    def look(self, at: datetime) -> int:
        return int(self.store.one(partial(watch, directory=self.directory, calendar=CALENDAR), Watch(at, NOW)))

    @property
    def alert(self) -> dict[str, Any]:
        return max(self.store.all("alerts"), key=lambda row: row["rank"])

    def act(self, verb: Any, item: type[Any], who: str, at: datetime = MONDAY, **more: Any) -> Any:
        return self.store.one(verb, item(self.alert["id"], who, at, NOW, **more))

    def mailed(self) -> list[tuple[str, str]]:
        return [(row["topic"], row["recipient"]) for row in self.store.all("notices", channel="email")]

    def hooked(self) -> list[str]:
        return [row["topic"] for row in self.store.all("notices", channel="webhook") if row["alert_id"]]

    def said(self) -> list[str]:
        return [row["action"] for row in self.store.all("audit_events") if row["action"].startswith("alert.")]
