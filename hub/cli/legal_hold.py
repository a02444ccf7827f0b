"""`hub legal-hold`: keep one share past its time, for a known reason and by a privacy officer, or let it go again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of, write
from hub.cli.output import emit, fail, say, table
from hub.cli.trace import canonical

if TYPE_CHECKING:
    from hub.config import Configuration

app = typer.Typer(help="Shares that are not forgotten in time, and why.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="REFERENCE", help="A share's reference (K7M-4QX), or its id.")]
By = Annotated[str, typer.Option("--by", help="A privacy officer's id, as in the partnership's file.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, as one of the known reasons.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the shares that are under a legal hold: since when, by whom, and why."""
    from hub.store.read_forgetting import legal_holds  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found = [dict(each) for each in legal_holds(reader)]
    if as_json:
        emit(found)
    elif not found:
        say("No share is under a legal hold.")
    else:
        columns = ("reference", "legal_hold_since", "legal_hold_by", "legal_hold_reason", "id")
        table(("SHARE", "SINCE", "BY", "REASON", "ID"), [[each[column] for column in columns] for each in found])


@app.command("place")
def place(which: Which, by: By, reason: Reason, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Keep a share past its time; a withdrawal still stops it."""
    _set(which, by, reason, folder, as_json=as_json)


@app.command("lift")
def lift(which: Which, by: By, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Let a share be forgotten again: within a minute, where its time has come."""
    _set(which, by, None, folder, as_json=as_json)


def _set(which: str, by: str, reason: str | None, folder: Folder, *, as_json: bool) -> None:
    from functools import partial  # noqa: PLC0415 - `hub --help` stays fast

    from hub.domain.errors import HubError  # noqa: PLC0415
    from hub.services.legal_hold import UNKNOWN, LegalHold, set_legal_hold  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.store.read_forgetting import share_id_of  # noqa: PLC0415
    from hub.store.read_state import fact  # noqa: PLC0415

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        share_id = share_id_of(reader, canonical(which))
        now = SystemNow(timedelta(seconds=float(fact(reader, "business_offset") or 0)))  # the demo's time is its own
    if share_id is None:
        fail(UNKNOWN.title, UNKNOWN.next_step)
    verb = partial(set_legal_hold, officers=_officers(configuration))
    refused: HubError | None = write(configuration, verb, LegalHold(share_id, by, reason, now.business()))
    if refused is not None:
        fail(refused.refusal.title, refused.refusal.next_step)
    if as_json:
        emit({"share": share_id, "legal_hold": reason})
    elif reason is None:
        say("The legal hold is lifted. The share is forgotten when its time comes, or now where it has.")
    else:
        say("The share is under a legal hold. It is kept until `hub legal-hold lift`.")


def _officers(configuration: Configuration) -> frozenset[str]:
    return frozenset(officer.id for officer in configuration.partnership.privacy_officers)
