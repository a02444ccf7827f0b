"""`hub wins` and `hub training`: what helped, and what people want to learn; by month, and of nobody (R53, R55)."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of
from hub.cli.output import emit, say, table

app = typer.Typer(help="What helped, by service and month.", no_args_is_help=True)
training = typer.Typer(help="What people want to learn more about, by month.", no_args_is_help=True)

Since = Annotated[str, typer.Option("--since", metavar="DAY", help="From this day on, such as 2026-11-01.")]


@app.callback()
def wins() -> None:
    """Keep `ls` a command of its own."""


@training.callback()
def topics() -> None:
    """Keep `ls` a command of its own."""


@app.command("ls")
def ls(since: Since = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Count what helped, by month, service and in what way."""
    from hub.domain.win import WIN  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store.read_barriers import by_month  # noqa: PLC0415

    with reader_of(configuration_of(folder)) as reader:
        found = by_month(reader, WIN, since)
    if as_json:
        emit([dict(each) for each in found])
    elif not found:
        say("No wins yet.")
    else:
        lines = [(each["month"], each["service_id"], each["name"], each["number"]) for each in found]
        table(("MONTH", "SERVICE", "HOW", "TIMES"), lines)


@training.command("ls")
def ls_training(since: Since = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Count each topic, by month."""
    from hub.domain.win import TRAINING  # noqa: PLC0415
    from hub.store.read_barriers import by_month  # noqa: PLC0415

    with reader_of(configuration_of(folder)) as reader:
        found = [
            {name: each[name] for name in ("month", "name", "number")} for each in by_month(reader, TRAINING, since)
        ]
    if as_json:
        emit(found)
    elif not found:
        say("Nobody has asked for training yet.")
    else:
        table(("MONTH", "TOPIC", "TIMES"), [tuple(each.values()) for each in found])
