"""A hub as a process on SQLite, real partners beside it, and the ways to kill parts of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from hub.sandbox import instance
from hub.sandbox.case_system import CaseSystem
from hub.sandbox.stage import HubProcess, wait_for
from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.process import SandboxProcess, free_port
from hub.security.envelope import Envelope
from hub.security.keys import KeyRing
from hub.security.webhooks import new_secret
from hub.store.engine import open_engine, sqlite_url

HOUSING, TREATMENT = "city-housing-options", "county-treatment"
PARTNER = "riverside"


@dataclass(slots=True)
class Town:
    """Everything that runs: the hub, a council, a health receiver, a case system's webhooks, a mail server."""

    folder: Path
    hub: HubProcess
    partners: dict[str, SandboxProcess]
    made: instance.Keys
    vault: Envelope
    _copies: int = field(default=0)

    @property
    def database(self) -> Path:
        """The hub's SQLite file."""
        return next(self.hub.folder.glob("data/*.db"))

    def case_system(self) -> CaseSystem:
        """Return a client of the hub's with a connection of its own."""
        return CaseSystem(self.hub.url, instance.CLIENT, self.made.case_system)

    def ledger(self, name: str) -> Ledger:
        """Read what a partner received, from the file that it is kept in."""
        return Ledger(self.folder / name / "ledger.jsonl")

    def arrived(self) -> int:
        """Return how many parcels have arrived at both partners."""
        files = [self.folder / name / "ledger.jsonl" for name in (HOUSING, TREATMENT)]
        return sum(file.read_bytes().count(b"\n") for file in files if file.exists())

    def move_time(self, to: datetime) -> None:
        """Move the hub's business time."""
        httpx.post(f"{self.hub.url}/demo/business-time", json={"to": to.isoformat()}, timeout=10).raise_for_status()

    def hosts(self) -> list[int]:
        """Return the processes in which the hub's connectors run now."""
        return children(self.hub.pid)

    def kill(self, kind: str) -> list[int]:
        """Kill `hub` alone, or `all`: the hub and every host; returns the hosts it had."""
        hosts = self.hosts()
        self.hub.kill()
        if kind == "all":
            for pid in hosts:
                end(pid)
        return hosts

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Read from the hub's database as it stands."""
        return _rows(self.database, statement, values)

    def rows_at_death(self, statement: str) -> list[dict[str, Any]]:
        """Read what a killed hub had kept, from a copy: the next start must find the files as the kill left them."""
        self._copies += 1
        copy = self.folder / f"at-death-{self._copies}"
        copy.mkdir()
        for file in self.database.parent.glob(f"{self.database.name}*"):
            shutil.copyfile(file, copy / file.name)
        try:
            return _rows(copy / self.database.name, statement, {})
        finally:
            shutil.rmtree(copy)


def _rows(database: Path, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    engine = open_engine(sqlite_url(database), reader=True)
    try:
        with engine.connect() as connection:
            return [dict(each) for each in connection.execute(text(statement), values).mappings()]
    finally:
        engine.dispose()


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that are still there."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(each) for each in listing.read_text().split()]
    return found


def end(pid: int) -> None:
    """Kill one process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def open_town(folder: Path, *, more: Sequence[str] = ()) -> Iterator[Town]:
    """Start the partners, write an instance with these further lines in its hub.toml, and start the hub."""
    with ExitStack() as stack:
        port, made = free_port(), instance.make_keys()
        url = f"http://127.0.0.1:{port}"
        secrets = {"callback_secret": new_secret(), "webhook_secret": new_secret()}
        partners = _partners(folder, stack, url, made, secrets)
        fields: dict[str, Any] = {
            "hub_url": url,
            "hub_port": port,
            "housing_url": partners[HOUSING].url,
            "supported_url": partners[HOUSING].url,
            "health_url": partners[TREATMENT].url,
            "case_system_url": partners["cases"].url,
            "smtp_port": int(partners["mail"].url.rpartition(":")[2]),
            **secrets,
        }
        home = folder / "instance"
        instance.write(home, instance.Partners(**fields), made)
        with (home / "hub.toml").open("a", encoding="utf-8") as settings:
            settings.write("\n".join(["", *more, ""]))
        hub = HubProcess(home, url, folder / "hub.log")
        hub.start()
        stack.callback(_stop, hub)
        yield Town(folder, hub, partners, made, Envelope(KeyRing.load(home / "keys")))


def _stop(hub: HubProcess) -> None:
    if hub.running:
        hub.stop()


def _partners(
    folder: Path, stack: ExitStack, url: str, made: instance.Keys, secrets: dict[str, str]
) -> dict[str, SandboxProcess]:
    receiver = folder / "receiver.pem"
    receiver.write_bytes(made.receiver.pem())
    council = {"callback_url": f"{url}/v1/callbacks/{HOUSING}", "callback_secret": secrets["callback_secret"]}
    trust = {
        "callback_url": f"{url}/fhir/R4/$process-message",
        "issuer": "treatment-trust",
        "key_file": str(receiver),
        "alg": "RS512",
        "kid": made.receiver.kid,
        "decide": "none",
    }

    def start(name: str, module: str, keys: Any = None, settings: Any = None) -> SandboxProcess:
        (folder / name).mkdir(parents=True)
        return stack.enter_context(SandboxProcess(module, folder / name, client_jwks=keys, settings=settings))

    return {
        HOUSING: start(HOUSING, "hub_housing.sandbox", json.loads(made.housing.jwks()), council),
        TREATMENT: start(TREATMENT, "hub_health_fhir.sandbox", json.loads(made.health.jwks()), trust),
        "cases": start("cases", "hub.sandbox.case_system", None, {"secret": secrets["webhook_secret"]}),
        "mail": start("mail", "hub.sandbox.mailbox"),
    }


def until(what: str, look: Callable[[], Any], seconds: float) -> float:
    """Wait until `look` is true and return how long that took; raises `StageError`."""
    begun = time.monotonic()
    wait_for(what, look, seconds)
    return time.monotonic() - begun
