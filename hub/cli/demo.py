"""`hub demo`: plays the hub's main story against real partner processes, and ends with one line of figures."""

from __future__ import annotations

import shutil
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.instance import AsJson
from hub.cli.output import emit, fail, say

Stay = Annotated[bool, typer.Option("--stay", help="Leave everything running afterwards, and say where it is.")]


def demo(stay: Stay = False, as_json: AsJson = False) -> None:
    """Tell people's stories once each, and see seven shares through, to services of all five sectors."""
    from hub.sandbox.stage import StageError, make_folder, set_up  # noqa: PLC0415 - heavy, and this command's alone
    from hub.sandbox.story import perform  # noqa: PLC0415
    from hub.sandbox.tally import count  # noqa: PLC0415

    progress = (lambda _: None) if as_json else say
    folder = make_folder(None)
    signal.signal(signal.SIGTERM, _leave)  # whoever is told to end takes everything along
    try:
        with ExitStack() as stack:
            stage = set_up(folder, stack, progress, with_sectors=True)
            tally = count(perform(stage, progress))
            if stay:
                _stay(_addresses(stage))
    except (StageError, RuntimeError, LookupError) as error:
        fail(f"the demo stopped: {error}", f"What the hub wrote is in {folder / 'hub.log'}.")
    except (SystemExit, KeyboardInterrupt):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if tally.lost:
        fail(f"the demo lost {tally.lost} deliveries", f"Everything it wrote is in {folder}.")
    shutil.rmtree(folder)
    if as_json:
        emit(tally.figures())
    else:
        say("")
        say(tally.line())


def _leave(*_: object) -> None:
    raise SystemExit(128 + signal.SIGTERM)


def _addresses(stage: Any) -> dict[str, str]:
    return {
        "the hub": stage.hub.url,
        "its metrics": stage.metrics_url,
        "housing": stage.housing.url,
        "supported housing": stage.supported.url,
        "county treatment": stage.health.url,
        "the children's front door": stage.sectors.children.url,
        "the case system's webhooks": stage.webhooks.url,
        "mails": str(stage.mail),
        "the instance": str(stage.hub.folder),
    }


def _stay(addresses: dict[str, str]) -> None:
    say("\nEverything stays up until you press Ctrl-C:")
    for name, address in addresses.items():
        say(f"  {name:<28}{address}")
    say(f"Try: hub status --dir {Path(addresses['the instance'])}")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
