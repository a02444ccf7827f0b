"""The courier's side of one connection's host: started on demand, asked, watched, killed when it overruns."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import structlog

from hub.courier.incarnation import Call, HostDied, Incarnation, Why
from hub.courier.spawn import spawn
from hub.host import isolation, wire
from hub.host.foreign import site_folders, start_up_code
from hub.sdk import CallbackRequest, Inbound, InDoubt, Outcome, Parcel, RetryLater

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HostResult:
    """A call that ended in an outcome; `started` says whether the parcel's first byte may have left."""

    outcome: Outcome
    started: bool


@dataclass(frozen=True, slots=True)
class HostBroken:
    """No host for this connection: the plugin cannot be loaded or its settings are wrong. Nothing was sent.

    `for_now` says that it may start later: what it lacked was the machine's to give.
    """

    reason: str
    for_now: bool = False


@dataclass(frozen=True, slots=True)
class ParseFailed:
    """A partner's message could not be read: `not-theirs`, `connector-error`, `host-died` or why there is no host."""

    code: str


class CollectError(Exception):
    """A poll or its acknowledgement broke off; the message is a code, and what came before it counts."""


#: A host killed while it starts (a full memory, an operator's hand) is started again, so many times in a row in all;
#: only then does what it was to carry wait.
_STARTS = 3

#: A machine short of memory or processes comes round: so many times in a row it is waited for before a connection is
#: held, this many seconds each.
_PAUSES, _PAUSE = 5, 30.0
_SHORT = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
_NOT_NOW = "host-could-not-start"


class HostProcess:
    """One connection's host, whichever process that is at the moment; used within one event loop.

    `on_started` is called with a parcel's token before its first byte leaves. `grace` is the seconds beyond a deadline
    after which a host is killed.
    """

    def __init__(  # noqa: PLR0913 - what the composition root decides of a host
        self,
        configure: wire.Configure,
        *,
        on_started: Callable[[str], None] = lambda _: None,
        run_as: int | None = None,
        grace: float = 5,
        start_seconds: float = 20,
        pause: float = _PAUSE,
    ) -> None:
        self._configure = replace(configure, parent=isolation.facts())
        self._on_started = on_started
        self._run_as = run_as
        self._grace = grace
        self._start_seconds = start_seconds
        self._pause = pause
        self._pauses = 0
        self._printed = 0
        self._not_before = 0.0  # of the monotonic clock
        self._current: Incarnation | None = None
        self._launch: asyncio.Task[Incarnation | HostBroken] | None = None
        self._starting = asyncio.Lock()
        self._slots = asyncio.Semaphore(configure.in_flight)

    @property
    def pid(self) -> int | None:
        """The process id of the host that runs now, if any."""
        return self._current.child.process.pid if self._current is not None and self._current.usable else None

    @property
    def printed(self) -> int:
        """How many bytes its hosts printed until they were closed; what they were is not kept."""
        return self._printed

    async def deliver(self, parcel: Parcel) -> HostResult | HostDied | HostBroken:
        """Have the connector send a parcel; waits for a slot when there is none free."""
        return await self._carry("deliver", parcel)

    async def reconcile(self, parcel: Parcel) -> HostResult | HostDied | HostBroken:
        """Have the connector find out whether a parcel in doubt arrived."""
        return await self._carry("reconcile", parcel)

    async def deliver_alone(self, parcel: Parcel) -> HostResult | HostDied | HostBroken:
        """Send a parcel in a fresh host of its own, so that a death is this parcel's and harms no other."""
        return await self._carry_alone("deliver", parcel)

    async def reconcile_alone(self, parcel: Parcel) -> HostResult | HostDied | HostBroken:
        """Find out about a parcel in doubt in a fresh host of its own."""
        return await self._carry_alone("reconcile", parcel)

    async def _carry_alone(
        self, verb: Literal["deliver", "reconcile"], parcel: Parcel
    ) -> HostResult | HostDied | HostBroken:
        own = await self._start()
        if isinstance(own, HostBroken):
            return self._without(own, verb)
        try:
            return await self._ask_about(own, verb, parcel)
        finally:
            await own.close()

    async def check(self) -> HostResult | HostDied | HostBroken:
        """Ask whether the connection works; no parcel is involved."""
        deadline = self._deadline()
        while True:
            host = await self._host()
            if isinstance(host, HostBroken):
                return self._without(host, "check")
            call = host.call(lambda number: wire.Check(number, deadline))
            if (result := _result(call, await self._reply(host, call, deadline))) is not None:
                return result

    async def parse(self, request: CallbackRequest) -> Inbound | ParseFailed:
        """Have the connector read a verified message of the partner's."""
        while True:
            host = await self._host()
            if isinstance(host, HostBroken):
                return ParseFailed(host.reason)
            call = host.call(lambda number: wire.Parse(number, request.headers, request.body))
            match await self._reply(host, call, self._deadline()):
                case wire.Read(inbound=inbound):
                    return inbound
                case wire.Failed(code=code):
                    return ParseFailed(wire.clean_reason(code))
                case HostDied(why="idle"):
                    continue
                case _:
                    return ParseFailed("host-died")

    async def collect(self, waiting: Sequence[str] = ()) -> AsyncIterator[Inbound]:
        """Fetch what waits at the partner, one by one; raises `CollectError`.

        `waiting` are the receipts of what may still be answered, for a partner that is asked about each.
        """
        host = await self._host()
        if isinstance(host, HostBroken):
            raise CollectError(host.reason)
        deadline = self._deadline()
        call = host.call(lambda number: wire.Collect(number, deadline, tuple(waiting)), many=True)
        while isinstance(reply := await self._reply(host, call, deadline), wire.Read):
            yield reply.inbound
        _end_of_exchange(reply)

    async def acknowledge(self, reference: str) -> None:
        """Tell the partner that a collected message is safe; raises `CollectError`."""
        host = await self._host()
        if isinstance(host, HostBroken):
            raise CollectError(host.reason)
        deadline = self._deadline()
        call = host.call(lambda number: wire.Acknowledge(number, reference, deadline))
        _end_of_exchange(await self._reply(host, call, deadline))

    async def close(self) -> None:
        """End the host, if one runs or is just starting; the next call would start another."""
        if self._launch is not None:
            launched, self._launch = await self._launch, None
            self._current = launched if isinstance(launched, Incarnation) else None
        ending = self._current
        if ending is not None:
            await ending.close()
        if ending is not None and not ending.child.counted:  # two may close it at once: each waits, one counts
            ending.child.counted = True
            self._printed += ending.child.printed
        if self._current is ending:
            self._current = None

    async def _carry(self, verb: Literal["deliver", "reconcile"], parcel: Parcel) -> HostResult | HostDied | HostBroken:
        async with self._slots:
            while True:
                host = await self._host()
                if isinstance(host, HostBroken):
                    return self._without(host, verb)
                result = await self._ask_about(host, verb, parcel)
                if not (isinstance(result, HostDied) and result.why == "idle"):
                    return result

    async def _ask_about(
        self, host: Incarnation, verb: Literal["deliver", "reconcile"], parcel: Parcel
    ) -> HostResult | HostDied:
        try:
            call = host.call(partial(_carry_frame, verb, parcel), parcel.token)
        except wire.FrameError:
            return HostResult(RetryLater("parcel-too-large"), started=False)
        result = _result(call, await self._reply(host, call, parcel.deadline))
        return result or HostDied(call.started, "idle")

    async def _reply(self, host: Incarnation, call: Call, deadline: float) -> wire.Reply | HostDied:
        try:
            async with asyncio.timeout(max(deadline - time.time(), 0) + self._grace):
                return await call.replies.get()
        except TimeoutError:
            host.kill("deadline")
            return await call.replies.get()

    def _deadline(self) -> float:
        return time.time() + self._configure.deadline_seconds

    async def _host(self) -> Incarnation | HostBroken:
        async with self._starting:
            if self._current is None or not self._current.usable:
                # Shielded: a caller may go away while it starts; the next one, or `close`, then takes it over.
                self._launch = self._launch or asyncio.create_task(self._start())
                started, self._launch = await asyncio.shield(self._launch), None
                if isinstance(started, HostBroken):
                    return started
                self._current = started
            return self._current

    def _without(self, broken: HostBroken, verb: Literal["deliver", "reconcile", "check"]) -> HostResult | HostBroken:
        """Say what becomes of a call that no host took; a doubt stays one, since nobody was asked."""
        if not broken.for_now:
            return broken
        later = RetryLater(_NOT_NOW, after=self._pause, counts=False)
        return HostResult(InDoubt(_NOT_NOW) if verb == "reconcile" else later, started=False)

    async def _start(self) -> Incarnation | HostBroken:
        if time.monotonic() < self._not_before:
            return HostBroken(_NOT_NOW, for_now=True)
        for _ in range(_STARTS):
            started = await self._start_once()
            if started is not None:
                return started
        return self._cannot_now("did-not-start")

    async def _start_once(self) -> Incarnation | HostBroken | None:
        """Start a host; None when it was gone before it said anything, which says nothing of its connector."""
        try:
            if start_up_code(site_folders()):  # it may have come since the hub started
                return self._cannot("foreign-code")
            child = await spawn(self._configure, self._run_as)
        except OSError as error:
            return self._cannot_now("cannot-start") if error.errno in _SHORT else self._cannot("cannot-start")
        late = False
        try:
            async with asyncio.timeout(self._start_seconds):
                frame = await wire.read(child.reader)
        except (TimeoutError, wire.FrameError) as error:
            frame, late = None, isinstance(error, TimeoutError)
            child.kill()
        if isinstance(frame, wire.Ready):
            self._pauses = 0
            held = {"held": frame.isolation, "measures": frame.measures}
            log.info("host.started", connection=self._configure.connection, pid=child.process.pid, **held)
            return Incarnation(child, frame, self._on_started, self._log_death)
        await child.gone()
        if isinstance(frame, wire.Broken):
            return self._cannot(wire.clean_reason(frame.reason))
        return self._cannot_now("did-not-start") if late else None

    def _cannot_now(self, reason: str) -> HostBroken:
        self._pauses += 1
        if self._pauses > _PAUSES:
            self._pauses = 0  # whoever resumes the connection gets the same patience
            return self._cannot(reason)
        self._not_before = time.monotonic() + self._pause
        log.warning("host.not_started", connection=self._configure.connection, reason=reason, pauses=self._pauses)
        return HostBroken(_NOT_NOW, for_now=True)

    def _cannot(self, reason: str) -> HostBroken:
        log.error("host.broken", connection=self._configure.connection, reason=reason)
        return HostBroken(reason)

    def _log_death(self, in_flight: int, printed: int, why: Why) -> None:
        log.error("host.died", connection=self._configure.connection, why=why, in_flight=in_flight, printed=printed)


def _carry_frame(verb: Literal["deliver", "reconcile"], parcel: Parcel, number: int) -> wire.Carry:
    return wire.Carry.of(number, verb, parcel)


def _result(call: Call, reply: wire.Reply | HostDied) -> HostResult | HostDied | None:
    """Return what a reply means to the caller; None when the host went idle before it began, so: ask again."""
    if isinstance(reply, wire.Settled):
        return HostResult(reply.outcome, call.started)
    if isinstance(reply, HostDied):
        return None if reply.why == "idle" and not reply.started else reply
    return HostDied(call.started, "protocol")


def _end_of_exchange(reply: wire.Reply | HostDied) -> None:
    match reply:
        case wire.Done():
            return
        case wire.Failed(code=code):
            raise CollectError(wire.clean_reason(code))
        case _:
            raise CollectError("host-died")
