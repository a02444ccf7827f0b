"""The instance a command works on: its folder, configuration and database, each opened only when it is asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from hub.cli.output import fail

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.host.discovery import Found
    from hub.partnership import Enabled
    from hub.store.engine import Engine
    from hub.store.writer import Writer

T = TypeVar("T")
R = TypeVar("R")

Folder = Annotated[Path, typer.Option("--dir", envvar="HUB_DIR", help="The instance's folder.", show_default=".hub")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

DEFAULT_FOLDER = Path(".hub")


def configuration_of(folder: Path) -> Configuration:
    """Read an instance's configuration; what is wrong with it ends the command, naming file and field."""
    from hub import config, logs  # noqa: PLC0415

    logs.configure_events(level=logging.WARNING)  # a command's output is its own; `hub serve` logs all
    return config.load(folder)


def sqlite_file(configuration: Configuration) -> Path | None:
    """Return the SQLite file an instance uses; None where its database is a server."""
    from hub.bootstrap import store_url  # noqa: PLC0415

    url = store_url(configuration)
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def served(configuration: Configuration) -> bool | None:
    """Tell whether a process serves an instance now; None where its database is a server and cannot tell."""
    from hub.cli.lock import is_served  # noqa: PLC0415

    file = sqlite_file(configuration)
    return None if file is None else is_served(file)


@contextmanager
def reader_of(configuration: Configuration) -> Iterator[Engine]:
    """Open the database for reading only: it works while the hub runs, and while it does not."""
    from hub.bootstrap import store_url  # noqa: PLC0415
    from hub.store.engine import open_engine  # noqa: PLC0415

    file = sqlite_file(configuration)
    if file is not None and not file.exists():
        # A reader would make an empty file there, and say that there are no shares.
        fail(f"there is no database at {file}", "Run `hub serve` once to make it, or restore it from its backup.")
    engine = open_engine(store_url(configuration), reader=True, pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writer_of(configuration: Configuration) -> Iterator[Writer]:
    """Open the database for writing, for as many verbs as it takes."""
    from hub.bootstrap import open_store  # noqa: PLC0415
    from hub.store.writer import Writer  # noqa: PLC0415

    engine = open_store(configuration)
    writer = Writer(engine)
    writer.start()
    try:
        yield writer
    finally:
        writer.close()
        engine.dispose()


def write(configuration: Configuration, verb: Callable[[Any, Sequence[T]], Sequence[R]], item: T) -> R:
    """Run one verb in a short-lived writer and wait for its commit; a running hub notices within its next round."""
    with writer_of(configuration) as writer:
        return writer.submit(verb, item).result(timeout=60)


def operator() -> str:
    """Return who runs this command, as the audit log names them: by the id that the system gave them."""
    return f"operator:{os.getuid()}" if hasattr(os, "getuid") else "operator:unknown"


def note(configuration: Configuration, action: str, share_id: str | None = None, **detail: Any) -> None:
    """Commit who reads what, before it is shown (TH12); a database that cannot keep that shows nothing."""
    from hub.bootstrap import store_url  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.services.record_read import Read, record_read  # noqa: PLC0415
    from hub.store.engine import open_engine  # noqa: PLC0415
    from hub.store.writer import Writer  # noqa: PLC0415

    with reader_of(configuration):  # a database that is not there is named, not made
        engine = open_engine(store_url(configuration), pool_size=1)
    writer = Writer(engine)
    writer.start()
    try:
        read = Read(action, operator(), SystemNow().wall(), share_id, None, detail)
        writer.submit(record_read, read).result(timeout=60)
    finally:
        writer.close()
        engine.dispose()


def plugins_and_runnable(configuration: Configuration) -> tuple[list[Found], frozenset[str]]:
    """Return the installed plugins and the connections whose plugin may run; no secret is looked at."""
    from hub import partnership  # noqa: PLC0415
    from hub.bootstrap import find_plugins  # noqa: PLC0415

    plugins = find_plugins(configuration)
    return plugins, partnership.may_run(configuration, plugins)


def plugins_and_enabled(configuration: Configuration) -> tuple[list[Found], dict[str, Enabled]]:
    """Return the installed plugins and the connections that may be used, without starting anything."""
    from hub import partnership  # noqa: PLC0415
    from hub.bootstrap import find_plugins  # noqa: PLC0415
    from hub.containment import contained  # noqa: PLC0415

    plugins = find_plugins(configuration)
    return plugins, partnership.enable(configuration, plugins, contained(configuration, plugins))
