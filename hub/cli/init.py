"""`hub init`: write a new instance, with its own keys and an empty database, that starts without editing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from hub.cli import new_partnership
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


Named = Annotated[
    str, typer.Option("--partnership", metavar="NAME", help="Ask what a new partnership needs, and write it.")
]
Said = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One answer; the rest is asked.")]
Live = Annotated[bool, typer.Option("--live", help="Send at once; otherwise its team begins in shadow mode.")]


def init(  # noqa: PLR0913 - one argument for each option
    folder: Folders = DEFAULT_FOLDER,
    profile: Profile = "embedded",
    name: Named = "",
    said: Said = None,
    live: Live = False,
    as_json: AsJson = False,
) -> None:
    """Write a new instance: configuration, keys and an empty database; it overwrites nothing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fail(f"{folder} is there already, and nothing was changed", "Choose another folder, or move this one away.")
    found = new_partnership.answers(said or []) if name else {}
    before = os.umask(0o077)
    try:
        written = _write(folder, profile)
        if name:
            written += _fill(folder, name, found, live=live)
    finally:
        os.umask(before)
    steps = _steps_to_start(folder, written, live=live) if name else _next_steps(folder, profile)
    if as_json:
        emit({"folder": str(folder.resolve()), "profile": profile, "written": written, "next": steps})
        return
    say(f"Wrote a new instance to {folder}:")
    for file in written:
        say(f"  {file}")
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


def _fill(folder: Path, name: str, found: dict[str, str], *, live: bool) -> list[str]:
    """Write a partnership's answers, and let the mailbox plugin run; where one cannot be used nothing stays."""
    from hub import config  # noqa: PLC0415 - `hub --help` stays fast
    from hub.bootstrap import find_plugins  # noqa: PLC0415
    from hub.cli.allow_list import put  # noqa: PLC0415

    written = new_partnership.write(folder, name, found, live=live)
    try:
        configuration = config.load(folder)
    except config.ConfigurationError as error:
        shutil.rmtree(folder)
        fail(f"an answer cannot be used, and nothing was written: {error}", "Say it again, as the example shows.")
    mailbox = next((each for each in find_plugins(configuration) if each.name == "mailbox"), None)
    if mailbox is None:
        shutil.rmtree(folder)
        fail(
            "the plugin mailbox is not installed, and nothing was written",
            "Install plugins/mailbox beside the hub.",
        )
    put(folder / "connectors.toml", mailbox.name, mailbox.version, mailbox.sha256)
    return [each for each in written if each != "partnerships/local.toml"]


def _steps_to_start(folder: Path, written: list[str], *, live: bool) -> list[str]:
    where = "" if folder == DEFAULT_FOLDER else f" --dir {folder}"
    hub = _command()
    team = next(Path(each).stem for each in written if each.startswith("services/") and each.endswith(".toml"))
    key, code = (next(each for each in written if each.endswith(end)) for end in ("-key.pem", "-code"))
    shadow = [] if live else [f"See what would have gone: {hub} shadow report{where}"]
    return [
        f"Hand {folder}/{key} to whoever looks after the sending case system, and delete it here",
        f"Tell the team its code, by telephone: {folder}/{code}",
        f"Have two people approve the team: {hub} directory approve {team} --as WHO --seen rang{where}",
        f"Start it: {hub} serve{where}",
        *shadow,
        f"Back up {folder}/keys apart from the database: without it nothing that was kept can be read.",
    ]


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
