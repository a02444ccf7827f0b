"""Who can act and how they are reached: partners, services, connections, and the route between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hub.domain.clock import WindowSet
from hub.domain.share import Category


@dataclass(frozen=True, slots=True)
class Champion:
    """A named person who follows up (R50, R51): no grade, no title."""

    id: str
    name: str
    email: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation in the partnership. `ods` and `address` are how health systems name it, where they do."""

    id: str
    name: str
    kind: Literal["charity", "public_body", "health", "other"]
    champion: Champion
    ods: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class FactRule:
    """A precondition on what the consent says, as data: equal to a value, or matching a pattern (R63)."""

    name: str
    title: str
    next_step: str
    equals: bool | str | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A team that can act: what a share is routed to (R58). `owner` is who replies, in plain words."""

    id: str
    name: str
    partner: str
    connection: str
    address: str
    purposes: tuple[str, ...]
    owner: str = "They"
    phone: str = ""
    email: str = ""
    area: str = ""
    windows: WindowSet = field(default_factory=WindowSet)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connector with its settings, for one service: what can go through it and how fast (from its manifest)."""

    id: str
    plugin: str
    connector: str
    mapping: str
    accepts: frozenset[Category]
    facts: tuple[FactRule, ...] = ()
    kinds: frozenset[str] = frozenset({"share"})
    windows: WindowSet = field(default_factory=WindowSet)
    manifest_windows: WindowSet = field(default_factory=WindowSet)
    partner_dedupes: bool = False
    asks_only: bool = False  #: it finds out about a doubt without sending the parcel again
    body_bytes: int = 1_000_000  #: how much one parcel may weigh


@dataclass(frozen=True, slots=True)
class Route:
    """How one service is reached, and who follows up on both sides."""

    service: Service
    connection: Connection
    receiver: Partner


@dataclass(frozen=True, slots=True)
class Directory:
    """The partnership as configured; `digest` names this version of it on every share (R31)."""

    partnership: str
    digest: str
    partners: Mapping[str, Partner]
    services: Mapping[str, Service]
    connections: Mapping[str, Connection]
    windows: WindowSet
    operator: Champion

    def route(self, service_id: str) -> Route | None:
        """Return the route to a service, or None when the partnership has none."""
        service = self.services.get(service_id)
        if service is None or service.connection not in self.connections:
            return None
        return Route(service, self.connections[service.connection], self.partners[service.partner])
