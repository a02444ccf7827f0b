"""`hub connection`: how each connection stands, let a held one go on, and try one without sending anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import (
    DEFAULT_FOLDER,
    AsJson,
    Folder,
    configuration_of,
    operator,
    plugins_and_enabled,
    plugins_and_runnable,
    reader_of,
    write,
)
from hub.cli.output import WRONG, emit, fail, progress, say, table

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.courier.host_process import HostBroken, HostResult
    from hub.courier.incarnation import HostDied
    from hub.partnership import Enabled

app = typer.Typer(help="The connections to services: how they stand, and how to mend one.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A connection's id, as `hub connection ls` shows it.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the connections: ready, held, or without a plugin that may run, with their deliveries by state."""
    from hub.cli.standing import described, in_words, standings  # noqa: PLC0415 - `hub --help` stays fast
    from hub.containment import contained  # noqa: PLC0415
    from hub.store.read_state import by_connection, held_connections  # noqa: PLC0415

    configuration = configuration_of(folder)
    plugins, runnable = plugins_and_runnable(configuration)
    reached = contained(configuration, plugins)
    with reader_of(configuration) as reader:
        held = held_connections(reader)
        numbers = by_connection(reader)
    found: list[dict[str, Any]] = [
        {
            "id": each.id,
            "service": each.service,
            "plugin": each.plugin,
            "connector": each.connector,
            "state": each.state,
            "held_since": held[each.id]["held_since"] if each.id in held else None,
            "why": each.why,
            "deliveries": numbers.get(each.id, {}),
            "isolation": described(reached.get(each.id)),
        }
        for each in standings(configuration, plugins, runnable, held)
    ]
    if as_json:
        emit(found)
    elif not found:
        say("No connections: services/ describes no service yet.")
    else:
        table(
            ("CONNECTION", "SERVICE", "PLUGIN", "STATE", "SINCE", "DELIVERIES", "ISOLATION", "WHY"),
            [
                (
                    *(each["id"], each["service"], f"{each['plugin']}/{each['connector']}", each["state"]),
                    each["held_since"],
                    " ".join(f"{state}={number}" for state, number in sorted(each["deliveries"].items())),
                    in_words(each["isolation"]).strip(),
                    each["why"],
                )
                for each in found
            ],
        )


@app.command("hold")
def hold(connection: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Hold a connection, such as while a partner mends its system: what is for it waits, and nothing is lost."""
    from hub.services.hold import Hold  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.hold import hold as keep_waiting  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415

    configuration = configuration_of(folder)
    _known(configuration, connection)
    wall = SystemNow().wall()
    changed = write(configuration, keep_waiting, Hold(connection, "asked-by-operator", operator(), wall))
    if as_json:
        emit({"connection": connection, "held": True, "changed": changed})
    else:
        say(f"The connection {connection} is held. What is for it waits until `hub connection resume {connection}`.")


@app.command("resume")
def resume(connection: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Let a held connection go on, once what was wrong is mended; what waited is sent, what was refused read again."""
    from hub.cli.standing import how_to_check  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.hold import Resume  # noqa: PLC0415
    from hub.services.hold import resume as let_go_on  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.store.read_state import held_connections, refused_messages  # noqa: PLC0415

    configuration = configuration_of(folder)
    _known(configuration, connection)
    with reader_of(configuration) as reader:
        refused, held = refused_messages(reader, connection), held_connections(reader)
        if (reason := str(held.get(connection, {}).get("held_reason"))).startswith("entry-"):
            service = next(each.id for each in configuration.services if each.connection.id == connection)
            fail(
                f"people have to look at this team's entry first ({reason})", f"Run `{how_to_check(reason, service)}`."
            )
        if connection not in held and not refused:
            fail(f"the connection {connection} is not held, and nothing was changed", "See `hub connection ls`.")
    waiting = write(configuration, let_go_on, Resume(connection, operator(), SystemNow().wall()))
    if as_json:
        again = {"read_again": refused} if refused else {}
        emit({"connection": connection, "resumed": True, "waiting": waiting, **again})
    else:
        say(f"The connection {connection} goes on; deliveries waiting on it: {waiting}.")
        if refused:
            say(f"Messages that could not be read and are read again: {refused}.")


@app.command("check")
def check(connection: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Ask a connection's own check, in its own process: credentials and address are tried, and no parcel is sent."""
    import asyncio  # noqa: PLC0415 - `hub --help` stays fast

    from hub.cli.standing import why_not_allowed  # noqa: PLC0415

    configuration = configuration_of(folder)
    table_of = _known(configuration, connection)
    plugins, enabled = plugins_and_enabled(configuration)
    if connection not in enabled:
        installed = {plugin.name: plugin for plugin in plugins}
        fail(f"{connection} cannot be tried: {why_not_allowed(table_of, installed.get(table_of))}")
    progress(f"Asking {connection} ...")
    works, reason = _verdict(asyncio.run(_ask(enabled[connection])))
    elsewhere = "" if works else f"look for the code in the README of the pack {table_of}, under Troubleshooting"
    words = next((words for code, words in _WORDS.items() if code in reason), elsewhere)
    if as_json:
        emit({"connection": connection, "works": works, "reason": reason, "words": words})
    elif works:
        say(f"{connection} works.")
    if not works:
        progress(f"hub: {connection} does not work: {reason}")
        if words:
            progress(f"     {words}")
        raise typer.Exit(WRONG)


#: What to do about a code that does not say it.
_WORDS = {
    "address-refused": "its address is not public, or not https: if that is right, name its network in allow_addresses",
    "client-refused": "the partner does not know us: compare client id and key with the partner's",
    "http-401": "the partner does not take our key: compare the secrets in the service's file with the partner",
    "http-403": "the partner knows us, and does not let us: ask it which permission is missing",
}


async def _ask(enabled: Enabled) -> HostResult | HostDied | HostBroken:
    from hub.courier.host_process import HostProcess  # noqa: PLC0415

    host = HostProcess(enabled.configure, run_as=enabled.reached.run_as)
    try:
        return await host.check()
    finally:
        await host.close()


def _verdict(result: HostResult | HostDied | HostBroken) -> tuple[bool, str]:
    """Return whether it works, and the code of what is wrong."""
    from hub.courier.host_process import HostBroken, HostResult  # noqa: PLC0415
    from hub.sdk import Delivered  # noqa: PLC0415

    match result:
        case HostResult(outcome=Delivered()):
            return True, ""
        case HostResult(outcome=outcome):
            return False, f"{type(outcome).__name__.lower()}:{getattr(outcome, 'reason', '')}"
        case HostBroken(reason=reason):
            return False, f"no-host:{reason}"
        case _:
            return False, f"host-died:{result.why}"


def _known(configuration: Configuration, connection: str) -> str:
    """Return the plugin of a connection; one that no service names ends the command."""
    found = {service.connection.id: service.connection.plugin for service in configuration.services}
    if connection not in found:
        fail("there is no connection by that name", f"There are: {', '.join(found) or 'none yet, see services/'}.")
    return found[connection]
