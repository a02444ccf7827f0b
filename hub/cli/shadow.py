"""`hub shadow`: what would have gone through connections in shadow mode, which send nothing (R75)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, reader_of
from hub.cli.output import emit, say

app = typer.Typer(help="Shadow mode: everything is decided and made, and nothing is sent.", no_args_is_help=True)

Since = Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help="From this day on.")]


@app.command("report")
def report(since: Since = None, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Say for each service in shadow mode what would have gone, and what would have been refused and why."""
    from hub.store.read_rehearsals import rehearsed  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    on = [each.id for each in configuration.services if each.connection.shadow]
    with reader_of(configuration) as reader:
        found = rehearsed(reader, since.replace(tzinfo=UTC) if since else datetime(2000, 1, 1, tzinfo=UTC))
    note(configuration, "shadow.read", count=len(found))
    if as_json:
        emit({"in_shadow_mode": on, "services": found})
        return
    say(f"In shadow mode: {', '.join(on) or 'none'}. Nothing is sent there.")
    for each in found:
        refused = each["would_have_been_refused"]
        say(f"{each['service']}: {each['would_have_gone']} would have gone, {refused} would have been refused.")
        _lines("parts", each["categories"])
        _lines("refused", each["refusals"])


def _lines(what: str, counted: dict[str, int]) -> None:
    for name, number in counted.items():
        say(f"  {what:<8}{name:<32}{number}")
