"""`hub client`: keep a partner's system out at once, or let it in again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, operator, reader_of, write
from hub.cli.output import emit, fail, say, table

app = typer.Typer(help="Partners' systems: revoke one at once, or restore it.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="A client's id, as in partnerships/.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the clients, and since when one is revoked."""
    from hub.store.read_state import revoked_clients  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    with reader_of(configuration) as reader:
        found: list[dict[str, Any]] = [
            {
                "id": client.id,
                "partner": client.partner,
                "scopes": list(client.scopes),
                "revoked_at": revoked_clients(reader, client.id),
            }
            for client in configuration.partnership.clients
        ]
    if as_json:
        emit(found)
    elif not found:
        say("No clients: partnerships/ names none yet.")
    else:
        lines = [(each["id"], each["partner"], " ".join(each["scopes"]), each["revoked_at"]) for each in found]
        table(("CLIENT", "PARTNER", "SCOPES", "REVOKED"), lines)


@app.command("revoke")
def revoke(client: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Keep a client out: within 5 seconds its tokens stop working, and it gets no new one (TH16)."""
    _set(client, folder, revoked=True, as_json=as_json)


@app.command("restore")
def restore(client: Id, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Let a client in again."""
    _set(client, folder, revoked=False, as_json=as_json)


def _set(client: str, folder: Folder, *, revoked: bool, as_json: bool) -> None:
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.services.revoke import Revocation  # noqa: PLC0415
    from hub.services.revoke import revoke as write_down  # noqa: PLC0415

    configuration = configuration_of(folder)
    known = [each.id for each in configuration.partnership.clients]
    if client not in known:
        fail("there is no client by that name", f"There are: {', '.join(known) or 'none yet, see partnerships/'}.")
    with reader_of(configuration):  # a database that is not there is named, not made
        changed = write(configuration, write_down, Revocation(client, revoked, operator(), SystemNow().wall()))
    if as_json:
        emit({"client": client, "revoked": revoked, "changed": changed})
        return
    state = "revoked: within 5 seconds nothing it sends is taken" if revoked else "let in again"
    say(f"{client} is {state}." if changed else f"{client} was {'revoked' if revoked else 'let in'} already.")
