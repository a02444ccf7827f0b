"""`hub config check`: all that is wrong with an instance's files at once, and what a change of them decides anew."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of
from hub.cli.output import WRONG, emit, fail, progress, say

if TYPE_CHECKING:
    from hub.domain.route import Directory
    from hub.services.compare import Comparison, Fixture

app = typer.Typer(help="The instance's files: check them, and see what a change does.", no_args_is_help=True)

Other = Annotated[
    Path | None, typer.Option("--diff", metavar="DIR", help="The instance as it was: show what is decided anew.")
]
Fixtures = Annotated[
    list[Path] | None, typer.Option("--fixtures", metavar="DIR", help="More made-up shares, beside those that ship.")
]
Accept = Annotated[bool, typer.Option("--accept", help="End well although something goes that did not go before.")]


@app.callback()
def config() -> None:
    """Keep `check` a command of its own, as those to come will be."""


@app.command("check")
def check(
    other: Other = None,
    fixtures: Fixtures = None,
    accept: Accept = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong, with file and key; with --diff, what this instance decides otherwise than the other did.

    It ends with 1 where something is wrong, or where something goes that did not, unless you --accept it.
    """
    wrong = _wrong(folder)
    if wrong:
        if as_json:
            emit({"wrong": wrong})
        fail("\n     ".join(wrong))
    if other is None:
        _say_well(folder, as_json=as_json)
        return
    comparison = _compare(other, folder, fixtures or [])
    opened = sum(each.opens for each in comparison.differences)
    if as_json:
        emit(_document(comparison, opened))
    else:
        _print(comparison, opened)
    if opened and not accept:
        progress(f"hub: {opened} decisions open what was closed; add --accept if that is what the partnership agreed")
        raise typer.Exit(WRONG)


def _wrong(folder: Path) -> list[str]:
    """Return all that is wrong: in the files, and between them and what is installed."""
    from hub import partnership  # noqa: PLC0415 - `hub --help` stays fast
    from hub.bootstrap import find_plugins  # noqa: PLC0415
    from hub.config import ConfigurationError  # noqa: PLC0415

    found: dict[str, None] = {}
    try:
        configuration = configuration_of(folder)
    except ConfigurationError as error:
        return [line.strip() for line in str(error).splitlines()]
    plugins = find_plugins(configuration)
    for look in (partnership.check_named, partnership.enable):
        try:
            look(configuration, plugins)
        except ConfigurationError as error:
            found.update(dict.fromkeys(line.strip() for line in str(error).splitlines()))
    runnable = partnership.may_run(configuration, plugins)
    for service in configuration.services:
        if service.enabled and service.connection.id not in runnable:
            found[
                f"services/{service.id}.toml: connection.plugin: {service.connection.plugin} is not allowed to run here"
            ] = None
    return list(found)


def _say_well(folder: Path, *, as_json: bool) -> None:
    configuration = configuration_of(folder)
    off = [each.id for each in configuration.services if not each.enabled]
    named = {name for each in configuration.services for name in each.gates}
    document: dict[str, Any] = {
        "wrong": [],
        "version": configuration.digest,
        "services": [each.id for each in configuration.services],
        "turned_off": off,
        "gates": sorted(named),
        "gates_not_used": sorted(set(configuration.gates) - named),
    }
    if as_json:
        emit(document)
        return
    say(f"All is well: {len(document['services'])} services ({len(off)} turned off), {len(named)} gates in use.")
    say(f"Version {configuration.digest[:12]}, as every share bears it.")


def _compare(other: Path, folder: Path, more: list[Path]) -> Comparison:
    from hub.partnership import shipped  # noqa: PLC0415
    from hub.services.compare import compare  # noqa: PLC0415

    found = {file.stem: fixture for place in (shipped("config") / "fixtures", *more) for file, fixture in _read(place)}
    return compare(_directory(other), _directory(folder), found)


def _directory(folder: Path) -> Directory:
    from hub import partnership  # noqa: PLC0415
    from hub.bootstrap import find_plugins  # noqa: PLC0415

    configuration = configuration_of(folder)
    return partnership.deciding_directory(configuration, find_plugins(configuration))


def _read(place: Path) -> Iterator[tuple[Path, Fixture]]:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from hub.services.compare import Fixture as Read  # noqa: PLC0415

    files = sorted(place.glob("*.toml"))
    if not files:
        fail(f"there is no fixture in {place}", "A fixture is a .toml file, as in config/fixtures.")
    for file in files:
        try:
            yield file, TypeAdapter(Read).validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            fail(f"{file}: {error}")
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False, include_context=False)
            fail("; ".join(f"{file}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults))


def _document(comparison: Comparison, opened: int) -> dict[str, Any]:
    return {
        "decisions": comparison.decisions,
        "opened": opened,
        "differences": [
            {
                "fixture": each.fixture,
                "sender": each.partner,
                "role": each.role,
                "service": each.service,
                "before": each.before.words,
                "after": each.after.words,
                "opens": each.opens,
            }
            for each in comparison.differences
        ],
    }


def _print(comparison: Comparison, opened: int) -> None:
    for each in comparison.differences:
        say(f"{'OPENS ' if each.opens else ''}{each.fixture}, from {each.partner} ({each.role}), to {each.service}")
        say(f"  before  {each.before.words}")
        say(f"  after   {each.after.words}")
    say(f"{len(comparison.differences)} differences in {comparison.decisions} decisions; {opened} open what was closed")
