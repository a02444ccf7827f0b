"""`hub audit`: write the audit log down, and check it against itself, the hub's key, and what partners kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of, note, reader_of, write
from hub.cli.output import WRONG, emit, fail, progress, say

if TYPE_CHECKING:
    from hub.config import Configuration
    from hub.domain.audit import Checkpoint
    from hub.domain.audit_check import Verdict

app = typer.Typer(help="The audit log: write it down, and check that nobody changed it.", no_args_is_help=True)

To = Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not be there yet.")]
File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="An exported log; without one, the database.")]
Kept = Annotated[
    list[Path] | None, typer.Option("--checkpoint", help="A checkpoint, or a receipt with one, that a partner kept.")
]
Key = Annotated[Path | None, typer.Option("--key", help="The hub's public keys, kept from /.well-known/jwks.json.")]

_NO_KEY = "No --key was given: whoever rewrote the log could have signed it anew. Keep the hub's jwks.json elsewhere."
_NO_CHECKPOINT = "No --checkpoint was given: a log cut at its end looks whole. Use the newest receipt of a partner's."
_NEXT_STEP = (
    "Keep this log and the database as they are. Tell the privacy officer. Compare with a backup from before that "
    "position, and ask partners for the checkpoints in their receipts."
)


@app.command("export")
def export(to: To, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Write the whole log to a file that can be checked without the hub; that it was written is in it."""
    configuration = configuration_of(folder)
    written = 0
    _seal_what_waits(configuration, "log.exported")
    with _database(configuration) as lines, _fresh(to) as stream:
        for line in lines:
            stream.write(line + b"\n")
            written += 1
    if as_json:
        emit({"file": str(to), "lines": written})
    else:
        say(f"{to}: {written} lines. To check it: `hub audit verify {to}`.")


@app.command("verify")
def verify(
    file: File = None,
    kept: Kept = None,
    key: Key = None,
    folder: Folder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Check a log: every event, their order, the signatures, and that it agrees with checkpoints kept elsewhere."""
    checkpoints = [_checkpoint(path) for path in kept or []]
    if file is None:
        configuration = configuration_of(folder)
        _seal_what_waits(configuration, "log.verified")
        with _database(configuration) as lines:
            verdict = _check(lines, checkpoints, key)
    else:
        with file.open("rb") as stream:
            verdict = _check((line.removesuffix(b"\n") for line in stream), checkpoints, key)
    warnings = [] if key else [_NO_KEY]
    warnings += [] if checkpoints else [_NO_CHECKPOINT]
    _tell(verdict, warnings, as_json=as_json)


def _check(lines: Iterator[bytes], kept: Sequence[Checkpoint], key: Path | None) -> Verdict:
    from hub.domain.audit_check import check, read_header  # noqa: PLC0415 - `hub --help` stays fast
    from hub.security.checkpoints import checkpoint_keys, is_signed_by  # noqa: PLC0415

    header = next(lines, b"")
    jwks = _document(key) if key is not None else read_header(header) or {}
    keys = checkpoint_keys(jwks if isinstance(jwks, Mapping) else {})
    if key is not None and not keys:
        fail(f"{key} holds no key that signs checkpoints", "Give what the hub says at /.well-known/jwks.json.")
    return check(header, lines, is_signed_by(keys), kept, keys if key is not None else None)


def _tell(verdict: Verdict, warnings: list[str], *, as_json: bool) -> None:
    if as_json:
        findings = [{"code": each.code, "position": each.position, "words": each.words} for each in verdict.findings]
        emit(
            {
                "verified": verdict.verified,
                "chain": verdict.chain,
                "events": verdict.position,
                "checkpoints": verdict.checkpoints,
                "wrong": verdict.count,
                "findings": findings,
                "warnings": warnings,
                "next_step": "" if verdict.verified else _NEXT_STEP,
            }
        )
    elif verdict.verified:
        say(f"Verified: {verdict.position} events and {verdict.checkpoints} checkpoints of the log {verdict.chain}.")
        for warning in warnings:
            say(f"  but: {warning}")
    else:
        for found in verdict.findings:
            progress(f"hub: position {found.position}: {found.words} ({found.code})")
        if (untold := verdict.count - len(verdict.findings)) > 0:
            progress(f"hub: and {untold} more")
        progress(f"     {_NEXT_STEP}")
    if not verdict.verified:
        raise typer.Exit(WRONG)


def _seal_what_waits(configuration: Configuration, action: str) -> None:
    """Note who asks, and seal all that is kept, so that what follows is the whole log."""
    from functools import partial  # noqa: PLC0415
    from uuid import uuid4  # noqa: PLC0415

    from hub.security.checkpoints import CheckpointSigner  # noqa: PLC0415
    from hub.security.keys import KeyRing  # noqa: PLC0415
    from hub.services.now import SystemNow  # noqa: PLC0415
    from hub.services.seal import Seal, seal  # noqa: PLC0415
    from hub.store.read_audit import waiting  # noqa: PLC0415

    note(configuration, action)
    all_at_once = 1_000_000
    sealing = partial(seal, sign=CheckpointSigner(KeyRing.load(configuration.path("keys"))))
    with reader_of(configuration) as reader:
        for _ in range(_TRIES):
            # Another process may be sealing at this moment, and then does it.
            write(configuration, sealing, Seal(SystemNow().wall(), uuid4().hex, all_at_once))
            if not waiting(reader):
                return


#: While a busy hub goes on writing there is always something that waits: the log is whole up to its last checkpoint.
_TRIES = 3


@contextmanager
def _database(configuration: Configuration) -> Iterator[Iterator[bytes]]:
    from hub.security.checkpoints import checkpoint_keys  # noqa: PLC0415
    from hub.security.keys import KeyRing  # noqa: PLC0415
    from hub.services.export_log import export_log  # noqa: PLC0415
    from hub.store import read_audit  # noqa: PLC0415

    keys = checkpoint_keys(KeyRing.load(configuration.path("keys")).jwks())
    with reader_of(configuration) as reader:
        newest = read_audit.newest_checkpoint(reader)
        if newest is None:
            fail("the audit log was never sealed", "Run `hub serve` once, and look for `sealer` in its log.")
        most = newest["position"]
        events, checkpoints = read_audit.events(reader, most), read_audit.checkpoints(reader, most)
        yield export_log(newest["chain"], keys, events, checkpoints)


@contextmanager
def _fresh(to: Path) -> Iterator[Any]:
    """Open a file that was not there, for nobody else's eyes."""
    import os  # noqa: PLC0415

    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        fail(f"{to} is there already", "Give another name: what was exported before is not written over.")
    with os.fdopen(handle, "wb") as stream:
        yield stream


def _checkpoint(path: Path) -> Checkpoint:
    from hub.domain.audit import read_checkpoint  # noqa: PLC0415

    found = read_checkpoint(_document(path))
    if found is None:
        fail(f"{path} holds no checkpoint", "Give a receipt, or what the hub says at /v1/checkpoint.")
    return found


def _document(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        fail(f"{path} is not JSON", "Give the file as it was received.")
