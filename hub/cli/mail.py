"""`hub mail`: whose mail is refused, and who asked for one mail a day; by the ids of the partnership's file."""

from __future__ import annotations

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of
from hub.cli.output import emit, say, table

app = typer.Typer(help="Who reads mail, where there is something to say of them.", no_args_is_help=True)


@app.callback()
def mail() -> None:
    """Keep `ls` a command of its own."""


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List readers whose mail is refused, and those who asked for one mail a day, each with since when."""
    from hub.store.read_digest import readers  # noqa: PLC0415 - `hub --help` stays fast

    with reader_of(configuration_of(folder)) as reader:
        found = readers(reader)
    if as_json:
        emit(
            [
                {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in each.items()}
                for each in found
            ]
        )
    elif not found:
        say("Nobody's mail is refused, and nobody asked for one mail a day.")
    else:
        lines = [(each["person"], _since(each["refused_since"]), _since(each["daily_since"])) for each in found]
        table(("READER", "REFUSED SINCE", "ONE A DAY SINCE"), lines)


def _since(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else "-"
