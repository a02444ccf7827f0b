"""Step several transactions against each other, one statement at a time, in an order that a seed decides.

Each actor is a thread with a connection of its own. Before every statement, begin and commit it stops and asks; the
scheduler lets exactly one go on. Where the database makes an actor wait for a lock, the others go on without it: SQLite
says so at once, and PostgreSQL is asked, so that what is slow is never taken for what waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from random import Random
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from hub.store.engine import open_engine
from hub.store.transaction import StoreTransaction

#: An actor that is silent for so many seconds while nobody else can move has found a defect of the scheduler or a hang.
_HUNG = 20.0
_SQLITE_BUSY, _DEADLOCK = 5, "40P01"
#: Seconds; what takes longer is looked at.
_GLANCE = 0.005
_WAITS = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted LIMIT 1"

_acting = threading.local()


class Hung(Exception):
    """Nobody can move: the actors wait for each other and the database does not see it."""


@dataclass(eq=False, slots=True)
class Actor:
    """One session with the database, for many races; `log` is everybody's in a race, in the order of their commits."""

    name: str
    session: Connection
    arrivals: SimpleQueue[Actor]
    log: list[tuple[str, Any, Any]] = field(default_factory=list)
    scripts: SimpleQueue[Callable[[Actor], None] | None] = field(default_factory=SimpleQueue)
    go: SimpleQueue[None] = field(default_factory=SimpleQueue)
    at: str = "start"  #: where it stopped: start, statement, commit, busy or over
    failure: BaseException | None = None
    deadlocks: int = 0

    def stop_at(self, point: str) -> None:
        """Tell the scheduler where this thread stands and wait to be let on."""
        self.at = point
        self.arrivals.put(self)
        self.go.get()

    def commit(self, verb: Callable[[Any, list[Any]], Any], *items: Any) -> list[Any]:
        """Run a verb over items in one transaction, again when the database asks for it; log each once committed."""
        while True:
            try:
                with self.session.begin():
                    results = list(verb(StoreTransaction(self.session), list(items)))
            except DBAPIError as error:
                if getattr(error.orig, "sqlite_errorcode", None) == _SQLITE_BUSY:
                    self.stop_at("busy")
                elif getattr(error.orig, "sqlstate", None) == _DEADLOCK:
                    self.deadlocks += 1
                else:
                    raise
            else:
                name = getattr(getattr(verb, "func", verb), "__name__", "?")
                self.log += [(name, item, result) for item, result in zip(items, results, strict=True)]
                return results


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
class Locks:
    """Asks PostgreSQL, over a session that takes no part, whether another waits for a lock; SQLite never makes one."""

    session: Connection | None

    def hold(self, actor: Actor) -> bool:
        """Tell whether an actor's statement waits for a lock that another session has."""
        if self.session is None:
            return False
        cursor = self.session.connection.cursor()
        pid = actor.session.connection.driver_connection.info.backend_pid
        return cursor.execute(_WAITS, (pid,), prepare=True).fetchone() is not None


class Interleaving:
    """Runs scripts against each other, race after race, over the same sessions."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        """Open a session for each actor, and one that watches them."""
        self.arrivals: SimpleQueue[Actor] = SimpleQueue()
        self.actors = {name: Actor(name, engine.connect(), self.arrivals) for name, engine in engines.items()}
        self.steps = 0
        self.waits = 0  #: how often an actor was made to wait for another, by a busy file or a lock
        for actor in self.actors.values():
            threading.Thread(target=_live, args=(actor,), daemon=True).start()
        some = next(iter(engines.values()))
        watching = open_engine(some.url.render_as_string(hide_password=False), pool_size=1)
        self._locks = Locks(watching.connect() if some.dialect.name == "postgresql" else None)
        self._engines = (*engines.values(), watching)

    @property
    def deadlocks(self) -> int:
        """Return how often PostgreSQL ended a transaction because sessions waited for each other."""
        return sum(actor.deadlocks for actor in self.actors.values())

    def close(self) -> None:
        """End every session."""
        for actor in self.actors.values():
            actor.scripts.put(None)
        for session in (*(actor.session for actor in self.actors.values()), self._locks.session):
            if session is not None:
                session.close()
        for engine in self._engines:
            engine.dispose()

    def run(self, scripts: Mapping[str, Callable[[Actor], None]], random: Random) -> list[tuple[str, Any, Any]]:
        """Run every script to its end and return what was committed, in order; a script's exception is raised."""
        log: list[tuple[str, Any, Any]] = []
        actors = [self.actors[name] for name in scripts]
        for actor in actors:
            actor.log, actor.failure = log, None
            actor.scripts.put(scripts[actor.name])
        waiting = {self.arrivals.get(timeout=_HUNG) for _ in actors}
        self._schedule(actors, waiting, random)
        for actor in actors:
            if actor.failure is not None:
                raise actor.failure
        return log

    def _schedule(self, actors: list[Actor], waiting: set[Actor], random: Random) -> None:
        busy: set[Actor] = set()
        held: set[Actor] = set()
        over: set[Actor] = set()
        while True:
            over |= {actor for actor in waiting if actor.at == "over"}
            waiting -= over
            if len(over) == len(actors):
                return
            ready = [actor for actor in actors if actor in waiting and actor not in busy]
            if not ready:
                if busy:
                    busy.clear()
                else:  # all wait for locks: the database ends one of them
                    self._until(held, waiting, patience=_HUNG)
                continue
            actor = random.choice(ready)
            waiting.discard(actor)
            before, self.steps = actor.at, self.steps + 1
            actor.go.put(None)
            if self._settle(actor, waiting):
                self.waits += 1
                held.add(actor)
            elif actor.at == "busy":
                self.waits += 1
                busy.add(actor)
            if before == "commit":
                busy.clear()
            # What a commit, or a statement that failed, has let go is let run until it stops or waits again.
            held = {each for each in held if each not in waiting and self._settle(each, waiting)}

    def _settle(self, actor: Actor, waiting: set[Actor]) -> bool:
        """Wait until an actor has stopped, or waits for a lock; tell whether it waits."""
        limit = monotonic() + _HUNG
        while actor not in waiting:
            if not _take(self.arrivals, waiting, _GLANCE) and self._locks.hold(actor):
                # It may have got on between the glance and the answer.
                return not (_take(self.arrivals, waiting, 0) and actor in waiting)
            if monotonic() > limit:
                raise Hung(actor.name)
        return False

    def _until(self, held: set[Actor], waiting: set[Actor], patience: float) -> None:
        if not _take(self.arrivals, waiting, patience):
            raise Hung([actor.name for actor in held])


def _take(arrivals: SimpleQueue[Actor], waiting: set[Actor], seconds: float) -> bool:
    try:
        waiting.add(arrivals.get(timeout=seconds) if seconds else arrivals.get_nowait())
    except Empty:
        return False
    return True


def _live(actor: Actor) -> None:
    _acting.actor = actor
    while (script := actor.scripts.get()) is not None:
        try:
            actor.stop_at("start")
            script(actor)
        except BaseException as failure:  # noqa: BLE001 - handed to the thread that runs the test
            actor.failure = failure
        actor.at = "over"
        actor.arrivals.put(actor)
