"""Step several transactions against each other, one statement at a time, in an order that a seed decides.

Each actor is a thread with a connection of its own. Before every statement, begin and commit it stops and asks; the
scheduler lets exactly one go on. Where the database makes an actor wait for a lock, the others go on without it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from random import Random
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from hub.store.engine import open_engine
from hub.store.transaction import StoreTransaction

#: An actor that is silent for so many seconds while nobody else can move has found a defect of the scheduler or a hang.
_HUNG = 20.0
_SQLITE_BUSY, _DEADLOCK = 5, "40P01"

_acting = threading.local()


class Hung(Exception):
    """Nobody can move: the actors wait for each other and the database does not see it."""


@dataclass(eq=False, slots=True)
class Actor:
    """One thread with its own engine; `log` is everybody's, in the order of their commits."""

    name: str
    engine: Engine
    log: list[tuple[str, Any, Any]]
    arrivals: SimpleQueue[Actor]
    go: SimpleQueue[None] = field(default_factory=SimpleQueue)
    at: str = "start"  #: where it stopped: start, statement, commit, busy or over
    failure: BaseException | None = None
    deadlocks: int = 0

    def stop_at(self, point: str) -> None:
        """Tell the scheduler where this thread stands and wait to be let on."""
        self.at = point
        self.arrivals.put(self)
        self.go.get()

    def commit(self, verb: Callable[[Any, list[Any]], Any], item: Any) -> Any:
        """Run a verb over one item in a transaction, again when the database asks for it, and log it once committed."""
        while True:
            try:
                with self.engine.connect() as connection, connection.begin():
                    result = verb(StoreTransaction(connection), [item])[0]
            except DBAPIError as error:
                if getattr(error.orig, "sqlite_errorcode", None) == _SQLITE_BUSY:
                    self.stop_at("busy")
                elif getattr(error.orig, "sqlstate", None) == _DEADLOCK:
                    self.deadlocks += 1
                else:
                    raise
            else:
                self.log.append((getattr(getattr(verb, "func", verb), "__name__", "?"), item, result))
                return result


def stepped_engine(url: str) -> Engine:
    """Return an engine whose every statement and commit waits for the scheduler, in threads that are actors."""
    engine = open_engine(url, busy_ms=0, pool_size=1)

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(*_: Any) -> None:
        _stop("statement")

    @event.listens_for(engine, "commit")
    def _commit(_: Any) -> None:
        _stop("commit")

    # Power cuts are not raced here; without waiting for the disk there are many more races a second.
    hurried = {
        "sqlite": "PRAGMA synchronous=OFF",
        "postgresql": "SET synchronous_commit=off; SET deadlock_timeout='50ms'",
    }[engine.dialect.name]

    @event.listens_for(engine, "connect")
    def _hurry(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(hurried)
        cursor.close()
        connection.commit()

    return engine


def _stop(point: str) -> None:
    actor: Actor | None = getattr(_acting, "actor", None)
    if actor is not None:
        actor.stop_at(point)


@dataclass(slots=True)
class Interleaving:
    """Runs scripts against each other; a statement that takes longer than `patience` is taken to wait for a lock."""

    engines: Mapping[str, Engine]
    patience: float
    steps: int = 0
    waits: int = 0  #: how often an actor was made to wait for another, by a busy file or a lock
    deadlocks: int = 0

    def run(self, scripts: Mapping[str, Callable[[Actor], None]], random: Random) -> list[tuple[str, Any, Any]]:
        """Run every script to its end and return what was committed, in order; a script's exception is raised."""
        log: list[tuple[str, Any, Any]] = []
        arrivals: SimpleQueue[Actor] = SimpleQueue()
        actors = [Actor(name, self.engines[name], log, arrivals) for name in scripts]
        threads = [threading.Thread(target=_perform, args=(each, scripts[each.name]), daemon=True) for each in actors]
        for thread in threads:
            thread.start()
        waiting = {arrivals.get(timeout=_HUNG) for _ in actors}
        self._schedule(actors, waiting, arrivals, random)
        for thread in threads:
            thread.join(_HUNG)
        self.deadlocks += sum(actor.deadlocks for actor in actors)
        for actor in actors:
            if actor.failure is not None:
                raise actor.failure
        return log

    def _schedule(self, actors: list[Actor], waiting: set[Actor], arrivals: SimpleQueue[Actor], random: Random) -> None:
        busy: set[Actor] = set()
        over: set[Actor] = set()
        while len(over) < len(actors):
            # What came back from a lock meanwhile may go on like any other.
            _take(arrivals, waiting, 0)
            over |= {actor for actor in waiting if actor.at == "over"}
            waiting -= over
            ready = [actor for actor in actors if actor in waiting and actor not in busy]
            if not ready:
                if busy:
                    busy.clear()
                elif len(over) < len(actors) and not _take(arrivals, waiting, _HUNG):
                    raise Hung([actor.name for actor in actors if actor not in over])
                continue
            actor = random.choice(ready)
            waiting.discard(actor)
            before, self.steps = actor.at, self.steps + 1
            actor.go.put(None)
            # A commit waits for no lock, and which of two commits was first is the whole question: wait for its end.
            patience = _HUNG if before == "commit" else self.patience
            while actor not in waiting and _take(arrivals, waiting, patience):
                pass
            if actor not in waiting:
                self.waits += 1
            elif actor.at == "busy":
                self.waits += 1
                busy.add(actor)
            elif before == "commit":
                busy.clear()


def _take(arrivals: SimpleQueue[Actor], waiting: set[Actor], seconds: float) -> bool:
    try:
        waiting.add(arrivals.get(timeout=seconds) if seconds else arrivals.get_nowait())
    except Empty:
        return False
    return True


def _perform(actor: Actor, script: Callable[[Actor], None]) -> None:
    _acting.actor = actor
    try:
        actor.stop_at("start")
        script(actor)
    except BaseException as failure:  # noqa: BLE001 - handed to the thread that runs the test
        actor.failure = failure
    actor.at = "over"
    actor.arrivals.put(actor)
