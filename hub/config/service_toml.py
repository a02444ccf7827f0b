"""`services/<id>.toml` and `connectors.toml`: a service, the connection that reaches it, and the plugins allowed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from hub.answering import AnswerPageTable
from hub.config.clocks import ClockTable
from hub.config.table import Code, SecretRef, Table
from hub.people import Id
from hub.sdk.gate import GateId


class CallbackTable(Table):
    """How this partner proves that a message is its own."""

    secrets: tuple[SecretRef, ...] = ()
    jwks: str = ""
    issuer: str = ""


class ConnectionTable(Table):
    """A connector with its settings and secrets."""

    id: Id
    plugin: str
    connector: str
    mapping: str = ""  #: empty: the one the manifest names
    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, SecretRef] = Field(default_factory=dict)
    allow_addresses: tuple[str, ...] = ()
    callback: CallbackTable = CallbackTable()
    clocks: ClockTable | None = None
    shadow: bool = False  #: everything for it is decided and made, and nothing is sent (R75)


class BasisTable(Table):
    """One side's lawful basis, as codes such as 6(1)(e), 9(2)(g) and DPA-2018-Sch1-18 (R14)."""

    article_6: Code
    article_9: Code | Literal[""] = ""
    article_10: Code | Literal[""] = ""


class AgreementTable(Table):
    """The sharing agreement that a service is reached under: without one it cannot be enabled (R14, R68)."""

    reference: Code
    agreed_on: date
    assessment: Code  #: the data protection impact assessment
    sender: BasisTable
    receiver: BasisTable
    duties: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    children: bool = False
    strict: bool = False


class ServiceTable(Table):
    """`services/<id>.toml`: a service and the connection that reaches it."""

    id: Id
    name: str
    partner: Id
    address: str = ""
    purposes: tuple[str, ...]
    owner: str = "They"
    answered_by: Id | Literal[""] = ""  #: who answers for it, where a person of the partnership's does
    phone: str = ""
    email: str = ""
    area: str = ""
    gates: tuple[GateId, ...] = ()  #: files in gates/, asked in this order (R25)
    enabled: bool = True  #: no: it is described, and nothing can be sent to it yet (R29)
    confidential: bool = False  #: it is in no list, such as a refuge (R58)
    cannot: tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...] = ()  #: in plain words (R58)
    challenge: str = ""  #: a plain sentence: what can be done about its "no" (R38)
    clocks: ClockTable | None = None
    agreement: AgreementTable
    answer_page: AnswerPageTable | None = None  #: how a service with no system of its own answers (R64)
    connection: ConnectionTable


class AllowedPlugin(Table):
    """One plugin that may be loaded: by name, version and hash of its installed files (TH08)."""

    name: str
    version: str
    sha256: str


class AllowTable(Table):
    """`connectors.toml`."""

    allow: tuple[AllowedPlugin, ...] = ()
