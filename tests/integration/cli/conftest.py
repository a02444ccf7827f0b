"""Real instances in temporary folders, a runner for the command line, and shares whose story must never be shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hub_housing import connector as _installed  # noqa: F401 - these tests need the housing pack
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import Column, LargeBinary
from typer.testing import CliRunner, Result

from hub import config
from hub.bootstrap import find_plugins, open_store
from hub.cli.main import app
from hub.sdk.testing.process import SandboxProcess
from hub.security.webhooks import new_secret
from hub.store import tables

#: Sealed columns are sealed in earnest elsewhere; here they hold what no command may ever print.
CANARIES = ("Sam Rivers", "07700 900123", "sofas since the summer", "Champion Name", "champion@daycentre.example")

PARTNERSHIP = """
name = "Test partnership"
operator = { name = "Champion Name", email = "champion@daycentre.example" }

[safeguarding]
contact = { id = "lead", name = "Champion Name", email = "champion@daycentre.example" }
numbers = [{ name = "Adults at risk", phone = "01223 000911" }]

[[partners]]
id = "day-centre"
name = "Riverside day centre"
kind = "charity"

[partners.champion]
id = "centre-champion"
name = "Champion Name"
email = "champion@daycentre.example"
working_days = ["mon", "tue", "wed", "thu", "fri"]

[[partners]]
id = "council"
name = "City council"
kind = "public_body"

[partners.champion]
id = "council-champion"
name = "Champion Name"
email = "champion@daycentre.example"
working_days = ["mon", "tue", "wed", "thu", "fri"]

[[clients]]
id = "centre-cases"
partner = "day-centre"
jwks = "clients/centre.jwks.json"
"""

SERVICE = """
id = "city-housing"
name = "City housing options"
partner = "council"
purposes = ["find-somewhere-to-live"]
phone = "07700 900123"
area = "E07000008"
gates = ["duty-to-refer"]

[agreement]
reference = "ISA-1"
agreed_on = 2026-11-02
assessment = "DPIA-1"
sender = {{ article_6 = "6(1)(a)", article_9 = "9(2)(a)" }}
receiver = {{ article_6 = "6(1)(e)", article_9 = "9(2)(g)" }}
duties = "They may have to tell others."

[connection]
id = "housing"
plugin = "housing"
connector = "duty-to-refer"
settings = {{ base_url = "{url}", token_url = "{url}/oauth/token", client_id = "hub", key_id = "hub-1" }}
secrets = {{ client_key = "file:secrets/key.pem" }}
allow_addresses = ["127.0.0.0/8"]

[connection.callback]
secrets = ["file:secrets/callback"]
"""

KEY = ECKey.generate_key("P-256", parameters={"kid": "hub-1"})
NOW = datetime.now(UTC).replace(microsecond=0)
SHARE, DELIVERY, REFERENCE = "5" * 32, "d" * 32, "K7M-4QX"


def _is_sealed(column: Column[Any]) -> bool:
    return isinstance(column.type, LargeBinary) and not column.nullable


@dataclass
class Instance:
    """An instance's folder and the command line on it; what is printed is checked for canaries every time."""

    folder: Path
    share_id: str = SHARE
    delivery_id: str = DELIVERY
    reference: str = REFERENCE
    canaries: tuple[str, ...] = CANARIES

    def hub(self, *words: str, stdin: str = "") -> Result:
        """Run a command on this instance."""
        result = CliRunner().invoke(app, [*words, "--dir", str(self.folder)], input=stdin)
        assert not [canary for canary in CANARIES if canary in result.output]
        return result

    def json(self, *words: str) -> Any:
        """Run a command with --json and return what it printed; it must end well."""
        result = self.hub(*words, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def write(self, name: str, text: str) -> None:
        """Write one of the instance's files."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def insert(self, table: str, **row: Any) -> None:
        """Put a row into the database, as the hub would have; sealed columns that are not named hold the canaries."""
        story = " ".join(CANARIES).encode()
        sealed = {column.name: story for column in tables.metadata.tables[table].columns if _is_sealed(column)}
        row = sealed | row
        engine = open_store(config.load(self.folder))
        with engine.begin() as connection:
            connection.execute(tables.metadata.tables[table].insert(), row)
        engine.dispose()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return every row of a table."""
        engine = open_store(config.load(self.folder))
        with engine.begin() as connection:
            found = [dict(row) for row in connection.execute(tables.metadata.tables[table].select()).mappings()]
        engine.dispose()
        return found

    def allow_housing(self) -> None:
        """Put the installed housing pack on the allow-list."""
        (plugin,) = [each for each in find_plugins(config.load(self.folder)) if each.name == "housing"]
        entry = f'[[allow]]\nname = "housing"\nversion = "{plugin.version}"\nsha256 = "{plugin.sha256}"\n'
        self.write("connectors.toml", entry)

    def reach(self, url: str) -> None:
        """Let the housing connection lead to an address."""
        self.write("services/city-housing.toml", SERVICE.format(url=url))


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Give the logging of other tests back: a command sets up its own."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def empty(tmp_path: Path) -> Instance:
    """An instance as `hub init` leaves it, on a port the system chooses."""
    folder = tmp_path / "instance"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    instance = Instance(folder)
    text = (folder / "hub.toml").read_text(encoding="utf-8")
    instance.write("hub.toml", text.replace("port = 8400", "port = 0"))
    return instance


@pytest.fixture
def instance(empty: Instance) -> Instance:
    """An instance with two partners, a client and a housing service whose plugin may run."""
    empty.write("partnerships/local.toml", PARTNERSHIP)
    empty.write("clients/centre.jwks.json", json.dumps(KeySet([KEY]).as_dict(private=False)))
    empty.write("secrets/key.pem", KEY.as_pem(private=True).decode())
    empty.write("secrets/callback", new_secret())
    empty.reach("http://127.0.0.1:9")
    empty.allow_housing()
    return empty


#: One delivery, queued, as the database keeps it.
_DELIVERY: dict[str, Any] = {
    "id": DELIVERY,
    "share_id": SHARE,
    "consent_id": "c" * 32,
    "service_id": "city-housing",
    "connection_id": "housing",
    "kind": "share",
    "state": "queued",
    "answer_state": "awaited",
    "key": "k" * 36,
    "case": "e" * 36,
    "address": "housing",
    "mapping": "duty-to-refer/1.0.0",
    "content_type": "application/json",
    "parcel_sha256": "0" * 64,
    "created_at": NOW,
    "due_at": NOW,
    "attempt": 0,
    "counted": 0,
    "deaths": 0,
    "may_have_left": False,
    "bare": False,
}


@pytest.fixture
def share(instance: Instance) -> Callable[..., None]:
    """Put a share with one delivery into the instance's database, its story where sealed bytes would be."""

    def put(**changes: Any) -> None:
        instance.insert(
            "shares",
            id=SHARE,
            reference=REFERENCE,
            partner_id="day-centre",
            client_id="centre-cases",
            trusted_person="t",
            person="p",
            sent_at=NOW,
            ask="act",
            urgent=False,
            config_digest="c",
            data_key=b"k",
        )
        instance.insert(
            "consents",
            id="c" * 32,
            record_id="r" * 32,
            share_id=SHARE,
            service_id="city-housing",
            state="given",
            ends_at=NOW + timedelta(days=90),
            purpose="find-somewhere-to-live",
            categories=["identity"],
            returns=[],
            notice="v3",
            agreement="a" * 64,
            need="b" * 64,
        )
        instance.insert("deliveries", **_DELIVERY | changes)
        instance.insert(
            "audit_events",
            at=NOW,
            action="share.accepted",
            actor="client:centre-cases",
            share_id=SHARE,
            delivery_id=None,
            detail={"services": ["city-housing"], "slip": CANARIES[2]},
        )

    return put


@pytest.fixture
def council(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A council as a real process on a real port."""
    with SandboxProcess("hub_housing.sandbox", tmp_path, client_jwks=KeySet([KEY]).as_dict(private=False)) as council:
        yield council
