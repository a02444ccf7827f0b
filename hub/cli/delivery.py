"""`hub delivery`: settle by hand what no connector can find out about a delivery in doubt."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of, write
from hub.cli.output import emit, fail, say

app = typer.Typer(help="Single deliveries: settle one that is in doubt.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A delivery's id, as `hub trace` shows it.")]
Arrived = Annotated[bool, typer.Option("--arrived/--not-arrived", help="What the service said when you asked.")]
By = Annotated[str, typer.Option("--by", help="Who decided, as a code: no name of a person.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, as a code.")]


@app.callback()
def delivery() -> None:
    """Keep `settle` a command of its own, as those to come will be."""


@app.command("settle")
def settle(  # noqa: PLR0913 - each is an option
    delivery_id: Id,
    arrived: Arrived,
    by: By = "cli",
    reason: Reason = "asked-the-service",
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Record that a delivery in doubt arrived, or did not and is to go again; ask the service first."""
    from hub.domain.errors import HubError  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.services.settle_doubt import DoubtSettled, settle_doubt  # noqa: PLC0415
    from hub.store.read_state import fact  # noqa: PLC0415

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        now = SystemNow(timedelta(seconds=float(fact(reader, "business_offset") or 0)))  # the demo's time is its own
    item = DoubtSettled(delivery_id, arrived, by, reason, now.business(), now.wall())
    state = write(configuration, settle_doubt, item)
    if isinstance(state, HubError):
        fail(state.refusal.title, state.refusal.next_step)
    if as_json:
        emit({"delivery": delivery_id, "state": state})
    else:
        say(f"The delivery {delivery_id} is {state}." + ("" if arrived else " It goes again, if its consent lives."))
