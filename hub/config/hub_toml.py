"""`hub.toml`: where this hub listens, what it keeps its rows and nudges in, how it sends mail, and who may sign in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.config.table import SecretRef, Table
from hub.uids import IsolationTable

IdTokenAlgorithm = Literal["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]


class Listen(Table):
    """Where the API listens; metrics have a port of their own, 0 for none."""

    host: str = "127.0.0.1"
    port: int = 8400
    metrics_port: int = 0


class Store(Table):
    """The database: SQLite by default, beside the configuration."""

    url: str = "sqlite:///data/hub.db"


class BrokerSettings(Table):
    """The broker that carries nudges; in memory by default."""

    url: str = "memory://"


class Mail(Table):
    """How notices are sent; `from_address` is the hub's own, never a worker's."""

    host: str = "127.0.0.1"
    port: int = 25
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretRef | None = None
    from_address: str = "hub@localhost"
    digest_minutes: int = Field(default=15, ge=0, le=120)  #: one reader's mails are so far apart; 0: each by itself
    most_an_hour: int = Field(default=4, ge=1, le=60)  #: of those mails; what is urgent or about safety is not counted


class SignIn(Table):
    """How champions and coordinators sign in to the console, and how long they stay signed in."""

    app_code: bool | None = None  #: whether a password needs a code of an app too; None: in the service profile alone
    idle_minutes: int = Field(default=30, ge=5, le=120)  #: without a click for so long, a session ends
    hours: int = Field(default=10, ge=1, le=24)  #: and after so long whatever is done
    link_hours: int = Field(default=48, ge=1, le=168)  #: how long a link that sets a password works
    passwords: bool | None = None  #: whether there are passwords at all; None: where there is no issuer
    issuer: str = ""  #: the partnership's own sign-in (OpenID Connect), exactly as its tokens name it
    name: str = "your organisation's sign-in"  #: what it is called on the page
    client_id: str = ""
    client_secret: SecretRef | None = None
    algorithms: tuple[IdTokenAlgorithm, ...] = ("RS256",)  #: what its tokens may be signed with
    hosts: tuple[str, ...] = ()  #: other hosts that its addresses may name, beside the issuer's own
    allow_addresses: tuple[str, ...] = ()  #: only for a sign-in on a private network, or one on this machine


class HubSettings(Table):
    """`hub.toml`."""

    profile: Literal["embedded", "service", "demo"] = "embedded"
    public_url: str
    partnership: str
    listen: Listen = Listen()
    store: Store = Store()
    broker: BrokerSettings = BrokerSettings()
    mail: Mail = Mail()
    sign_in: SignIn = SignIn()
    isolation: IsolationTable = IsolationTable()
    business_start: str = ""  #: the demo's first instant of business time, ISO 8601; refused in other profiles

    @property
    def takes_passwords(self) -> bool:
        """Whether people sign in with a password of this hub's."""
        return not self.sign_in.issuer if self.sign_in.passwords is None else self.sign_in.passwords

    @property
    def asks_for_app(self) -> bool:
        """Whether who signs in with a password needs the code of an app as well."""
        return self.profile == "service" if self.sign_in.app_code is None else self.sign_in.app_code
