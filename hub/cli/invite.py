"""`hub invite`: the links that teams with a mailbox alone were sent, and the devices that know a team's code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, operator, reader_of, write
from hub.cli.output import emit, fail, say, table
from hub.cli.trace import canonical

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.services.now import SystemNow
    from hub.store.fetch import Row

app = typer.Typer(help="Links to the answer page, and devices that know a team's code.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="REFERENCE", help="A share's reference (K7M-4QX), or its id.")]
Service = Annotated[str, typer.Option("--service", help="Of this service alone.")]
Team = Annotated[str, typer.Argument(metavar="SERVICE", help="A service's id, as in its file.")]


@app.command("ls")
def ls(which: Which, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List a share's links: to which mailbox each went, and whether it waits, was opened, ran out or was ended."""
    configuration = configuration_of(folder)
    share_id, found, now = _links(configuration, which)
    note(configuration, "invite.listed", share_id)
    said = [dict(each) | {"state": _state(each, now.wall())} for each in found]
    if as_json:
        emit(said)
    elif not said:
        say("No team was sent a link to this share.")
    else:
        columns = ("service_id", "kind", "state", "address", "created_at", "expires_at", "tries", "id")
        names = ("SERVICE", "KIND", "STATE", "MAILBOX", "SENT", "WORKS UNTIL", "WRONG CODES", "ID")
        table(names, [[each[column] for column in columns] for each in said])


@app.command("end")
def end(which: Which, service: Service = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """End a share's links, such as when one went to the wrong team: nobody opens them, nor gets a new one."""
    from hub.services.renew_link import EndInvites, end_invites  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    share_id, found, now = _links(configuration, which)
    living = [each for each in found if each["revoked_at"] is None and service in ("", each["service_id"])]
    if not living:
        fail("this share has no link that could be ended, and nothing was changed", "See `hub invite ls`.")
    deliveries = tuple(sorted({each["delivery_id"] for each in living}))
    write(configuration, end_invites, EndInvites(share_id, deliveries, operator(), now.business(), now.wall()))
    if as_json:
        emit({"share": share_id, "ended": len(living)})
    else:
        say(f"Links ended: {len(living)}. Their teams cannot answer now: ring them, or whoever sent it.")


@app.command("devices")
def devices(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the devices that open links without the code now, by service, and until when."""
    from hub.services.now import SystemNow  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store.read_invites import known_devices  # noqa: PLC0415

    with reader_of(configuration_of(folder)) as reader:
        found = [dict(each) for each in known_devices(reader, SystemNow().wall())]
    if as_json:
        emit(found)
    elif not found:
        say("No device is known: every team is asked for its code.")
    else:
        columns = ("service_id", "remembered", "began_at", "until", "id")
        table(("SERVICE", "FOR A SHIFT", "SINCE", "UNTIL", "ID"), [[each[name] for name in columns] for each in found])


@app.command("forget")
def forget(service: Team, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Forget every device of a service's team, such as when one is lost: each is asked for the code again."""
    from hub.services.device import EndDevices, end_devices  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.now import SystemNow  # noqa: PLC0415

    configuration = configuration_of(folder)
    paged = [each.id for each in configuration.services if each.answer_page is not None]
    if service not in paged:
        fail("no service by that name has an answer page", f"There are: {', '.join(paged) or 'none'}.")
    count = write(configuration, end_devices, EndDevices(service, "", operator(), SystemNow().wall()))
    if as_json:
        emit({"service": service, "forgotten": count})
    else:
        say(f"Devices forgotten: {count}. If somebody left the team, give it a new code as well.")


def _links(configuration: Configuration, which: str) -> tuple[str, list[Row], SystemNow]:
    """Return a share's id and links, and the instance's own time; a share that is not there ends the command."""
    from hub.services.now import SystemNow  # noqa: PLC0415 - `hub --help` stays fast
    from hub.store.read_forgetting import share_id_of  # noqa: PLC0415
    from hub.store.read_invites import invites_of  # noqa: PLC0415
    from hub.store.read_state import fact  # noqa: PLC0415

    with reader_of(configuration) as reader:
        share_id = share_id_of(reader, canonical(which))
        if share_id is None:
            fail("there is no share by that reference", "See `hub status`, or ask whoever sent it for the reference.")
        offset = timedelta(seconds=float(fact(reader, "business_offset") or 0))  # the demo's time is its own
        return share_id, invites_of(reader, share_id), SystemNow(offset)


def _state(link: Any, wall: datetime) -> str:
    if link["revoked_at"] is not None:
        return "ended"
    if link["expires_at"] <= wall:
        return "over"
    return "opened" if link["opened_at"] is not None else "waits"
