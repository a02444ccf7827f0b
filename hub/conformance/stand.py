"""The stand that a connector is tried on: the pack's sandbox, the kit's gateway before it, and a real host process."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.conformance.check import Fault, wrong
from hub.conformance.door import Door
from hub.conformance.drop import DropPlace
from hub.conformance.gateway import Gateway, Seen
from hub.conformance.keys import Keys
from hub.conformance.subject import Subject
from hub.conformance.trial import FILE, filled
from hub.courier.host_process import CollectError, HostBroken, HostProcess, HostResult
from hub.courier.incarnation import HostDied
from hub.domain.errors import MissingLeaf
from hub.host.wire import Configure
from hub.mapping import Library, Mapping
from hub.partnership import shipped
from hub.sdk import Delivered, DeliveryKind, Inbound, Level, Outcome, Parcel
from hub.sdk.reach import SANDBOX_ADDRESSES, host_and_port
from hub.sdk.testing.process import SandboxProcess

#: Seconds that one call may take when nothing is meant to go wrong, and when the partner is meant to say nothing.
PATIENCE, IMPATIENCE = 20.0, 0.7


@dataclass(frozen=True, slots=True)
class Case:
    """One of the mapping's cases, as a view and the document that comes out of it."""

    name: str
    file: Path
    view: dict[str, Any]
    made: bytes
    document: Any

    @property
    def is_ascii(self) -> bool:
        """Whether all of its words are, however its bytes are written."""
        return json.dumps(self.document, ensure_ascii=False).isascii()

    @property
    def kind(self) -> str:
        """Its kind of delivery."""
        return str(self.view.get("delivery", {}).get("kind", "share"))


class Stand:
    """Everything that the checks of one connector share; used within one event loop, and closed with `close`."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject = subject
        self.folder = folder
        self.keys = Keys(folder)
        self.gateway = Gateway(self._is_parcel, subject.trial.echoes if subject.trial else ())
        self.door = Door(self.keys, subject.trial.issuer if subject.trial else "")
        self.drop = DropPlace(folder / "drop", remote=bool(subject.manifest.hosts))
        self._sandbox: SandboxProcess | None = None
        self._host: HostProcess | None = None
        self._others: dict[str, HostProcess] = {}

    @property
    def sandbox(self) -> SandboxProcess:
        """The pack's partner, running."""
        if self._sandbox is None:
            raise Fault("no partner plays along", self.subject.trial_place, "name the pack's sandbox in its trial")
        return self._sandbox

    async def host(self) -> HostProcess:
        """Return the connector's host, with the partner that it reaches; what cannot be started is a fault."""
        if self._host is None:
            await self._start()
            self._host = HostProcess(self.configure(), grace=2)
        return self._host

    async def fresh_host(self, **changes: Any) -> HostProcess:
        """Return another host, one for each change of its configuration; it is closed with the stand."""
        await self.host()
        if repr(changes) not in self._others:
            self._others[repr(changes)] = HostProcess(replace(self.configure(), **changes), grace=2)
        return self._others[repr(changes)]

    def configure(self) -> Configure:
        """Return what a host gets to know of this connection."""
        subject, of = self.subject, self.subject.manifest
        trial = filled(subject.trial.model_dump() if subject.trial else {}, self.words())
        settings = trial.get("settings", {})
        urls = [str(settings[name]) for name in (*of.hosts, *of.optional_hosts) if settings.get(name)]
        return Configure(
            connection="conformance",
            connector=subject.connector,
            plugin=subject.pack.name,
            distribution=subject.pack.distribution,
            settings=settings,
            secrets=trial.get("secrets", {}),
            hosts=tuple(sorted({host_and_port(url) for url in urls if url.startswith(("http", "sftp"))})),
            folders=tuple(dict.fromkeys(str(settings[name]) for name in of.folders if settings.get(name))),
            allow_addresses=SANDBOX_ADDRESSES,
            in_flight=of.limits.in_flight,
            body_bytes=of.limits.body_bytes,
            reply_bytes=of.limits.reply_bytes,
            deadline_seconds=of.limits.deadline_seconds,
            paths=subject.pack.paths,
        )

    def words(self) -> dict[str, str]:
        """Return what the words of a trial stand for."""
        url = self.gateway.url
        words = {"url": url, "callback_url": self.door.url, "folder": str(self.folder)}
        return self.keys.words() | words | self.drop.words()

    @property
    def arrives_as(self) -> str:
        """What a parcel looks like when it arrives: its own bytes, or a page."""
        return self.subject.trial.arrives_as if self.subject.trial else "bytes"

    @cached_property
    def mapping(self) -> Mapping:
        """The connector's mapping."""
        return Library([self.subject.pack.package / "mappings", shipped("mappings")]).find(
            self.subject.manifest.mapping
        )

    @cached_property
    def cases(self) -> list[Case]:
        """The mapping's cases that make a document, by name."""
        found = []
        for file in sorted((self.subject.mapping / "cases").glob("*.in.json")):
            view = json.loads(file.read_text(encoding="utf-8"))
            try:
                name = file.name.removesuffix(".in.json")
                found.append(Case(name, file, view, self.mapping.run(view), self.mapping.document_of(view)))
            except MissingLeaf:
                continue
        return found

    def fullest(self, kind: str = "share") -> Case:
        """Return the case of a kind that makes the longest document; a kind without a case is a fault."""
        found = [case for case in self.cases if case.kind == kind]
        if not found:
            place = self.subject.in_manifest("kinds")
            wrong(f"the mapping has no case of kind {kind}", place, f'add cases/<name>.in.json with kind "{kind}"')
        return max(found, key=lambda case: len(case.made))

    def parcel(self, case: Case | None = None, *, follows: Parcel | None = None, seconds: float = PATIENCE) -> Parcel:
        """Return a new parcel of a case, with a key of its own, as the hub would make it."""
        chosen = case or self.fullest()
        key, story = str(uuid.uuid4()), follows.case if follows else str(uuid.uuid4())
        view = json.loads(json.dumps(chosen.view))
        view["delivery"] |= {"key": key, "case": story} | ({"follows": follows.idempotency_key} if follows else {})
        view["share"]["reference"] = self.fullest().view["share"]["reference"]
        address = self.subject.trial.address if self.subject.trial else ""
        view["service"]["address"] = address
        return Parcel(
            token=uuid.uuid4().hex,
            kind=DeliveryKind(chosen.kind),
            attempt=1,
            idempotency_key=key,
            case=story,
            body=self.mapping.run(view),
            content_type=self.mapping.content_type,
            address=address,
            deadline=time.time() + seconds,
        )

    async def deliver(self, parcel: Parcel, host: HostProcess | None = None) -> tuple[Outcome, bool]:
        """Have a parcel delivered in the host; returns the outcome and whether it says that a byte left."""
        return self._told(await (host or await self.host()).deliver(parcel))

    async def reconcile(self, parcel: Parcel) -> Outcome:
        """Have the host find out about a parcel."""
        outcome, _ = self._told(await (await self.host()).reconcile(parcel))
        return outcome

    async def delivered(self, parcel: Parcel) -> Delivered:
        """Have a parcel delivered; anything but Delivered is a fault."""
        outcome, _ = await self.deliver(parcel)
        if not isinstance(outcome, Delivered) or outcome.level < Level.L1:
            wrong(
                f"a parcel of kind {parcel.kind} to a partner that takes it is {outcome}, not Delivered",
                self.subject.at("deliver"),
                "return Delivered with the partner's receipt when its reply says that it has the parcel",
            )
        return outcome

    async def collected(self, waiting: Sequence[str] = ()) -> list[Inbound]:
        """Fetch all that waits at the partner, asked about these receipts; a connector that cannot is a fault."""
        host = await self.host()
        try:
            return [inbound async for inbound in host.collect(waiting)]
        except CollectError as error:
            fix = "let nothing that lies in the mailbox stop the rest: raise ValueError for what cannot be read"
            raise Fault(f"what waits cannot be fetched: {error}", self.subject.at("collect"), fix) from None

    async def say(self, parcel: Parcel) -> None:
        """Have the partner answer a parcel, as the trial's `say` has it: its sandbox, or a file in the drop."""
        trial = self.subject.trial
        said = filled(trial.say if trial else {}, self.words() | {"key": parcel.idempotency_key})
        if self.subject.manifest.transport == "file":
            self.drop.answer(said)
        else:
            await asyncio.to_thread(lambda: self.sandbox.say(**said))

    async def effects(self, parcel: Parcel) -> int:
        """Return how often the partner acted on a parcel."""
        return await asyncio.to_thread(self.sandbox.effects, parcel.idempotency_key)

    def personal(self) -> Iterator[str]:
        """Yield every text of the cases that a person gave and that is long enough to be known again."""
        for case in self.cases:
            for sections in case.view.get("section", {}).values():
                for section in sections:
                    texts = [section.get("text", ""), *map(str, section.get("fields", {}).values())]
                    yield from (text for text in texts if len(text) >= 8 and not text.startswith("20"))

    async def close(self) -> None:
        """End every process and server of the stand."""
        for host in (self._host, *self._others.values()):
            if host is not None:
                await host.close()
        if self._sandbox is not None and self._sandbox.running:
            await asyncio.to_thread(self._sandbox.stop)
        await self.gateway.stop()
        await self.door.stop()
        await self.drop.stop()

    def _told(self, result: HostResult | HostDied | HostBroken) -> tuple[Outcome, bool]:
        if isinstance(result, HostResult):
            return result.outcome, result.started
        if isinstance(result, HostBroken):
            fix = "give it what it asks for in settings and secrets"
            wrong(f"no host can run it: {result.reason}", self.subject.trial_place, fix)
        raise Fault("its host died under it", self.subject.at("deliver"), "let nothing end or block the process")

    async def _start(self) -> None:
        subject = self.subject
        if subject.trial is None:
            fix = f"write {FILE} into the package, as plugins/README.md shows"
            wrong(
                subject.bad_trial or f"nothing tries it: {FILE} has no [{subject.connector}]", subject.trial_place, fix
            )
        await self.gateway.start()
        await self.door.start()
        if subject.manifest.transport == "file":
            await self.drop.start(subject.trial_place)
        if not subject.trial.sandbox:
            return
        partner = filled(subject.trial.partner, self.words())
        (self.folder / "partner").mkdir(exist_ok=True)
        self._sandbox = SandboxProcess(
            subject.trial.sandbox,
            self.folder / "partner",
            client_jwks=self.keys.client_jwks(),
            settings=partner,
            known_as=self.gateway.url,
            paths=subject.pack.paths,
        )
        try:
            await asyncio.to_thread(self._sandbox.start)
        except RuntimeError as error:
            fix = f"run python -m {subject.trial.sandbox} --port 0 and read what it says"
            wrong(str(error), subject.trial_place, fix)
        self.gateway.upstream = self._sandbox.url

    def _is_parcel(self, request: Seen) -> bool:
        trial = self.subject.trial
        if trial is None or request.method not in {"POST", "PUT", "PATCH"} or request.path.endswith(trial.token_path):
            return False
        return trial.parcel_path in request.path
