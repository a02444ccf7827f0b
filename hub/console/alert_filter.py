"""The filter of the follow-up list, as its address holds it: what is chosen, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from hub.domain.alert import AlertKind
from hub.domain.alert_list import AlertFilter, Place, Shown
from hub.domain.answer import Level
from hub.domain.ladder import Scope
from hub.domain.route import Directory

#: By the word in the address: what the choice is called, and what it means.
SHOWN: Final[dict[str, str]] = {Shown.OPEN: "To do", Shown.SNOOZED: "Put off", Shown.CLOSED: "Closed"}
WHOSE: Final[dict[str, str]] = {"": "Everybody's", "mine": "Mine", "unclaimed": "Nobody is on it yet"}
LATE: Final[dict[str, tuple[str, AlertKind | None, Level | None]]] = {
    "": ("Anything", None, None),
    "undelivered": ("Not there yet", AlertKind.UNDELIVERED, None),
    "unopened": ("Not opened", AlertKind.UNANSWERED, Level.L2),
    "unanswered": ("Not answered", AlertKind.UNANSWERED, Level.L3),
    "outcome": ("How it ended", AlertKind.UNANSWERED, Level.L4),
    "early": ("An early word", AlertKind.EARLY, None),
    "uncollected": ("An answer that nobody fetched", AlertKind.UNCOLLECTED, None),
    "away": ("Somebody is away", AlertKind.AWAY, None),
    "left": ("Somebody has left", AlertKind.LEFT, None),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address says, each as its own word; a word that is none of ours is as if it were not there."""

    show: str = Shown.OPEN
    whose: str = ""
    late: str = ""
    organisation: str = ""
    service: str = ""

    @property
    def filter(self) -> AlertFilter:
        """What the list is asked for."""
        _, kind, level = LATE[self.late]
        return AlertFilter(
            Shown(self.show),
            mine=self.whose == "mine",
            unclaimed=self.whose == "unclaimed",
            organisation=self.organisation,
            service=self.service,
            level=level,
            kind=kind,
        )

    def address(self, after: Place | None = None) -> str:
        """Return where the list stands under this filter, or its page behind a place."""
        words = {name: getattr(self, name) for name in _NAMES if getattr(self, name) not in {"", Shown.OPEN}}
        if after is not None:
            words["after"] = str(after)
        return f"/console/follow-up?{urlencode(words)}" if words else "/console/follow-up"

    @property
    def narrows(self) -> bool:
        """Whether anything but the state is chosen."""
        return any((self.whose, self.late, self.organisation, self.service))


_NAMES: Final = ("show", "whose", "late", "organisation", "service")


def read_filter(query: Mapping[str, str], reader: Scope, directory: Directory) -> Chosen:
    """Return what an address chooses, of what its reader may choose from."""
    known: dict[str, Sequence[str]] = {
        "show": list(SHOWN),
        "whose": list(WHOSE),
        "late": list(LATE),
        "organisation": [each for each, _ in organisations(reader, directory)],
        "service": [each for each, _ in services(directory)],
    }
    return Chosen(**{name: query[name] for name in _NAMES if query.get(name) in known[name]})


def read_place(query: Mapping[str, str]) -> Place | None:
    """Return behind which alert the page starts; the first page for what is no place."""
    try:
        return Place.read(query["after"])
    except (KeyError, ValueError, OverflowError):
        return None


def organisations(reader: Scope, directory: Directory) -> list[tuple[str, str]]:
    """Return the organisations whose alerts a reader acts on, by name."""
    return sorted(((each, directory.partners[each].name) for each in reader.leads), key=lambda pair: pair[1])


def services(directory: Directory) -> list[tuple[str, str]]:
    """Return the services that can be chosen, by name; one that is in no list is not in this one (R58)."""
    named = [(each.id, each.name) for each in directory.services.values() if not each.confidential]
    return sorted(named, key=lambda pair: pair[1])
