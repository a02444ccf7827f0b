"""`hub learning`: a month's figures as open data, of nobody: published once, and the same for whoever asks (R54)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, operator, reader_of, write
from hub.cli.output import emit, fail, progress, say

if TYPE_CHECKING:
    from hub.domain.route import Directory
    from hub.services.publish_month import Published

app = typer.Typer(help="What the partnership learns: a month's figures, of nobody.", no_args_is_help=True)

Month = Annotated[str, typer.Option("--month", metavar="MONTH", help="A month that is over, such as 2026-11.")]
Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the files go; it is made where it is not.")]
Service = Annotated[
    str, typer.Option("--service", metavar="SERVICE", help="Its own figures alone, which it sees before everyone does.")
]
Why = Annotated[str, typer.Option("--why", help="Why, as a code: a wrong one names those there are.")]


@app.callback()
def learning() -> None:
    """What the partnership learns: a month's figures, of nobody."""


@app.command("export")
def export(
    month: Month, out: Out, service: Service = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Write a month as CSV files, and what every column means; the first export of a month publishes it."""
    from hub.domain.calendar import london_date  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.open_figures import open_figures, own  # noqa: PLC0415

    published, directory, today = _published(folder, month)
    if service:
        if service not in directory.services:
            fail(f"there is no service called {service}", "To see them all: `hub directory ls`.")
        published = own(published, {service}, ())
    elif london_date(today).isoformat() < published.opens_on:
        fail(
            f"{month} is everyone's from {published.opens_on}: until then each service sees its own figures first",
            f"Wait until {published.opens_on}, or name a service with --service.",
        )
    files = open_figures(published, directory.partnership)
    note(configuration_of(folder), "month.exported", month=month, version=published.version, service=service)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        progress(f"Writing {out / name} ...")
        (out / name).write_bytes(text.encode())
    if as_json:
        figures = len(published.figures)
        emit({"month": month, "version": published.version, "files": sorted(files), "figures": figures})
    else:
        say(f"{month}, version {published.version}: {len(published.figures)} figures in {len(files)} files in {out}.")


@app.command("correct")
def correct(month: Month, why: Why, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Publish a month again, as a whole: a figure moves only where its count was 5 or more away."""
    from hub.services.publish_month import WHY  # noqa: PLC0415

    if why not in WHY:
        fail("there is no such reason", f"Choose one of {', '.join(sorted(WHY))}.")
    published, _, _ = _published(folder, month, why)
    line = {"month": month, "version": published.version, "opens_on": published.opens_on}
    emit(line) if as_json else say(f"{month} is published again, as version {published.version}.")


def _published(folder: Path, month: str, why: str = "") -> tuple[Published, Directory, Any]:
    """Publish a month as of business time, or find it published; ends the command where that is refused."""
    from datetime import timedelta  # noqa: PLC0415
    from functools import partial  # noqa: PLC0415

    from hub.bootstrap import find_plugins  # noqa: PLC0415
    from hub.domain.calendar import england_and_wales  # noqa: PLC0415
    from hub.domain.errors import HubError  # noqa: PLC0415
    from hub.partnership import deciding_directory  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.services.publish_month import PublishMonth, publish_month  # noqa: PLC0415
    from hub.store.read_state import fact  # noqa: PLC0415

    configuration = configuration_of(folder)
    directory = deciding_directory(configuration, find_plugins(configuration))
    with reader_of(configuration) as reader:
        now = SystemNow(timedelta(seconds=float(fact(reader, "business_offset") or 0)))  # the demo's time is its own
    verb = partial(publish_month, directory=directory, calendar=england_and_wales(directory.closures))
    result = write(configuration, verb, PublishMonth(month, operator(), now.business(), why))
    if isinstance(result, HubError):
        fail(result.refusal.title, result.refusal.next_step)
    return result, directory, now.business()
