"""The writer: one thread, one connection, one commit for many commands; a promise is kept only after its commit."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from hub.domain.errors import HubError, Unavailable
from hub.store.transaction import Nudges, StoreTransaction
from hub.store.trouble import STORE_UNAVAILABLE, may_keep_nothing, may_pass

T = TypeVar("T")
R = TypeVar("R")
Verb = Callable[[StoreTransaction, Sequence[Any]], Sequence[Any]]

log = structlog.get_logger(__name__)

_BATCH = 256
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Command:
    verb: Verb
    item: Any
    future: Future[Any]
    waiter: asyncio.Future[Any] | None = None  #: who awaits it, on a loop of their own


def _wake(commands: Sequence[_Command]) -> None:
    """On the waiters' loop: pass on what became of their commands."""
    for command in commands:
        waiter = command.waiter
        if waiter is None or waiter.done():
            continue
        if (error := command.future.exception()) is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(command.future.result())


class Writer:
    """Runs verbs over items. Items of one verb that wait together are handed to it together.

    A verb must be re-runnable: it is run again when the database asks for it, and alone when its batch failed. While
    the database can keep nothing (full, read-only, away) commands fail with `Unavailable`, and the next tries anew.
    `on_commit` is told, after each commit, what became due.
    """

    def __init__(self, engine: Engine, on_commit: Callable[[Nudges], None] = lambda _: None) -> None:
        self._engine = engine
        self.on_commit = on_commit
        self._queue: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
        self._connection: Connection | None = None
        self._closed = False
        self._closing = threading.Lock()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._closing:  # nothing is queued behind the end, where its future would never resolve
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def submit(self, verb: Callable[[Any, Sequence[T]], Sequence[R]], item: T) -> Future[R]:
        """Queue one item for a verb; the future resolves after the commit, or fails with why nothing was kept."""
        command = _Command(verb, item, Future())
        self._put(command)
        return command.future

    def _put(self, command: _Command) -> None:
        with self._closing:
            if not self._closed:
                self._queue.put(command)
                return
        command.future.set_exception(RuntimeError("the writer is closed"))
        if command.waiter is not None:
            _wake([command])

    async def run(self, verb: Callable[[Any, Sequence[T]], Sequence[R | HubError]], item: T) -> R:
        """Queue one item and wait for its commit; raises a `HubError` that the verb returned, or `Unavailable`."""
        command = _Command(verb, item, Future(), asyncio.get_running_loop().create_future())
        assert command.waiter is not None
        self._put(command)
        try:
            result: R | HubError = await command.waiter
        except asyncio.CancelledError:
            command.future.cancel()  # kept from being begun; what has begun is finished
            raise
        if isinstance(result, HubError):
            raise result
        return result

    def _loop(self) -> None:
        while (batch := self._gather()) is not None:
            # From here a caller that goes away can no longer cancel its command: it is kept, or fails, as a whole.
            wanted = [command for command in batch if command.future.set_running_or_notify_cancel()]
            if wanted:
                self._commit(wanted)
                self._wake_all(wanted)
        self._disconnect()

    def _wake_all(self, batch: Sequence[_Command]) -> None:
        """Tell each loop once of all its waiters' commands: a wake-up costs more than what it tells."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Command]] = {}
        for command in batch:
            if command.waiter is not None:
                by_loop.setdefault(command.waiter.get_loop(), []).append(command)
        for loop, commands in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed, and its waiters with it
                loop.call_soon_threadsafe(_wake, commands)

    def _gather(self) -> list[_Command] | None:
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < _BATCH:
            try:
                command = self._queue.get_nowait()
            except queue.Empty:
                break
            if command is None:
                self._queue.put(None)
                break
            batch.append(command)
        return batch

    def _commit(self, batch: list[_Command]) -> None:
        try:
            results, nudges = self._attempt(batch)
        except Exception as error:  # noqa: BLE001 - the boundary of the writer: a poisoned item must fail alone
            if isinstance(error, DBAPIError) and may_keep_nothing(error):
                self._refuse(batch, error)
            elif len(batch) == 1:
                log.error("writer.command_failed", verb=_name(batch[0].verb), error=type(error).__name__)
                batch[0].future.set_exception(error)
            else:
                for command in batch:
                    self._commit([command])
            return
        for command, result in zip(batch, results, strict=True):
            command.future.set_result(result)
        self._tell(nudges)

    def _refuse(self, batch: list[_Command], error: DBAPIError) -> None:
        """Nothing can be kept: all of the batch is told so at once, and the next one gets a fresh connection."""
        log.error("writer.store_unavailable", count=len(batch), error=type(error.orig).__name__)
        self._disconnect()
        for command in batch:
            refused = Unavailable(STORE_UNAVAILABLE)
            refused.__cause__ = error
            command.future.set_exception(refused)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _tell(self, nudges: Nudges) -> None:
        try:
            self.on_commit(nudges)
        except Exception as error:  # noqa: BLE001 - the writer's boundary: a lost nudge costs time, a dead writer everything
            log.error("writer.nudge_failed", error=type(error).__name__)

    def _attempt(self, batch: list[_Command]) -> tuple[list[Any], Nudges]:
        for attempt in range(1, _TRIES + 1):
            try:
                return _run(self._connected(), batch)
            except DBAPIError as error:
                if attempt == _TRIES or not may_pass(error):
                    raise
        raise AssertionError("unreachable")


def _run(connection: Connection, batch: list[_Command]) -> tuple[list[Any], Nudges]:
    with connection.begin():
        tx = StoreTransaction(connection)
        results: list[Any] = []
        start = 0
        while start < len(batch):
            end = start + 1
            while end < len(batch) and batch[end].verb == batch[start].verb:
                end += 1
            results.extend(batch[start].verb(tx, [command.item for command in batch[start:end]]))
            start = end
    return results, tx.nudges


def _name(verb: Verb) -> str:
    return str(getattr(getattr(verb, "func", verb), "__name__", "verb"))
