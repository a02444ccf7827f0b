"""`hub connector new` and `install`: make a pack from a template, and put one beside the hub without running it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.instance import AsJson
from hub.cli.output import emit, fail, progress, say

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits and single hyphens: river-trust.")]
Transport = Annotated[str, typer.Option("--transport", help="How it is reached: rest, fhir, mesh, file, email.")]
Into = Annotated[Path, typer.Option("--in", metavar="FOLDER", help="Where the pack's folder is made.")]
Source = Annotated[Path, typer.Argument(metavar="WHEEL|FOLDER", help="A pack's wheel, or its folder.")]


def new(name: Name, transport: Transport, into: Into = Path(), as_json: AsJson = False) -> None:
    """Make a new pack: connector, mapping with cases, README, sandbox partner and test, bronze as it is made."""
    from hub.conformance.scaffold import CannotMake, make_pack  # noqa: PLC0415 - `hub --help` stays fast

    try:
        folder = make_pack(name, transport, into)
    except CannotMake as error:
        fail(str(error))
    if as_json:
        emit({"name": name, "transport": transport, "folder": str(folder)})
        return
    say(f"{folder} is made.")
    say(f"Try it: hub connector test {folder}")


def install(source: Source, as_json: AsJson = False) -> None:
    """Put a pack beside the hub; nothing of it runs, now or later, until it is pinned."""
    from hub.conformance.pack import NoPack, find_pack, installed_pack  # noqa: PLC0415 - `hub --help` stays fast
    from hub.conformance.wheel import NotInstallable, look_into, make_wheel, missing  # noqa: PLC0415
    from hub.conformance.wheel import install as put  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="pack-") as scratch:
        try:
            wheel = source
            if source.is_dir():
                pack = find_pack(str(source), Path(scratch) / "stage")
                wheel = make_wheel(pack, Path(scratch))
            name = look_into(wheel)
            progress(f"Installing {name} ...")
            put(wheel)
            needed = missing(installed_pack(name).requires)
        except (NoPack, NotInstallable) as error:
            fail(str(error), "Nothing was installed.")
    if as_json:
        emit({"name": name, "missing": needed})
        return
    say(f"{name} is installed, and may not run yet.")
    if needed:
        say(f"It needs what is not here: {', '.join(needed)}. Install these first, each by version and hash.")
    say(f"Look at it, try it with `hub connector test {name}`, then: hub connector pin {name}")
