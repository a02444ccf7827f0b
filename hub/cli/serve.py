"""`hub serve`: run an instance, once it is sure that nothing foreign runs with it and nobody else writes its file."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, sqlite_file
from hub.cli.output import emit, fail, progress, say
from hub.cli.standing import described, in_words, standings

if TYPE_CHECKING:
    from hub.bootstrap import Hub
    from hub.config import Configuration

#: Look for garbage after so many new objects, and through older ones after so many looks: a share makes thousands.
_GARBAGE = (20_000, 20, 20)


def serve(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Run the hub until it is told to stop (Ctrl-C or SIGTERM); logs are JSON lines on standard error."""
    from hub import logs  # noqa: PLC0415 - `hub --help` stays fast
    from hub.bootstrap import build  # noqa: PLC0415
    from hub.host.foreign import site_folders  # noqa: PLC0415

    configuration = configuration_of(folder)
    refuse_foreign_code(site_folders())
    refuse_unfit(configuration)
    os.umask(0o077)  # the database's own files too are nobody else's
    leave_no_core()
    logs.configure()
    with ExitStack() as held:
        alone = _hold_the_only_place(held, configuration)
        listening = held.enter_context(_listen(configuration))
        progress("Opening the database and finding connectors ...")
        hub = build(configuration.folder, alone=alone)
        facts = opening(hub, "http://{}:{}".format(*listening.getsockname()[:2]))
        emit(facts) if as_json else _announce(facts)
        _run(hub, listening)
    progress("Stopped.")


def leave_no_core() -> None:
    """A crash must not write this process's memory, stories and keys, into a file or to a collector of them (TH22)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # of Linux alone: a collector gets a dump whatever the limit says, and this keeps it empty
        Path("/proc/self/coredump_filter").write_text("0", encoding="ascii")


def leave_the_start_alone() -> None:
    """What the start made stays as long as the process: looking through it for garbage again and again finds none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


def refuse_foreign_code(folders: list[Path]) -> None:
    """Refuse to start beside anything that runs code in this process before any allow-list is read (TH08)."""
    from hub.host.foreign import foreign_code  # noqa: PLC0415

    if unknown := foreign_code(folders):
        fail(
            f"will not start: code runs in every Python process here, from {', '.join(unknown)}",
            "Uninstall the package it came with, or install the hub in a fresh virtual environment.",
        )


def refuse_unfit(configuration: Configuration) -> None:
    """Refuse a service profile on SQLite, or where nothing would hold a connector's process in, or not as asked."""
    from hub.containment import NEXT_STEPS, cannot_be_strict  # noqa: PLC0415
    from hub.host import isolation  # noqa: PLC0415

    if why := cannot_be_strict(configuration):
        step = NEXT_STEPS.get(why, "Run `hub connection ls` to see why.")
        fail(f"hub.toml asks for strict isolation, and this machine does not give it ({why})", step)

    if configuration.hub.profile != "service":
        return
    if sqlite_file(configuration) is not None:
        fail("hub.toml: the service profile does not run on SQLite", "Name a PostgreSQL database under [store].")
    if isolation.expected().level == "none":
        fail(
            "the service profile does not start where connectors cannot be isolated",
            "Run it on Linux with Landlock (5.13 or later), or use the embedded profile.",
        )


def opening(hub: Hub, address: str) -> dict[str, Any]:
    """Return what is said at the start: where it listens, what it stands on, and how each connection stands."""
    from importlib import metadata  # noqa: PLC0415 - `hub --help` stays fast

    from hub.bootstrap import store_url  # noqa: PLC0415
    from hub.host import isolation  # noqa: PLC0415
    from hub.store.engine import without_password  # noqa: PLC0415
    from hub.store.read_state import held_connections  # noqa: PLC0415

    found = standings(hub.configuration, hub.plugins, hub.enabled, held_connections(hub.reader))
    reached = isolation.expected()
    held = {each.id: described(hub.enabled[each.id].reached if each.id in hub.enabled else None) for each in found}
    return {
        "version": metadata.version("trusted-person-hub"),
        "address": address,
        "public_url": hub.configuration.hub.public_url,
        "profile": hub.configuration.hub.profile,
        "database": without_password(store_url(hub.configuration)),
        "broker": _without_password(hub.configuration.hub.broker.url),
        "isolation": {"level": reached.level, "measures": list(reached.measures)},
        "pid": os.getpid(),
        "connections": [
            {"id": each.id, "state": each.state, "why": each.why, "isolation": held[each.id]} for each in found
        ],
    }


def _announce(facts: dict[str, Any]) -> None:
    say(f"Trusted Person Hub {facts['version']} listens on {facts['address']}")
    for name in ("public_url", "profile", "database", "broker"):
        say(f"  {name.replace('_', ' '):<12}{facts[name]}")
    say(f"  {'isolation':<12}{facts['isolation']['level']} (of the processes that connectors run in)")
    if not facts["connections"]:
        say("  no services yet: it is running, and nothing can be sent until services/ describes one")
    for each in facts["connections"]:
        why = f", {each['why']}" if each["why"] else ""
        say(f"  connection  {each['id']}: {each['state']}{why}{in_words(each['isolation'])}")


def _hold_the_only_place(held: ExitStack, configuration: Configuration) -> bool:
    """Take the lock on a SQLite file until `held` ends; False where the database is one that processes share."""
    from hub.cli.lock import AlreadyServed, only_one  # noqa: PLC0415

    file = sqlite_file(configuration)
    if file is None:
        return False
    try:
        held.enter_context(only_one(file))
    except AlreadyServed:
        fail(f"another process serves {file}", "Stop it first: one process at a time writes a SQLite file.")
    return True


def _listen(configuration: Configuration) -> socket.socket:
    listen = configuration.hub.listen
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=2048)
    except OSError as error:
        fail(
            f"cannot listen on {listen.host} port {listen.port}: {error.strerror}",
            "Stop what listens there, or choose another port under [listen] in hub.toml.",
        )


def _run(hub: Hub, listening: socket.socket) -> None:
    import structlog  # noqa: PLC0415
    import uvicorn  # noqa: PLC0415

    from hub.api.app import create_app  # noqa: PLC0415

    settings = uvicorn.Config(
        create_app(hub),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,  # a URL may hold an id, and whoever reads the log has no need to know who asked
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server raises again what stopped it once it has stopped: by then there is nothing left to end.
        signal.signal(number, lambda *_: None)
    log = structlog.get_logger(__name__)
    log.info("hub.serving", profile=hub.configuration.hub.profile, pid=os.getpid())
    leave_the_start_alone()
    server.run(sockets=[listening])
    if not server.started:
        fail("it could not start", "The last lines above name what went wrong.")
    log.info("hub.stopped", pid=os.getpid())


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
