"""Entries of services as this instance has them: what each says, who approved that, and whether it may be sent by."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub import config
from hub.config import Configuration, ServiceTable
from hub.domain.calendar import london_date
from hub.domain.entry import LONGEST, Approval, EntryFault, Seen, fault
from hub.sdk.gate import ReferrerTable
from hub.security.approvals import UnsignedError, read_approval, write_approval
from hub.security.checkpoints import checkpoint_keys, is_signed_by
from hub.security.keys import KeyRing
from hub.security.live_keys import Keys
from hub.services.hold_entries import Entry, HoldEntries, as_they_should, hold_entries
from hub.services.now import Now
from hub.store.engine import Engine
from hub.store.read_state import held_connections
from hub.store.writer import Writer

#: Beside services/, and no part of the configuration's digest: an approval is taken up while the hub runs.
FOLDER = "approvals"


def digest_of(configuration: Configuration, service: ServiceTable) -> str:
    """Return the SHA-256 of what people approve: an entry, all but how long it may take and whether it is on.

    With it whatever opens its doors, so that no change of settings does so unseen (TH21): what each of its gates asks,
    which partners a gate may take for referrers, and an override that names it. Comments and layout are no part of
    it. Secrets are in it by their names alone.
    """
    said = service.model_dump(mode="json", exclude={"enabled": True, "clocks": True, "connection": {"clocks"}})
    told, table = configuration.partnership, configuration.partnership.safeguarding
    if gates := [configuration.gates[name] for name in service.gates]:
        said["asked"] = [each.model_dump(mode="json") for each in gates]
        asked = [each for gate in gates for each in gate.preconditions if isinstance(each, ReferrerTable)]
        said["referrers"] = [
            [one.id for one in told.partners if one.id in each.partners or one.kind in each.partner_kinds]
            for each in asked
        ]
    if table and table.override and service.id in table.override.services:
        said["override"] = table.override.model_dump(mode="json")
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def approval_of(configuration: Configuration, service_id: str, ring: KeyRing) -> Approval | None:
    """Return what people said of an entry; raises `UnsignedError`."""
    return read_approval(path_of(configuration.folder, service_id), is_signed_by(checkpoint_keys(ring.jwks())))


def path_of(folder: Path, service_id: str) -> Path:
    """Return the file of one service's approval."""
    return folder / FOLDER / f"{service_id}.json"


def approve_all(folder: Path, seen_on: date, approved_by: Sequence[str] = ("operator", "coordinator")) -> None:
    """Approve every entry of an instance that a program wrote, such as the demo's; for a real one people do it."""
    configuration, ring = config.load(folder), KeyRing.load(folder / "keys")
    for service in configuration.services:
        ends = seen_on + LONGEST
        approval = Approval(service.id, digest_of(configuration, service), tuple(approved_by), seen_on, Seen.RANG, ends)
        write_approval(path_of(folder, service.id), approval, ring)


@dataclass(slots=True)
class _Known:
    """A service's entry, and its approval as it was when its file was last looked at."""

    connection: str
    partner: str
    digest: str
    path: Path
    seen: tuple[object, ...] = ()
    approval: Approval | None = None
    unsigned: bool = False


class Entries:
    """Says of each service whether it may be sent by today; for any thread, and as its file is now."""

    def __init__(self, configuration: Configuration, keys: Keys, now: Now) -> None:
        self._keys, self._now = keys, now
        enabled = [(each, digest_of(configuration, each)) for each in configuration.services if each.enabled]
        self._known = {
            each.id: _Known(each.connection.id, each.partner, digest, path_of(configuration.folder, each.id))
            for each, digest in enabled
        }
        self._service_of = {each.connection: service for service, each in self._known.items()}

    def fault(self, service_id: str) -> EntryFault | None:
        """Return why nothing may be sent to a service; None where it may, or where there is no such service."""
        known = self._known.get(service_id)
        if known is None:
            return None
        self._look(known)
        if known.unsigned:
            return EntryFault.UNSIGNED
        return fault(service_id, known.digest, known.approval, london_date(self._now.business()))

    def is_unchecked(self, service_id: str) -> bool:
        """Tell whether people still have to look at a service's entry."""
        return self.fault(service_id) is not None

    def may_send(self, connection_id: str) -> bool:
        """Tell whether anything may be sent by a connection now."""
        return self.fault(self._service_of.get(connection_id, "")) is None

    def all(self) -> tuple[Entry, ...]:
        """Return how each entry stands now."""
        return tuple(
            Entry(each.connection, each.partner, str(self.fault(name) or "")) for name, each in self._known.items()
        )

    def _look(self, known: _Known) -> None:
        seen = (*_sign(known.path), self._keys.current().checkpoint_kid)
        if seen == known.seen:
            return
        is_signed = is_signed_by(checkpoint_keys(self._keys.current().jwks()))
        try:
            known.approval, known.unsigned = read_approval(known.path, is_signed), False
        except UnsignedError:
            known.approval, known.unsigned = None, True
        known.seen = seen


class EntryRound:
    """Lets connections stand as their entries do: at each start before anything goes, then every round."""

    def __init__(self, entries: Entries, reader: Engine, writer: Writer, now: Now) -> None:
        self._entries, self._reader, self._writer, self._now = entries, reader, writer, now

    async def __call__(self) -> int:
        """Return how many connections were held or let go."""
        held = await asyncio.to_thread(held_connections, self._reader)
        found = self._entries.all()
        if as_they_should(found, {name: str(row["held_reason"]) for name, row in held.items()}):
            return 0
        return await self._writer.run(hold_entries, HoldEntries(found, self._now.wall()))


def _sign(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
