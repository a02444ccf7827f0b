"""The manifest: what a plugin says of itself in `manifest.toml`, read and checked before its code is imported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hub.sdk.gate import FactPrecondition, GateId

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,40}$")]

#: Our own words for what is wrong most often.
_WORDS = {"missing": "is missing", "extra_forbidden": "is no key of a manifest: plugins/README.md lists them"}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Window(_Table):
    """How long a rung of the ladder may take (R43); exactly one unit is given."""

    minutes: int | None = None
    hours: int | None = None  #: by day and night
    working_hours: int | None = None
    working_days: int | None = None


class Idempotency(_Table):
    """Where the idempotency key travels and whether the partner dedupes on it, for how many hours."""

    key: str  #: a header's name, or a place in the JSON body such as /ourRef; words where there is no request
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
    transport: Literal["rest", "bars", "fhir", "mesh", "portal", "email", "queue", "file", "pull"]
    mapping: str  #: <document>/<version>
    content_type: str = "application/json"
    direct_submit: bool = True  #: no: what goes this way comes from elsewhere, and nobody sends to it
    prerequisites: tuple[GateId, ...] = ()  #: gates that every service reached this way must name
    accepts: tuple[str, ...]  #: categories of sections
    preconditions: tuple[FactPrecondition, ...] = ()  #: asked for whatever the service, after its own gates
    levels: tuple[Literal["L1", "L2", "L3", "L4"], ...]
    answers: tuple[Literal["sync", "callback", "message", "poll", "page", "client"], ...]
    callback_auth: Literal["standard-webhooks", "bearer", "mutual-tls", "jwt", "none"] = "none"
    idempotency: Idempotency
    reconcile: Literal["asks", "resends", "none"] = "resends"  #: "asks" sends no parcel, and so needs no living consent
    poll_minutes: int | None = None
    kinds: tuple[Literal["share", "addendum", "correction", "please_stop_using", "reply"], ...] = ("share",)
    handling_lines: tuple[
        Literal["hide_from_online_record", "do_not_disclose_to_household", "do_not_disclose_to_other_parent"], ...
    ] = ()  #: those that its documents carry (R66)
    keeps_from: bool = False  #: its documents carry who of the partner's workers may not see them
    notifies_person: bool = False  #: the partner's system writes to the person by itself, and cannot be told not to
    cancel: str = "none"
    code_lists: tuple[str, ...] = ()
    limits: Limits = Limits()
    hosts: tuple[str, ...] = ()  #: settings that hold URLs; only their hosts may be reached
    optional_hosts: tuple[str, ...] = ()  #: more such settings, which a connection may leave out
    folders: tuple[str, ...] = ()  #: settings that hold folders of this machine; it may write beneath those only
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
    """Read and check a manifest; raises `ValueError` (also `tomllib.TOMLDecodeError`) naming each key and its rule."""
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        listed = (f"{'.'.join(map(str, each['loc']))}: {_WORDS.get(each['type'], each['msg'])}" for each in faults)
        raise ValueError("; ".join(listed)) from None
