"""The manifest: what a plugin says of itself in `manifest.toml`, read and checked before its code is imported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,40}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Fact(_Table):
    """One precondition on a consent's facts, as data: equal to a value, a pattern, or what the service says (R63).

    `equals_service` names what of the service it must equal; a service that does not say it cannot be enabled.
    """

    name: Name
    equals: bool | str | None = None
    pattern: str | None = None
    equals_service: Literal["id", "address", "area"] | None = None
    title: str
    next_step: str

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if sum(rule is not None for rule in (self.equals, self.pattern, self.equals_service)) != 1:
            raise ValueError("name one of equals, pattern and equals_service")
        return self


class Window(_Table):
    """How long a rung of the ladder may take (R43); exactly one unit is given."""

    minutes: int | None = None
    working_hours: int | None = None
    working_days: int | None = None


class Idempotency(_Table):
    """Where the idempotency key travels and whether the partner dedupes on it, for how many hours."""

    key: str
    partner_dedupes: bool
    window_hours: int | None = None


class Limits(_Table):
    """What one parcel and one connection may weigh."""

    body_bytes: int = 1_000_000
    reply_bytes: int = 1_000_000
    in_flight: int = Field(default=32, ge=1, le=512)
    deadline_seconds: float = Field(default=30, gt=0, le=300)


class ConnectorManifest(_Table):
    """`[connectors.<id>]`: everything the hub decides about a connector without running it."""

    title: str
    transport: Literal["rest", "bars", "mesh", "portal", "email", "queue", "file"]
    mapping: str  #: <document>/<version>
    content_type: str = "application/json"
    direct_submit: bool = True
    prerequisites: tuple[str, ...] = ()
    accepts: tuple[str, ...]  #: categories of sections
    facts: tuple[Fact, ...] = ()
    levels: tuple[Literal["L1", "L2", "L3", "L4"], ...]
    answers: tuple[Literal["sync", "callback", "message", "poll", "page"], ...]
    callback_auth: Literal["standard-webhooks", "bearer", "mutual-tls", "jwt", "none"] = "none"
    idempotency: Idempotency
    reconcile: Literal["asks", "resends", "none"] = "resends"  #: "asks" sends no parcel, and so needs no living consent
    poll_minutes: int | None = None
    kinds: tuple[Literal["share", "addendum", "correction", "please_stop_using", "reply"], ...] = ("share",)
    handling_lines: tuple[str, ...] = ()
    cancel: str = "none"
    code_lists: tuple[str, ...] = ()
    limits: Limits = Limits()
    hosts: tuple[str, ...] = ()  #: settings that hold URLs; only their hosts may be reached
    optional_hosts: tuple[str, ...] = ()  #: more such settings, which a connection may leave out
    secrets: tuple[Name, ...] = ()
    clocks: dict[Literal["L1", "L2", "L3", "L4"], Window] = Field(default_factory=dict)


class Manifest(_Table):
    """A plugin's `manifest.toml`."""

    sdk: str
    name: Name
    version: str
    owner: str
    summary: str
    connectors: dict[Name, ConnectorManifest]


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest; raises `ValueError` (also `tomllib.TOMLDecodeError`) naming field and rule."""
    return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
