"""`hub gates`: what each service asks for before anything is sent to it, and how often each gate blocked one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of
from hub.cli.output import emit, say, table

app = typer.Typer(help="Gates: what services ask for, and how often each one blocked.", no_args_is_help=True)

Since = Annotated[str, typer.Option("--since", metavar="DAY", help="From this day on, such as 2026-11-01.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the gates in the order they are asked, with the services that name them."""
    configuration = configuration_of(folder)
    found: list[dict[str, Any]] = [
        {
            "gate": name,
            "title": gate.title,
            "services": [each.id for each in configuration.services if name in each.gates],
            "asks": [{"id": each.id, "kind": each.kind, "title": each.title} for each in gate.preconditions],
        }
        for name, gate in configuration.gates.items()
    ]
    if as_json:
        emit(found)
        return
    for each in found:
        say(f"{each['gate']}: {each['title']} ({', '.join(each['services']) or 'no service names it'})")
        for asked in each["asks"]:
            say(f"  {asked['id']:<32}{asked['kind']:<16}{asked['title']}")


@app.command("blocks")
def blocks(since: Since = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Count what each gate blocked, by service; and the answers about three of five, where a service asks."""
    from hub.services.tallies import BLOCK, COHORT  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store.read_tallies import totals  # noqa: PLC0415

    with reader_of(configuration_of(folder)) as reader:
        blocked, answers = totals(reader, BLOCK, since), totals(reader, COHORT, since)
    if as_json:
        emit({"blocks": [dict(each) for each in blocked], "three_of_five": [dict(each) for each in answers]})
        return
    if not blocked and not answers:
        say("No gate has blocked anything.")
    for heading, found in (("GATE", blocked), ("THREE OF FIVE", answers)):
        if found:
            lines = [(each["name"], each["service_id"], each["number"], each["latest"]) for each in found]
            table((heading, "SERVICE", "TIMES", "LATEST"), lines)
