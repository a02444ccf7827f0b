"""`hub connector`: which plugins are installed, how each stands, and allow one by name, version and hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of
from hub.cli.new_pack import install, new
from hub.cli.output import WRONG, emit, fail, progress, say, table
from hub.cli.try_pack import try_packs, write_readme

if TYPE_CHECKING:
    from pathlib import Path

    from hub.host.discovery import Found

app = typer.Typer(help="Connector plugins: what is installed, and what may run.", no_args_is_help=True)

app.command("test")(try_packs)
app.command("readme")(write_readme)
app.command("new")(new)
app.command("install")(install)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A plugin's name, as `hub connector ls` shows it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Write it without asking.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the installed plugins: may each run, why not, and which connectors it offers; none is imported."""
    from hub.bootstrap import find_plugins  # noqa: PLC0415 - `hub --help` stays fast

    found = [_facts(plugin) for plugin in find_plugins(configuration_of(folder))]
    if as_json:
        emit(found)
    elif not found:
        say("No plugins are installed: install a connector's package into this environment.")
    else:
        table(
            ("PLUGIN", "VERSION", "STANDING", "WHY", "SDK", "QUALITY", "LINES", "CONNECTORS"),
            [
                (
                    *(each[column] for column in ("name", "version", "status", "why", "sdk", "quality", "lines")),
                    " ".join(each["connectors"]),
                )
                for each in found
            ],
        )


@app.command("pin")
@app.command("allow")
def allow(name: Name, yes: Yes = False, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Put an installed plugin on the allow-list, by the exact files that are installed now."""
    from hub.bootstrap import find_plugins  # noqa: PLC0415 - `hub --help` stays fast
    from hub.cli.allow_list import NotOurs, put  # noqa: PLC0415

    configuration = configuration_of(folder)
    plugin = _installed(name, find_plugins(configuration))
    facts = _facts(plugin)
    if plugin.status != "allowed":
        _confirm(facts, yes=yes, as_json=as_json)
        try:
            put(configuration.path("connectors.toml"), plugin.name, plugin.version, plugin.sha256)
        except NotOurs:
            fail(
                "connectors.toml is written in a way this command does not change",
                f'Add it there yourself: name = "{name}", version = "{plugin.version}", sha256 = "{plugin.sha256}".',
            )
    if as_json:
        emit({**facts, "status": "allowed", "why": "", "changed": plugin.status != "allowed"})
    elif plugin.status == "allowed":
        say(f"{name} {plugin.version} was allowed already.")
    else:
        say(f"{name} {plugin.version} may run; a hub that runs now takes it up when it is started again.")


def _installed(name: str, plugins: list[Found]) -> Found:
    """Return the plugin by name if it could run; any other ends the command with the reason."""
    from hub.cli.standing import why_not_allowed  # noqa: PLC0415

    plugin = next((each for each in plugins if each.name == name), None)
    if plugin is None:
        names = ", ".join(each.name for each in plugins) or "none"
        fail("no plugin by that name is installed", f"Installed are: {names}.")
    if plugin.status in {"broken", "other-sdk"}:
        fail(why_not_allowed(name, plugin))
    return plugin


def _confirm(facts: dict[str, Any], *, yes: bool, as_json: bool) -> None:
    """Show exactly what would be allowed, and ask; without an answer nothing is written."""
    if not as_json:
        for label in ("name", "version", "distribution", "folder", "sha256"):
            say(f"{label:<13}{facts[label]}")
        say(f"{'connectors':<13}{' '.join(facts['connectors'])}")
    if yes:
        return
    if as_json:
        emit({**facts, "changed": False})
        fail("nothing was written", "Look at what it is, then add --yes.")
    if not typer.confirm("Its code will run with this hub's secrets for it. Allow it?", default=False):
        progress("hub: nothing was written")
        raise typer.Exit(WRONG)


def _facts(plugin: Found) -> dict[str, Any]:
    from hub.conformance.size import code_lines  # noqa: PLC0415 - `hub --help` stays fast

    manifest = plugin.manifest
    return {
        "name": plugin.name,
        "version": plugin.version,
        "status": plugin.status,
        "why": plugin.why,
        "sdk": manifest.sdk if manifest else "",
        "owner": manifest.owner if manifest else "",
        "quality": _quality(plugin.folder),
        "lines": code_lines(plugin.folder / "connector.py") if plugin.folder else 0,
        "connectors": sorted(manifest.connectors) if manifest else [],
        "distribution": plugin.distribution,
        "folder": str(plugin.folder or ""),
        "sha256": plugin.sha256,
    }


def _quality(folder: Path | None) -> str:
    """Return the tier that a pack says it has reached; `hub connector test` proves it."""
    from hub.conformance.quality import read_quality, tier_of  # noqa: PLC0415

    try:
        return tier_of(read_quality(folder)) if folder else "none"
    except (OSError, ValueError):
        return "none"
