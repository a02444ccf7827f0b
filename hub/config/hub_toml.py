"""`hub.toml`: where this hub listens, what it keeps its rows and nudges in, and how it sends mail."""

from __future__ import annotations

from typing import Literal

from hub.config.table import SecretRef, Table
from hub.uids import IsolationTable


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


class HubSettings(Table):
    """`hub.toml`."""

    profile: Literal["embedded", "service", "demo"] = "embedded"
    public_url: str
    partnership: str
    listen: Listen = Listen()
    store: Store = Store()
    broker: BrokerSettings = BrokerSettings()
    mail: Mail = Mail()
    isolation: IsolationTable = IsolationTable()
    business_start: str = ""  #: the demo's first instant of business time, ISO 8601; refused in other profiles
