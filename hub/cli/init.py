"""`hub init`: write a new instance, with its own keys and an empty database, that starts without editing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson
from hub.cli.output import emit, fail, say

Folders = Annotated[Path, typer.Argument(metavar="[DIR]", envvar="HUB_DIR", help="Where to write it.")]
Profile = Annotated[
    Literal["embedded", "service"],
    typer.Option("--profile", help="embedded: SQLite, nothing to install. service: PostgreSQL and RabbitMQ."),
]

#: Copied as they stand; hub.toml comes last, so that a half-written folder is never taken for an instance.
_TEMPLATES = (
    "connectors.toml",
    "gates/complex-needs-housing.toml",
    "gates/duty-to-refer.toml",
    "gates/trusted-relationships.toml",
    "partnerships/local.toml",
    "services/childrens-front-door.toml.example",
    "services/council-housing.toml.example",
    "services/floating-support.toml.example",
    "services/nhs-service.toml.example",
    "services/probation-office.toml.example",
    "services/trusted-relationships.toml.example",
)


def init(folder: Folders = DEFAULT_FOLDER, profile: Profile = "embedded", as_json: AsJson = False) -> None:
    """Write a new instance: configuration, keys and an empty database; it overwrites nothing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fail(f"{folder} is there already, and nothing was changed", "Choose another folder, or move this one away.")
    before = os.umask(0o077)
    try:
        written = _write(folder, profile)
    finally:
        os.umask(before)
    steps = _next_steps(folder, profile)
    if as_json:
        emit({"folder": str(folder.resolve()), "profile": profile, "written": written, "next": steps})
        return
    say(f"Wrote a new instance to {folder}:")
    for name in written:
        say(f"  {name}")
    say("Next:")
    for step in steps:
        say(f"  {step}")


def _write(folder: Path, profile: str) -> list[str]:
    from hub import config, partnership  # noqa: PLC0415 - `hub --help` stays fast
    from hub.bootstrap import open_store  # noqa: PLC0415
    from hub.security import keys  # noqa: PLC0415

    templates = partnership.shipped("config")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for place in ("clients", "data", "secrets"):
        (folder / place).mkdir(mode=0o700)
    keys.generate(folder / "keys")
    for name in _TEMPLATES:
        _copy(templates / name, folder / name)
    _copy(templates / ("service.toml" if profile == "service" else "hub.toml"), folder / "hub.toml")
    if profile == "embedded":
        open_store(config.load(folder)).dispose()
    return ["hub.toml", *_TEMPLATES, "clients/", "data/", "keys/", "secrets/"]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with target.open("xb") as new:
        new.write(source.read_bytes())
    target.chmod(0o600)


def _command() -> str:
    """Return the words that run this very command again from here."""
    beside = Path(sys.executable).with_name("hub")
    found = shutil.which("hub")
    if not beside.exists() or (found is not None and Path(found).samefile(beside)):
        return "hub"
    here = Path.cwd()
    return str(beside.relative_to(here) if beside.is_relative_to(here) else beside)


def _next_steps(folder: Path, profile: str) -> list[str]:
    where = "" if folder == DEFAULT_FOLDER else f" --dir {folder}"
    hub = _command()
    edit = [f"Edit {folder}/hub.toml: the lines marked `edit` name your own servers."] if profile == "service" else []
    return [
        *edit,
        f"Name the partners and their systems: {folder}/partnerships/local.toml",
        f"See which connectors are installed: {hub} connector ls{where}",
        f"Allow the one you need: {hub} connector allow housing{where}",
        f"Describe a service: copy an example in {folder}/services/ to a name that ends in .toml, and edit it",
        f"Have two people approve it: {hub} directory approve SERVICE --as WHO --seen rang{where}",
        f"Start it: {hub} serve{where}",
        f"Back up {folder}/keys apart from the database: without it nothing that was kept can be read.",
    ]
