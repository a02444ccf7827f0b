"""`hub keys`: the hub's own keys, how to put new ones in use while it runs, and how to destroy old ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, reader_of, writer_of
from hub.cli.output import emit, fail, progress, say, table

if TYPE_CHECKING:
    from hub.config import Configuration

app = typer.Typer(help="The hub's own keys: list, rotate and retire them.", no_args_is_help=True)

Kid = Annotated[str, typer.Argument(metavar="KID", help="A key's id, as `hub keys ls` shows it.")]
Signing = Annotated[bool, typer.Option("--signing", help="Rotate the key that signs access tokens.")]
Checkpoint = Annotated[bool, typer.Option("--checkpoint", help="Rotate the key that signs audit checkpoints.")]


@app.command("ls")
def ls(folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """List the keys: what for, since when, which is in use, and how many data keys each wraps."""
    from hub.security.retire import listed  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    numbers = _wrapped(configuration)
    found: list[dict[str, Any]] = [
        {
            "kid": each.kid,
            "for": "stories" if each.kind == "kek" else "access tokens",
            "since": each.since,
            "in_use": each.in_use,
            "wraps": numbers.get(each.kid, 0) if each.kind == "kek" else None,
        }
        for each in listed(configuration.path("keys"))
    ]
    if as_json:
        emit(found)
        return
    lines = [
        (each["kid"], each["for"], each["since"], "yes" if each["in_use"] else "", each["wraps"]) for each in found
    ]
    table(("KEY", "FOR", "SINCE", "IN USE", "WRAPS"), lines)


@app.command("rotate")
def rotate(
    signing: Signing = False, checkpoint: Checkpoint = False, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Put a new key in use, while the hub runs, and wrap every story's own key anew under it."""
    from hub.security import keys  # noqa: PLC0415 - `hub --help` stays fast

    configuration = configuration_of(folder)
    place = configuration.path("keys")
    if signing or checkpoint:
        kid = keys.add_signing_key(place) if signing else keys.replace_checkpoint_key(place)
        after = "tokens signed before stay good until they end" if signing else "checkpoints signed before still verify"
        emit({"kid": kid}) if as_json else say(f"The key {kid} is in use: {after}.")
        return
    kid, resumed = keys.begin_rotation(place)
    progress(f"The last rotation was cut short, and goes on: {kid}." if resumed else f"The new key {kid} is in use.")
    count, damaged = _rewrap_all(configuration)
    keys.end_rotation(place)
    if as_json:
        emit({"kid": kid, "resumed": resumed, "rewrapped": count, "damaged": damaged})
        return
    say(f"Data keys wrapped anew: {count}. Retire an old key with `hub keys retire`; see `hub keys ls`.")
    if damaged:
        fail(f"{damaged} data keys do not open, and were left as they are", "Restore the keys that wrapped them.")


@app.command("retire")
def retire(kid: Kid, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Destroy a key that is not in use and wraps nothing: what a backup holds under it can never be read again."""
    from hub.security.retire import retire as destroy  # noqa: PLC0415 - `hub --help` stays fast
    from hub.services.now import SystemNow  # noqa: PLC0415

    configuration = configuration_of(folder)
    if number := _wrapped(configuration).get(kid, 0):
        fail(f"{number} data keys are wrapped under {kid}, and it was kept", "Run `hub keys rotate` first.")
    key = destroy(configuration.path("keys"), kid, SystemNow().wall())
    if as_json:
        emit({"kid": kid, "retired": True})
    elif key.kind == "kek":
        say(f"The key {kid} is destroyed. Backups of the database from before its rotation cannot be read any more.")
    else:
        say(f"The key {kid} is destroyed.")


def _wrapped(configuration: Configuration) -> dict[str, int]:
    """Return how many data keys each key wraps, by kid."""
    from hub.security.envelope import header_of  # noqa: PLC0415
    from hub.security.keys import KeyRing  # noqa: PLC0415
    from hub.store.read_forgetting import wrapped_by_header  # noqa: PLC0415

    ring = KeyRing.load(configuration.path("keys"))
    headers = {header_of(kid): kid for kid in ring.key_encryption_keys}
    with reader_of(configuration) as reader:
        found = wrapped_by_header(reader, len(header_of(ring.active_kid)))
    return {headers[header]: number for header, number in found.items() if header in headers}


def _rewrap_all(configuration: Configuration) -> tuple[int, int]:
    """Wrap anew, table by table, until a whole pass finds nothing; returns how many, and how many do not open."""
    from functools import partial  # noqa: PLC0415

    from hub.security.envelope import Envelope  # noqa: PLC0415
    from hub.security.keys import KeyRing  # noqa: PLC0415
    from hub.services.rotate import Rewrap, Rewrapped, rewrap  # noqa: PLC0415
    from hub.store.tables import WITH_DATA_KEY  # noqa: PLC0415

    verb = partial(rewrap, vault=Envelope(KeyRing.load(configuration.path("keys"))))
    total = 0
    with writer_of(configuration) as writer:
        while True:
            count = damaged = 0
            for each in WITH_DATA_KEY:
                after: str | None = ""
                while after is not None:
                    began = time.monotonic()
                    done: Rewrapped = writer.submit(verb, Rewrap(each.name, after)).result(timeout=60)
                    count, damaged, after = count + done.count, damaged + done.damaged, done.last
                    # As long again for the hub itself: SQLite has one writer at a time, and serves it in no order.
                    time.sleep(max(time.monotonic() - began, 0.005))
                progress(f"  {each.name}: {count} so far")
            total += count
            if count == 0:
                return total, damaged
