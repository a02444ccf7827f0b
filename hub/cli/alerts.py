"""`hub alerts`: where silence was noticed: which delivery, which rung of the ladder, since when."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, reader_of
from hub.cli.output import emit, say, table

app = typer.Typer(help="Where nobody has answered, or something could not be delivered.", no_args_is_help=True)

All = Annotated[bool, typer.Option("--all", help="Also those that were answered since.")]


@app.command("ls")
def ls(all_of_them: All = False, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the open alerts, oldest first."""
    from hub.store.read_state import open_alerts  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found = open_alerts(reader, closed=all_of_them)
    note(configuration, "alerts.read", count=len(found))
    if as_json:
        emit([dict(each) for each in found])
    elif not found:
        say("No alerts." if all_of_them else "No open alerts.")
    else:
        columns = ("raised_at", "kind", "level", "state", "urgent", "holder", "reference", "service_id", "delivery_id")
        table(
            ("RAISED", "KIND", "RUNG", "STATE", "URGENT", "HELD BY", "SHARE", "SERVICE", "DELIVERY"),
            [[f"L{each[column]}" if column == "level" else each[column] for column in columns] for each in found],
        )
