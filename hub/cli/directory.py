"""`hub directory`: which teams may be sent to, who approved that, and what other directories list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note
from hub.cli.output import WRONG, emit, fail, progress, say, table

if TYPE_CHECKING:
    from hub.config import Configuration, ServiceTable
    from hub.domain.entry import Approval
    from hub.security.keys import KeyRing

app = typer.Typer(help="The teams that may be sent to: who approved each, and until when.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="SERVICE", help="A service's id, as `hub directory ls` shows it.")]
By = Annotated[str, typer.Option("--as", metavar="WHO", help="Your id in the partnership's file.")]
How = Annotated[str, typer.Option("--seen", metavar="HOW", help="How you reached the team: rang, wrote or met.")]
On = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day you reached them: today.")]
Until = Annotated[datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="Its last day: half a year on.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Source = Annotated[str, typer.Argument(metavar="FILE|URL", help="A feed of Open Referral UK 3: its /services.")]
Allow = Annotated[list[str] | None, typer.Option("--allow-address", help="A network inside that may be reached.")]
Age = Annotated[int | None, typer.Option("--age", min=0, max=150, help="Only what may suit this age.")]
Area = Annotated[str, typer.Option("--area", help="Only what may work in this area.")]


@app.command("ls")
def ls(age: Age = None, area: Area = "", folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the services here with their approvals, then what other directories list: that is no permission to send."""
    from hub.cli.feed import kept_listings  # noqa: PLC0415 - `hub --help` stays fast

    configuration, today = configuration_of(folder), _today()
    entries = [_entry(configuration, each, _ring(configuration), today) for each in configuration.services]
    listed = [
        {
            "directory": name,
            **{key: getattr(each, key) for key in ("id", "name", "organisation", "status", "eligibility", "url")},
            "ages": [each.minimum_age, each.maximum_age],
            "areas": list(each.areas),
            "checked_on": each.checked_on.isoformat() if each.checked_on else None,
            "stale": each.is_stale(today),
        }
        for name, each in kept_listings(configuration.folder)
        if each.may_suit(age, area)
    ]
    if as_json:
        emit({"entries": entries, "listed": listed})
        return
    columns = ("service", "name", "standing", "approved_by", "seen_on", "last_day", "next_step")
    _table(columns, entries)
    if listed:
        say("")
        say("Listed elsewhere. To be listed is no permission to send.")
        _table(("directory", "name", "organisation", "status", "ages", "areas", "checked_on", "stale"), listed)


def _table(columns: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> None:
    headings = [each.upper().replace("_", " ") for each in columns]
    table(headings, [[_cell(line[key]) for key in columns] for line in lines])


@app.command("approve")
def approve(  # noqa: PLR0913 - the options of one command
    service: Which,
    by: By,
    seen: How = "",
    on: On = None,
    until: Until = None,
    yes: Yes = False,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Say that a service's entry and gates are right; it takes two people, and one has to have reached the team."""
    from hub.domain.entry import Approval  # noqa: PLC0415 - `hub --help` stays fast
    from hub.entries import digest_of  # noqa: PLC0415

    configuration, today = configuration_of(folder), _today()
    entry, ring = _known(configuration, service), _ring(configuration)
    _may_approve(configuration, by)
    digest, before = digest_of(configuration, entry), _approval(configuration, service, ring)
    if before is not None and (before.digest != digest or before.ends < today):
        before = None  # what was approved is another entry, or has ended: both look again
    if before is None and not seen:
        fail("somebody has to have reached this team first", "Ring them, and add --seen rang (or wrote, or met).")
    seen_on, how, last = _proof(before, seen, on, until, today)
    others = before.approved_by if before else ()
    _confirm(configuration, entry, yes=yes, as_json=as_json)
    made = Approval(service, digest, tuple(dict.fromkeys((*others, by))), seen_on, how, last)
    _keep(configuration, made, ring, "entry.approved", by, as_json=as_json, today=today)


@app.command("renew")
def renew(  # noqa: PLR0913 - as `approve`
    service: Which,
    by: By,
    seen: How,
    on: On = None,
    until: Until = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Say that a team was reached again, so that its approval lasts on; its entry must be as two people approved it."""
    from dataclasses import replace  # noqa: PLC0415 - `hub --help` stays fast

    from hub.entries import digest_of  # noqa: PLC0415

    configuration, today = configuration_of(folder), _today()
    entry, ring = _known(configuration, service), _ring(configuration)
    _may_approve(configuration, by)
    before = _approval(configuration, service, ring)
    if before is None or before.digest != digest_of(configuration, entry) or len(set(before.approved_by)) < 2:
        fail(
            "there is nothing to renew: the entry as it is now was not approved by two people",
            f"Run `hub directory approve {service}`.",
        )
    seen_on, how, last = _proof(None, seen, on, until, today)
    made = replace(before, seen_on=seen_on, seen_how=how, last_day=last)
    _keep(configuration, made, ring, "entry.renewed", by, as_json=as_json, today=today)


@app.command("import")
def take_in(
    source: Source, allow_address: Allow = None, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Take in another directory, to look things up in; nothing in it can be sent to."""
    from hub.cli import feed  # noqa: PLC0415 - `hub --help` stays fast

    configuration, today = configuration_of(folder), _today()
    listings, unreadable = feed.read_source(source, allow_address or [])
    name = feed.name_of(source)
    feed.keep(configuration.folder, name, source.split("?")[0], today, listings)
    stale = sum(each.is_stale(today) for each in listings)
    if as_json:
        emit({"directory": name, "services": len(listings), "stale": stale, "unreadable": unreadable})
        return
    say(f"{name}: {len(listings)} services, {stale} of them stale, {unreadable} that could not be read.")
    say("To be listed is no permission to send. `hub directory ls` shows them.")


def _entry(configuration: Configuration, service: ServiceTable, ring: KeyRing, today: date) -> dict[str, Any]:
    from hub.cli.standing import how_to_check  # noqa: PLC0415 - `hub --help` stays fast
    from hub.domain.entry import EntryFault, fault  # noqa: PLC0415
    from hub.entries import approval_of, digest_of  # noqa: PLC0415
    from hub.security.approvals import UnsignedError  # noqa: PLC0415

    approval: Approval | None = None
    found: EntryFault | None
    try:
        approval = approval_of(configuration, service.id, ring)
        found = fault(service.id, digest_of(configuration, service), approval, today)
    except UnsignedError:
        found = EntryFault.UNSIGNED
    return {
        "service": service.id,
        "name": service.name,
        "standing": str(found or "approved"),
        "approved_by": list(approval.approved_by) if approval else [],
        "seen_on": approval.seen_on.isoformat() if approval else None,
        "seen_how": str(approval.seen_how) if approval else None,
        "last_day": approval.ends.isoformat() if approval else None,
        "next_step": f"`{how_to_check(found, service.id)}`" if found else "",
    }


def _approval(configuration: Configuration, service: str, ring: KeyRing) -> Approval | None:
    """What this hub did not sign counts for nothing: people approve anew."""
    from hub.entries import approval_of  # noqa: PLC0415
    from hub.security.approvals import UnsignedError  # noqa: PLC0415

    try:
        return approval_of(configuration, service, ring)
    except UnsignedError:
        return None


def _proof(
    before: Approval | None, seen: str, on: datetime | None, until: datetime | None, today: date
) -> tuple[date, Any, date]:
    """Return when and how the team was reached, and the last day; where nobody says so anew, as was said before."""
    from hub.domain.entry import LONGEST, USUAL, Seen  # noqa: PLC0415

    if before is not None and not seen:
        return before.seen_on, before.seen_how, until.date() if until else before.last_day
    if seen not in set(Seen):
        fail(f"{seen} is no way to reach a team", f"Say one of: {', '.join(Seen)}.")
    seen_on = on.date() if on else today
    last = until.date() if until else seen_on + USUAL
    if seen_on > today:
        fail("the day on which the team was reached has not come yet", "Say the day on which you reached them.")
    if not today <= last <= seen_on + LONGEST:
        fail(
            "that last day cannot be: an approval lasts a year at most from when the team was reached",
            f"Choose a day from {today} to {seen_on + LONGEST}.",
        )
    return seen_on, Seen(seen), last


def _keep(  # noqa: PLR0913 - what is kept, and how it is said
    configuration: Configuration, made: Approval, ring: KeyRing, action: str, by: str, *, as_json: bool, today: date
) -> None:
    """Write it down in the audit log first, then in the file that a running hub takes up within a second."""
    from hub.domain.entry import fault  # noqa: PLC0415
    from hub.entries import path_of  # noqa: PLC0415
    from hub.security.approvals import write_approval  # noqa: PLC0415

    detail = {"service": made.service, "by": by, "entry": made.digest, "last_day": made.last_day.isoformat()}
    note(configuration, action, **detail)
    write_approval(path_of(configuration.folder, made.service), made, ring)
    wrong = fault(made.service, made.digest, made, today)
    if as_json:
        emit({**detail, "approved_by": list(made.approved_by), "standing": str(wrong or "approved")})
    elif wrong:
        say(f"{made.service} has one approval, by {by}. Another person has to approve it too, before anything is sent.")
    else:
        say(f"{made.service} may be sent to until {made.ends}; approved by {' and '.join(made.approved_by)}.")


def _confirm(configuration: Configuration, entry: ServiceTable, *, yes: bool, as_json: bool) -> None:
    if not as_json:
        connection = entry.connection
        for label, value in (
            *(("service", entry.id), ("name", entry.name), ("partner", entry.partner), ("address", entry.address)),
            *(("area", entry.area), ("by", f"{connection.plugin}/{connection.connector}")),
            *((name, value) for name, value in connection.settings.items() if name.endswith("url")),
        ):
            if value:
                say(f"{label:<11}{value}")
        for name in entry.gates:
            say(f"{'gate':<11}{name}: {', '.join(each.id for each in configuration.gates[name].preconditions)}")
    if yes:
        return
    if as_json:
        fail("nothing was written", "Look at the entry, then add --yes.")
    if not typer.confirm("Is this the right team, and the right way to reach it?", default=False):
        progress("hub: nothing was written")
        raise typer.Exit(WRONG)


def _known(configuration: Configuration, service: str) -> ServiceTable:
    found = {each.id: each for each in configuration.services}
    if service not in found:
        fail("there is no service by that name", f"There are: {', '.join(found) or 'none yet, see services/'}.")
    return found[service]


def _may_approve(configuration: Configuration, by: str) -> None:
    """Only somebody whom the partnership's file names may approve: an operator, a champion, an officer."""
    from hub.people import OPERATOR  # noqa: PLC0415

    told = configuration.partnership
    found = (
        *(each for partner in told.partners for each in (partner.champion, partner.deputy)),
        *(told.coordinator, told.safeguarding.contact if told.safeguarding else None, *told.privacy_officers),
    )
    ids = dict.fromkeys((OPERATOR, *(each.id for each in found if each is not None)))
    if by not in ids:
        fail(f"{by} is nobody in the partnership's file", f"There are: {', '.join(ids)}.")


def _ring(configuration: Configuration) -> KeyRing:
    from hub.security.keys import KeyRing  # noqa: PLC0415

    return KeyRing.load(configuration.path("keys"))


def _today() -> date:
    from hub.domain.calendar import london_date  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415

    return london_date(SystemNow().wall())


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(str(each) for each in value if each is not None) if isinstance(value, list) else value
