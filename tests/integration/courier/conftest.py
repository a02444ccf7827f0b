"""A connector plugin that behaves and misbehaves on demand, installed as a real distribution in a temporary folder."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hub.courier.host_process import HostProcess
from hub.host.wire import Configure
from hub.sdk import DeliveryKind, Parcel

CONNECTOR = """
import asyncio, ctypes, errno, json, logging, os, signal, socket, sys, time, warnings
from hub.sdk import Answer, AnswerState, Connector, Delivered, Inbound, Level, Rejected, RetryLater, Settings, hookimpl
from hub.sdk.connector import NoReply, NotSent


class ProbeSettings(Settings):
    base_url: str
    secret_file: str = ""


class Probe(Connector[ProbeSettings]):
    settings_type = ProbeSettings

    async def check(self, context):
        reply = await context.send("GET", self.settings.base_url, starts=False)
        return Delivered(receipt=str(reply.status))

    async def deliver(self, parcel, context):
        act = getattr(self, parcel.address.replace("-", "_"))
        return await act(parcel, context)

    async def post(self, parcel, context):
        reply = await context.send("POST", self.settings.base_url, content=parcel.body)
        return Delivered(receipt=reply.body.decode(), level=Level.L2, answers=(Answer(AnswerState.RECEIVED),))

    async def echo(self, parcel, context):
        return Delivered(receipt=parcel.body.decode())

    async def exit_before(self, parcel, context):
        os._exit(9)

    async def exit_after(self, parcel, context):
        await context.send("POST", self.settings.base_url, content=parcel.body)
        os._exit(9)

    async def raise_before(self, parcel, context):
        raise RuntimeError("John Smith is at 1 High Street")

    async def raise_after(self, parcel, context):
        await context.send("POST", self.settings.base_url, content=parcel.body)
        raise RuntimeError("John Smith is at 1 High Street")

    async def not_sent(self, parcel, context):
        await context.send("POST", "http://169.254.169.254/", content=parcel.body)

    async def block(self, parcel, context):
        time.sleep(600)

    async def wait(self, parcel, context):
        await asyncio.sleep(600)

    async def wait_after(self, parcel, context):
        await context.send("POST", self.settings.base_url, content=parcel.body)
        await asyncio.sleep(600)

    async def prose(self, parcel, context):
        return RetryLater("John Smith did not answer")

    async def wrong_type(self, parcel, context):
        return "delivered"

    async def wrong_field(self, parcel, context):
        return Delivered(receipt=object())

    async def cancel(self, parcel, context):
        raise asyncio.CancelledError

    async def confess(self, parcel, context):
        words = parcel.body.decode()
        print(words, flush=True)
        warnings.warn(words, stacklevel=1)
        logging.getLogger("probe").critical(words)
        try:
            raise ValueError(words)
        except ValueError as error:
            raise RuntimeError(words, parcel) from error

    async def talk(self, parcel, context):
        print("John Smith" * 1000, flush=True)
        sys.stderr.write("1 High Street" * 1000)
        sys.stderr.flush()
        return Delivered()

    async def behind(self, parcel, context):
        self.kept = context
        return Delivered()

    async def use_kept(self, parcel, context):
        try:
            await self.kept.send("POST", self.settings.base_url, content=b"behind your back")
        except NotSent as error:
            return Rejected(error.reason)

    async def look(self, parcel, context):
        seen = {"environ": dict(os.environ), "argv": sys.argv, "secret": context.secrets["api_key"]}
        return Delivered(receipt=json.dumps(seen))

    async def escape(self, parcel, context):
        tricks = {
            "read the data folder": lambda: open(self.settings.secret_file).read(),
            "list the data folder": lambda: os.listdir(os.path.dirname(self.settings.secret_file)),
            "read the password file": lambda: open("/etc/passwd").read(),
            "read the hub's environment": lambda: open(f"/proc/{os.getppid()}/environ").read(),
            "read the hub's memory": lambda: open(f"/proc/{os.getppid()}/mem", "rb").close(),
            "write a file": lambda: open(self.settings.secret_file + ".copy", "w").write("x"),
            "write beside the code": lambda: open(os.path.join(os.path.dirname(__file__), "more.py"), "w").write("x"),
            "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
            "signal the hub": lambda: os.kill(os.getppid(), 0),
            "trace the hub": lambda: trace(os.getppid()),
            "listen": lambda: socket.create_server(("127.0.0.1", 0)),
            "connect elsewhere": lambda: socket.create_connection(("127.0.0.1", int(parcel.body)), 2),
            "raise a limit": lambda: __import__("resource").setrlimit(4, (1, 1)),
            "use another descriptor": lambda: os.fstat(90),
            "take a descriptor of the hub's": lambda: take(os.getppid()),
            "reach the machine's own services": lambda: socket.socket(socket.AF_UNIX),
            "listen without a name": lambda: socket.socket().listen(),
            "ask a name server": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "leave a process behind": lambda: os.fork() or os._exit(0),
        }
        told = {}
        for name, trick in tricks.items():
            try:
                trick()
                told[name] = "done"
            except OSError as error:
                told[name] = errno.errorcode.get(error.errno, "refused")
            except ValueError:  # of a limit that may not be raised
                told[name] = "EPERM"
        return Delivered(receipt=json.dumps(told))

    async def borrow(self, parcel, context):
        lend, (own, other) = context._client.lend, map(int, parcel.body.split())
        told = {}
        lent = await lend("127.0.0.1", own, encrypted=True)
        told["its own"] = "lent"
        try:
            await lend("127.0.0.1", other, encrypted=True)
        except NotSent as refusal:
            told["another port"] = refusal.reason
        turns = {
            "dissolve": lambda: call({"x86_64": 42, "aarch64": 203}[os.uname().machine], lent.fileno(), bytes(16), 16),
            "connect": lambda: lent.connect(("127.0.0.1", other)),
            "listen": lambda: lent.listen(),
        }
        for name, turn in turns.items():
            try:
                turn()
                told[name] = "done"
            except OSError as error:
                told[name] = errno.errorcode.get(error.errno, "refused")
        lent.close()
        return Delivered(receipt=json.dumps(told))

    async def reconcile(self, parcel, context):
        reply = await context.send("GET", self.settings.base_url)
        return Delivered(receipt=str(reply.status))

    def parse_callback(self, request):
        if request.headers.get("x-kind") == "die":
            os._exit(9)
        data = json.loads(request.body)
        if "look" in data:
            return Inbound(request.headers["x-id"], data["look"], look=True)
        answer = Answer(AnswerState(data["state"]), owner=data.get("owner", ""))
        return Inbound(request.headers["x-id"], data["reference"], answers=(answer,))

    async def collect(self, context):
        for receipt in context.waiting:
            await context.send("GET", self.settings.base_url + "/" + receipt, starts=False)
        for number in range(3):
            yield Inbound(f"m{number}", f"r{number}", Level.L2)

    async def acknowledge(self, reference, context):
        await context.send("DELETE", self.settings.base_url + "/" + reference, starts=False)


def call(*words):
    libc = ctypes.CDLL(None, use_errno=True)
    if (found := libc.syscall(*words)) < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return found


def trace(pid):
    call({"x86_64": 101, "aarch64": 117}[os.uname().machine], 0x4206, pid, 0, 0)


def take(pid):
    call(438, call(434, pid, 0), 0, 0)


class Other(Probe):
    async def deliver(self, parcel, context):
        await context.send("POST", self.settings.base_url + "/other", content=parcel.body)
        return Delivered()


@hookimpl
def register_connectors(register):
    register("probe", Probe)
    register("other", Other)
"""

MANIFEST = """
sdk = "1"
name = "{name}"
version = "1.0"
owner = "tests"
summary = "Behaves and misbehaves on demand."

[connectors.probe]
title = "Probe"
transport = "rest"
mapping = "probe/1"
accepts = ["contact"]
levels = ["L1"]
answers = ["sync"]
idempotency = {{ key = "header", partner_dedupes = true }}
"""


def _install(folder: Path, code: str = CONNECTOR, name: str = "probe") -> Path:
    """Write a distribution as an installer would: package, metadata, entry point and record."""
    package, metadata = folder / f"hub_{name}", folder / f"hub_{name}-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    (package / "connector.py").write_text(code)
    (package / "manifest.toml").write_text(MANIFEST.format(name=name))
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: hub-{name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[hub.connectors]\n{name} = hub_{name}.connector\n")
    files = [f"hub_{name}/{file}" for file in ("__init__.py", "connector.py", "manifest.toml")]
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    return folder


@dataclass
class Partner:
    """A partner's HTTP server over a real socket; it remembers what came, and may close or keep silent."""

    bodies: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                self.bodies.append(await reader.readexactly(size[0]) if size else b"")
                self.lines.append(head.split(b"\r\n")[0])
                self.arrived.set()
                if not self.silent:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


@pytest.fixture
async def partner() -> AsyncIterator[Partner]:
    there = Partner()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    yield there
    server.close()


@pytest.fixture
def configure(tmp_path: Path, partner: Partner) -> Configure:
    """What a courier would tell a host of the probe."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "hub.sqlite").write_text("everybody's story")
    return Configure(
        connection="probe-1",
        connector="probe",
        plugin="probe",
        distribution="hub-probe",
        settings={"base_url": f"http://127.0.0.1:{partner.port}", "secret_file": str(data / "hub.sqlite")},
        secrets={"api_key": "canary-5f1d"},
        hosts=(f"127.0.0.1:{partner.port}",),
        allow_addresses=("127.0.0.0/8",),
        paths=(str(_install(tmp_path / "site")),),
    )


def _parcel(act: str, body: bytes = b"the story", seconds: float = 20) -> Parcel:
    """Make a parcel whose address tells the probe what to do."""
    token = str(uuid.uuid4())
    return Parcel(token, DeliveryKind.SHARE, 1, token, token, body, "application/json", act, time.time() + seconds)


@dataclass
class Rig:
    """A host process and what it reported of starts."""

    host: HostProcess
    started: list[str]


@pytest.fixture
async def rig(configure: Configure) -> AsyncIterator[Rig]:
    started: list[str] = []
    host = HostProcess(configure, on_started=started.append, grace=0.5)
    yield Rig(host, started)
    await host.close()


@pytest.fixture
async def open_host() -> AsyncIterator[Callable[..., HostProcess]]:
    """The maker of hosts, each of which is closed however its test ends."""
    opened: list[HostProcess] = []

    def make(configure: Configure, **options: Any) -> HostProcess:
        opened.append(HostProcess(configure, **options))
        return opened[-1]

    yield make
    for host in opened:
        await host.close()


@pytest.fixture
def install() -> Callable[..., Path]:
    """The writer of distributions."""
    return _install


@pytest.fixture
def parcel() -> Callable[..., Parcel]:
    """The maker of parcels."""
    return _parcel
