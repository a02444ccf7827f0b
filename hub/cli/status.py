"""`hub status`: how an instance is, in one screen: what waits, what is held, and whom nobody has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, plugins_and_runnable, reader_of, served
from hub.cli.output import emit, say, shown


def status(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Show how the hub is: shares, deliveries by state, answers, open alerts, held connections, the oldest due."""
    from hub.cli.standing import standings  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store.read_state import counts, held_connections  # noqa: PLC0415
    from hub.store.read_waiting import oldest_due  # noqa: PLC0415

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        numbers = counts(reader)
        held = held_connections(reader)
        oldest = oldest_due(reader)
    plugins, runnable = plugins_and_runnable(configuration)
    document = {
        "running": served(configuration),
        "partnership": configuration.partnership.name,
        **numbers,
        "open_alerts": numbers["alerts"].get("open", 0),
        "oldest_due": dict(oldest) if oldest else None,
        "held": [dict(each) for each in held.values()],
        "connections": [
            {"id": each.id, "state": each.state, "why": each.why}
            for each in standings(configuration, plugins, runnable, held)
        ],
    }
    if as_json:
        emit(document)
    else:
        _print(document)


def _print(document: Mapping[str, Any]) -> None:
    running = {True: "yes", False: "no: `hub serve` starts it", None: "ask each process: its database is a server"}
    say(f"running      {running[document['running']]}")
    say(f"shares       {document['shares']} ({document['withdrawn']} withdrawn)")
    say(f"deliveries   {_by_state(document['deliveries'])}")
    say(f"answered     {document['answered']}")
    say(f"notices      {_by_state(document['notices'])}")
    say(f"inbox        {_by_state(document['inbox'])}")
    say(f"open alerts  {document['open_alerts']}{'  (`hub alerts ls`)' if document['open_alerts'] else ''}")
    oldest = document["oldest_due"]
    waits = f"{shown(oldest['due_at'])}  {oldest['id']}" if oldest else "nothing waits"
    say(f"oldest due   {waits}")
    if not document["connections"]:
        say("connections  none: services/ describes no service yet")
    for each in document["connections"]:
        why = f", {each['why']}" if each["why"] else ""
        say(f"connection   {each['id']}: {each['state']}{why}")


def _by_state(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(numbers.items())) or "none"
