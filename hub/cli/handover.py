"""`hub handover`: which open shares have a trusted person who is away, leaves or has left (R07, R08)."""

from __future__ import annotations

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, reader_of
from hub.cli.output import emit, say, table

app = typer.Typer(help="What is open of trusted people who are away, or leave.", no_args_is_help=True)


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List open shares whose trusted person is not there, or soon not: those of people who leave come first."""
    from hub.store.read_absences import of_absent  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    partners = [each.id for each in configuration.partnership.partners]
    with reader_of(configuration) as reader:
        found = of_absent(reader, partners)
    note(configuration, "handover.read", count=len(found))
    if as_json:
        emit(found)
    elif not found:
        say("Nobody is away, and nobody leaves.")
    else:
        columns = ("reference", "kind", "from_day", "to_day", "has_cover", "partner_id", "sent_at")
        head = ("SHARE", "WHY", "FROM", "TO", "COVER", "PARTNER", "SENT")
        table(head, [[each[column] for column in columns] for each in found])
