"""The demo's stage: the hub and every sandbox partner as processes of their own, started, stopped and watched."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from hub.sandbox import instance
from hub.sandbox.case_system import CaseSystem
from hub.sandbox.mailbox import read_mails
from hub.sandbox.sectors import Sectors, add_sectors
from hub.sdk.testing.process import SandboxProcess, free_port
from hub.security.webhooks import new_secret

T = TypeVar("T")
_START_SECONDS = 40.0
#: The installed command, as an operator would run it.
_HUB = str(Path(sys.executable).with_name("hub"))


class StageError(Exception):
    """Something of the demo did not happen; the message says what, in plain words."""


class HubProcess:
    """`hub serve` on an instance, as a process of its own."""

    def __init__(self, folder: Path, url: str, log: Path) -> None:
        self.folder = folder
        self.url = url
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready; raises `StageError`."""
        with self._log.open("ab") as log:
            command = [_HUB, "serve", "--dir", str(self.folder)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command
        wait_for("the hub to be ready", self._ready, _START_SECONDS)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it in an orderly way and return its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
            raise StageError("the hub ended at its start: " + " | ".join(last))
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@dataclass(slots=True)
class Stage:
    """Everything that runs during the demo."""

    folder: Path
    hub: HubProcess
    housing: SandboxProcess
    supported: SandboxProcess
    health: SandboxProcess
    webhooks: SandboxProcess
    mail: Path
    metrics_url: str
    cases: CaseSystem
    sectors: Sectors | None = None

    def move_time(self, to: datetime) -> datetime:
        """Move business time by the control that only the demo's profile has."""
        reply = httpx.post(f"{self.hub.url}/demo/business-time", json={"to": to.isoformat()}, timeout=10)
        return datetime.fromisoformat(reply.raise_for_status().json()["now"])

    def time(self) -> datetime:
        """Return what business time is now."""
        reply = httpx.get(f"{self.hub.url}/demo/business-time", timeout=10)
        return datetime.fromisoformat(reply.raise_for_status().json()["now"])

    def command(self, *words: str) -> Any:
        """Run one of the hub's own commands on the instance and return what it says as JSON."""
        line = [_HUB, *words, "--dir", str(self.hub.folder), "--json"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - our own
        if done.returncode != 0:
            raise StageError(f"`hub {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def arrived(self) -> dict[str, bytes]:
        """Return what has reached each service, by its partner's own record."""
        partners = {
            "city-housing-options": self.housing,
            "supported-housing": self.supported,
            "county-treatment": self.health,
        }
        found = {
            service: b"\n".join(entry.body for entry in partner.entries() if entry.effect)
            for service, partner in partners.items()
        }
        return found | (self.sectors.arrived() if self.sectors is not None else {})

    def mails(self) -> list[dict[str, Any]]:
        """Return the mails that the hub sent."""
        return read_mails(self.mail)

    def heard_back(self) -> list[dict[str, Any]]:
        """Return what the hub told the case system, as its webhooks said it."""
        return [json.loads(entry.body) for entry in self.webhooks.entries()]


def set_up(folder: Path, stack: ExitStack, progress: Callable[[str], None], *, with_sectors: bool = False) -> Stage:
    """Start the partners, write the instance, start the hub; everything ends with `stack`."""
    port, metrics_port = free_port(), free_port()
    hub_url = f"http://127.0.0.1:{port}"
    made = instance.make_keys()
    callback_secret, webhook_secret = new_secret(), new_secret()

    progress("Starting the sandbox partners: two housing teams, a treatment service, a case system, a mail server")
    housing, supported = (
        _council(stack, folder, name, made, callback_secret, hub_url)
        for name in ("city-housing-options", "supported-housing")
    )
    health = _treatment(stack, folder, made, hub_url)
    webhooks = _partner(stack, folder / "cases", "hub.sandbox.case_system", None, {"secret": webhook_secret})
    mailbox = _partner(stack, folder / "mail", "hub.sandbox.mailbox", None, None)
    with ThreadPoolExecutor(5) as pool:  # each spends most of its start on imports, side by side
        list(pool.map(SandboxProcess.start, (housing, supported, health, webhooks, mailbox)))

    progress("Writing the hub's instance, with fresh keys")
    partners = instance.Partners(
        hub_url=hub_url,
        hub_port=port,
        metrics_port=metrics_port,
        housing_url=housing.url,
        supported_url=supported.url,
        health_url=health.url,
        case_system_url=webhooks.url,
        smtp_port=int(mailbox.url.rpartition(":")[2]),
        callback_secret=callback_secret,
        webhook_secret=webhook_secret,
    )
    home = folder / "instance"
    instance.write(home, partners, made)
    mails, metrics_url = folder / "mail" / "ledger.jsonl", f"http://127.0.0.1:{metrics_port}/metrics"
    gathered = add_sectors(folder, hub_url, mails, stack, progress) if with_sectors else None

    progress("Starting the hub on SQLite and the in-process broker")
    hub = HubProcess(home, hub_url, folder / "hub.log")
    hub.start()
    stack.callback(hub.stop)
    cases = CaseSystem(hub_url, instance.CLIENT, made.case_system)
    stack.callback(cases.close)
    sectors = gathered() if gathered is not None else None
    return Stage(folder, hub, housing, supported, health, webhooks, mails, metrics_url, cases, sectors)


def _council(  # noqa: PLR0913 - what a partner and the hub agree on
    stack: ExitStack, folder: Path, service: str, made: instance.Keys, secret: str, hub_url: str
) -> SandboxProcess:
    settings = {
        "callback_url": f"{hub_url}/v1/callbacks/{service}",
        "callback_secret": secret,
        "owner": "Duty officer, Housing Options",
        "auto_answer": True,
    }
    return _partner(stack, folder / service, "hub_housing.sandbox", json.loads(made.housing.jwks()), settings)


def _treatment(stack: ExitStack, folder: Path, made: instance.Keys, hub_url: str) -> SandboxProcess:
    key = folder / "receiver.pem"
    key.touch(mode=0o600)
    key.write_bytes(made.receiver.pem())
    settings = {
        "callback_url": f"{hub_url}/fhir/R4/$process-message",
        "issuer": "treatment-trust",
        "key_file": str(key),
        "alg": "RS512",
        "kid": made.receiver.kid,
        "decide": "none",
    }
    return _partner(stack, folder / "health", "hub_health_fhir.sandbox", json.loads(made.health.jwks()), settings)


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 20.0) -> T:
    """Return what `look` finds as soon as it is truthy; raises `StageError` after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise StageError(f"waited {seconds:.0f} seconds for {what}, and it did not happen")


def _partner(
    stack: ExitStack, folder: Path, module: str, jwks: dict[str, Any] | None, settings: dict[str, Any] | None
) -> SandboxProcess:
    folder.mkdir(parents=True)
    process = SandboxProcess(module, folder, client_jwks=jwks, settings=settings)
    stack.push(process.__exit__)
    return process


def make_folder(parent: Path | None) -> Path:
    """Return a new folder for one run of the demo, readable by its owner alone."""
    base = parent or Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - the name below cannot be guessed
    folder = base / f"hub-demo-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700, parents=True)
    return folder
