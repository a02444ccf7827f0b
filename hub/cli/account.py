"""`hub account`: who may sign in to the console; each account belongs to a person of the partnership's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, operator, reader_of, write
from hub.cli.output import emit, fail, say, table

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.people import Member

app = typer.Typer(help="Who may sign in to the console.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id in the partnership's file.")]


@app.command("add")
def add(person: Who, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Make an account, and print the one link with which its person sets a password; it works once, for a while."""
    from hub.services.account import add_account  # noqa: PLC0415 - `hub --help` stays fast

    _give_link(configuration_of(folder), person, add_account, as_json=as_json)


@app.command("reset")
def reset(person: Who, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Take away a password and app that were lost, sign the person out everywhere, and print a new link."""
    from hub.services.account import reset_account  # noqa: PLC0415 - `hub --help` stays fast

    _give_link(configuration_of(folder), person, reset_account, as_json=as_json)


@app.command("disable")
def disable(person: Who, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Shut a person out at once, however they sign in."""
    _disable(configuration_of(folder), person, again=False, as_json=as_json)


@app.command("enable")
def enable(person: Who, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Let a person in again whose account was disabled, with the password that they had."""
    _disable(configuration_of(folder), person, again=True, as_json=as_json)


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List everyone who may have an account, what they are, and how their account stands; no password is shown."""
    from hub.people import members  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.store.read_accounts import accounts  # noqa: PLC0415

    configuration, wall = configuration_of(folder), SystemNow().wall()
    with reader_of(configuration) as reader:
        kept = {each["person"]: dict(each) for each in accounts(reader, wall)}
    people = members(configuration.partnership)
    listed = []
    for person in sorted({*people, *kept}):
        member, account = people.get(person), kept.get(person)
        roles = sorted(member.roles) if member else []
        state = _state(member, account, wall)
        listed.append(
            {"person": person, "roles": roles, "state": state, "sessions": (account or {}).get("sessions", 0)}
        )
    if as_json:
        emit(listed)
    elif not listed:
        say("The partnership's file names nobody who could sign in.")
    else:
        rows = [[each["person"], " ".join(each["roles"]), each["state"], each["sessions"]] for each in listed]
        table(("PERSON", "ROLES", "ACCOUNT", "SIGNED IN"), rows)


def _state(member: Member | None, account: dict[str, Any] | None, wall: Any) -> str:
    from hub.domain.calendar import london_date  # noqa: PLC0415 - `hub --help` stays fast

    if member is None or not member.is_here(london_date(wall)):
        return "left"
    if account is None:
        return "none"
    if account["disabled_at"] is not None:
        return "disabled"
    if account["has_password"]:
        return "app" if account["has_app"] else "password"
    return "link" if account["link_until"] is not None and account["link_until"] > wall else "link over"


def _give_link(configuration: Configuration, person: str, verb: Any, *, as_json: bool) -> None:
    import secrets  # noqa: PLC0415 - `hub --help` stays fast
    from datetime import timedelta  # noqa: PLC0415

    from hub.domain.calendar import london_date  # noqa: PLC0415
    from hub.security.envelope import Envelope  # noqa: PLC0415
    from hub.security.live_keys import LiveKeys  # noqa: PLC0415
    from hub.services.account import GiveLink, link_digest  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415

    member, wall = _member(configuration, person), SystemNow().wall()
    if not member.is_here(london_date(wall)):
        fail(f"{person} left on {member.until}, and can have no account", "Mend `until` in the partnership's file.")
    link, lasts = secrets.token_hex(24), timedelta(hours=configuration.hub.sign_in.link_hours)
    digest = link_digest(Envelope(LiveKeys(configuration.path("keys"))), link)
    _run(configuration, verb, GiveLink(person, digest, wall + lasts, operator(), wall))
    address = f"{configuration.hub.public_url.rstrip('/')}/console/password/{link}"
    if as_json:
        emit({"person": person, "signs_in_as": member.email, "link": address, "until": wall + lasts})
        return
    say(f"{person} signs in as {member.email}. With this link they set their password, once:")
    say(f"  {address}")
    say(f"It works for {configuration.hub.sign_in.link_hours} hours. Give it to them and to nobody else.")


def _disable(configuration: Configuration, person: str, *, again: bool, as_json: bool) -> None:
    from hub.services.account import Disable, disable_account  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.now import SystemNow  # noqa: PLC0415

    _run(configuration, disable_account, Disable(person, operator(), SystemNow().wall(), again))
    if as_json:
        emit({"person": person, "disabled": not again})
    else:
        say(f"{person} may sign in again." if again else f"{person} is signed out everywhere, and may not sign in.")


def _member(configuration: Configuration, person: str) -> Member:
    from hub.people import members  # noqa: PLC0415 - `hub --help` stays fast

    people = members(configuration.partnership)
    if person not in people:
        fail(
            f"the partnership's file names nobody by the id {person}",
            f"It names: {', '.join(sorted(people)) or 'nobody'}.",
        )
    return people[person]


def _run(configuration: Configuration, verb: Any, item: Any) -> None:
    from hub.domain.errors import HubError  # noqa: PLC0415 - `hub --help` stays fast

    with reader_of(configuration):  # a database that is not there is named, not made
        became = write(configuration, verb, item)
    if isinstance(became, HubError):
        raise became
