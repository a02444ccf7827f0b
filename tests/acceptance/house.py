"""A hub in this process, on an instance of its own, beside partners that are processes; its business time is ours."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy import text
from standardwebhooks import Webhook

from hub.api.app import create_app
from hub.bootstrap import Hub, build
from hub.config import ConfigurationError
from hub.entries import approve_all
from hub.sandbox import instance
from hub.sandbox.mailbox import read_mails
from hub.sdk.testing.process import SandboxProcess, free_port
from hub.security.assertions import ClientKey
from hub.security.webhooks import new_secret
from tests.acceptance.caller import Caller

OTHER_CLIENT = "harbour-cases"
#: What a request may change; `seen` is left out, for an assertion that was shown is used up whatever came of it.
KEPT = (
    *("shares", "consents", "consent_events", "deliveries", "attempts", "acknowledgements", "answers", "clocks"),
    *("alerts", "notices", "inbox", "replies", "connections", "audit_events", "facts", "clients"),
    *("redirects", "plan_versions"),
    *("lawful_bases", "rings"),
)


@dataclass(slots=True)
class Troupe:
    """The partners of in-process hubs: two councils, a health receiver, a case system and a mail server."""

    housing: SandboxProcess
    supported: SandboxProcess
    health: SandboxProcess
    webhooks: SandboxProcess
    mailbox: SandboxProcess
    mail: Path
    made: instance.Keys
    callback_secret: str
    webhook_secret: str

    def mails(self) -> list[dict[str, Any]]:
        """Every mail that was sent by any hub of this troupe."""
        return read_mails(self.mail)


def gather_troupe(folder: Path, stack: ExitStack) -> Troupe:
    """Start the partners, silent: what they answer, the test sends itself; they end with `stack`."""
    made, secret = instance.make_keys(), new_secret()
    jwks, health = json.loads(made.housing.jwks()), json.loads(made.health.jwks())

    def start(name: str, module: str, keys: Any = None, settings: Any = None) -> SandboxProcess:
        (folder / name).mkdir(parents=True)
        return stack.enter_context(SandboxProcess(module, folder / name, client_jwks=keys, settings=settings))

    return Troupe(
        housing=start("housing", "hub_housing.sandbox", jwks),
        supported=start("supported", "hub_housing.sandbox", jwks),
        health=start("health", "hub_health_fhir.sandbox", health),
        webhooks=start("cases", "hub.sandbox.case_system", None, {"secret": secret}),
        mailbox=start("mail", "hub.sandbox.mailbox"),
        mail=folder / "mail" / "ledger.jsonl",
        made=made,
        callback_secret=new_secret(),
        webhook_secret=secret,
    )


@dataclass(slots=True)
class House:
    """One hub: its objects, its address, and two partners' clients who may call it."""

    folder: Path
    troupe: Troupe
    url: str
    port: int
    cases: Caller
    other: Caller
    start: str = instance.BUSINESS_START
    approves: bool = True  #: as each hub starts, every service's entry is approved as it is then (TH20)
    _serving: list[tuple[Hub, uvicorn.Server, threading.Thread]] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        """The hub that serves now."""
        return self._serving[-1][0]

    def open(self) -> None:
        """Start serving; what an earlier hub of this folder kept is there again."""
        if self.approves:
            with suppress(ConfigurationError):  # what is wrong is told by the hub itself
                approve_all(self.folder, date.fromisoformat(self.start[:10]))
        built = build(self.folder)
        config = uvicorn.Config(create_app(built), log_config=None, access_log=False, server_header=False)
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=2048)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="house")
        thread.start()
        self._serving.append((built, server, thread))
        until_true("the hub to be ready", self._ready)

    def close(self) -> None:
        """Stop serving, in good order."""
        built, server, thread = self._serving.pop()
        server.should_exit = True
        thread.join(30)
        built.reader.dispose()

    def _ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        return False

    def at(self, instant: datetime) -> None:
        """Let business time be `instant` from now on, also backwards; every round then looks at it."""
        self.hub.now.offset = instant.astimezone(UTC) - self.hub.now.wall()
        self.hub.relay.hurry()

    def rounds(self, number: int = 2) -> None:
        """Wait until the relay went round `number` times more, each begun at once."""
        wanted = self.hub.relay.rounds_done + number

        def done() -> bool:
            self.hub.relay.hurry()
            return self.hub.relay.rounds_done >= wanted

        until_true("the relay's rounds", done)

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Read from the hub's own database."""
        with self.hub.reader.connect() as connection:
            return [dict(each) for each in connection.execute(text(statement), values).mappings()]

    def counts(self) -> dict[str, int]:
        """How many rows every table holds, `seen` left out."""
        return {name: self.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in KEPT}

    def settled(self) -> dict[str, int]:
        """Wait until nothing is under way and two looks find the same, and return the counts."""
        last: dict[str, int] = {}

        def still() -> dict[str, int] | None:
            moving = self.rows(
                "SELECT (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending', 'retrying', 'in_doubt'))"
                " + (SELECT count(*) FROM notices WHERE state IN ('queued', 'sending', 'retrying'))"
                " + (SELECT count(*) FROM inbox WHERE state = 'pending') AS n"
            )
            nonlocal last
            before, last = last, self.counts()
            return last if moving[0]["n"] == 0 and before == last else None

        return until_true("the hub to have nothing under way", still)

    def settled_notices(self) -> None:
        """Wait until no notice is under way."""
        waiting = "SELECT id FROM notices WHERE state IN ('queued', 'sending')"
        until_true("the notices to go", lambda: not self.rows(waiting))

    def mails(self, receipt: dict[str, Any], to: str = "") -> list[dict[str, Any]]:
        """The mails about one share, to one reader or to all."""
        return [
            mail
            for mail in self.troupe.mails()
            if receipt["reference"] in mail["subject"] and (not to or mail["to"] == [to])
        ]

    def told(self, receipt: dict[str, Any], topic: str = "") -> list[dict[str, Any]]:
        """What the case system was told about one share by webhook."""
        said = [json.loads(entry.body) for entry in self.troupe.webhooks.entries()]
        return [each for each in said if each["data"].get("share") == receipt["id"] and topic in ("", each["type"])]

    def key_of(self, receipt: dict[str, Any], service: str) -> str:
        """The idempotency key under which a service was sent its parcel."""
        found = self.rows(
            "SELECT key FROM deliveries WHERE share_id = :share AND service_id = :service",
            share=receipt["id"],
            service=service,
        )
        return str(found[0]["key"])

    def callback(self, connection: str, body: bytes, **how: Any) -> httpx.Response:
        """Call back as a council would: signed with its secret, now, under a new message id, unless told otherwise."""
        headers = sign(body, how.pop("secret", self.troupe.callback_secret), **how)
        return httpx.post(
            f"{self.url}/v1/callbacks/{connection}", content=body, headers=headers, timeout=30, trust_env=False
        )

    def say(self, receipt: dict[str, Any], service: str, **words: Any) -> httpx.Response:
        """Let a council answer one parcel, in its own words."""
        body = json.dumps({"idempotencyKey": self.key_of(receipt, service)} | words).encode()
        return self.callback(service, body)


def sign(body: bytes, secret: str, *, message_id: str = "", at: datetime | None = None) -> dict[str, str]:
    """Headers of a Standard Webhooks message, by the official library."""
    identity, moment = message_id or f"msg_{time.time_ns()}", at or datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, moment, body.decode("utf-8", "replace")),
    }


@contextmanager
def open_house(
    folder: Path,
    troupe: Troupe,
    *,
    start: str = instance.BUSINESS_START,
    edit: Callable[[Path], None] = lambda _: None,
    approves: bool = True,
) -> Iterator[House]:
    """Write an instance (then `edit` it) and serve it until the block ends; business time begins at `start`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    partners = instance.Partners(
        hub_url=url,
        hub_port=port,
        housing_url=troupe.housing.url,
        supported_url=troupe.supported.url,
        health_url=troupe.health.url,
        case_system_url=troupe.webhooks.url,
        smtp_port=int(troupe.mailbox.url.rpartition(":")[2]),
        callback_secret=troupe.callback_secret,
        webhook_secret=troupe.webhook_secret,
    )
    instance.write(folder, partners, troupe.made)
    other_key = ClientKey.generate()
    _add_other_partner(folder, other_key)
    replace_in(folder / "hub.toml", instance.BUSINESS_START, start)
    edit(folder)
    house = House(
        folder,
        troupe,
        url,
        port,
        Caller(url, instance.CLIENT, troupe.made.case_system),
        Caller(url, OTHER_CLIENT, other_key),
        start,
        approves,
    )
    house.open()
    try:
        yield house
    finally:
        house.close()
        house.cases.http.close()
        house.other.http.close()


def replace_in(file: Path, old: str, new: str) -> None:
    """Change an instance's file; what is to be changed must be there."""
    content = file.read_text(encoding="utf-8")
    assert old in content
    file.write_text(content.replace(old, new), encoding="utf-8")


def append_to(file: Path, more: str) -> None:
    """Add lines to an instance's file."""
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")


def until_true(what: str, look: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Return what `look` finds as soon as it is truthy; fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


def _add_other_partner(folder: Path, key: ClientKey) -> None:
    append_to(
        folder / "partnerships" / f"{instance.PARTNERSHIP}.toml",
        f"""
[[partners]]
id = "harbour"
name = "Harbour house"
kind = "charity"

[partners.champion]
id = "champion-harbour"
name = "Sol"
email = "champion@harbour.example"
working_days = ["mon", "tue"]

[[clients]]
id = "{OTHER_CLIENT}"
partner = "harbour"
jwks = "keys-of-partners/harbour.jwks.json"
scopes = ["share", "pull"]
""",
    )
    (folder / "keys-of-partners" / "harbour.jwks.json").write_text(key.jwks(), encoding="utf-8")
