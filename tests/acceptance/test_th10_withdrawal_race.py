"""TH10, R12, R15: once a withdrawal is committed, no send begins; and what the person is told of it is true.

RACE_RUNS sets how many interleavings are stepped through on SQLite.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, select, update

from hub.domain.delivery import CLAIMABLE, DeliveryState
from hub.domain.errors import NotFound
from hub.domain.outcome import Delivered, InDoubt, Rejected, RetryLater
from hub.services.claim import Claim, Claimed, _claimed, claim
from hub.services.settle import Died
from hub.services.submit import Acceptance, accept
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import Withdrawn, withdraw
from hub.store import statements, tables
from hub.store.engine import sqlite_url
from hub.store.transaction import StoreTransaction
from tests.acceptance.interleaving import Actor, Interleaving, stepped_engine
from tests.databases import copied, migrated_file, postgres_database
from tests.scenery import HOUSING, NOW, TREATMENT, Scene, claim_of, settlement

pytestmark = pytest.mark.race

RUNS = int(os.environ.get("RACE_RUNS", "2000"))
#: So many tests share the runs, for as many workers as there may be.
CHUNKS = 4
POSTGRES_RUNS = 300
#: A claim without locks is found out in so many races.
CAUGHT_WITHIN = 200
ACTORS = ("submit", "courier-1", "courier-2", "withdraw", "sweep")
_OUTCOMES = (Delivered("r"), RetryLater("busy", after=1), InDoubt("no-reply"), Rejected("no"), Died(False), Died(True))

Log = list[tuple[str, Any, Any]]
Claiming = Callable[[Actor, Claim], list[Claimed]]


def carefully(actor: Actor, asked: Claim) -> list[Claimed]:
    """Claim as the hub does."""
    claimed: list[Claimed] = actor.commit(claim, asked)
    return claimed


@dataclass(slots=True)
class Race:
    """One database, the actors' engines, and the shares that every run starts from."""

    scene: Scene
    keeper: Engine
    stepped: Interleaving
    before: Acceptance
    during: Acceptance

    @classmethod
    def on(cls, url: str, scene: Scene, patience: float) -> Race:
        """Return a race on a migrated database."""
        engines = {name: stepped_engine(url) for name in ACTORS}
        shares = scene.acceptance("before"), scene.acceptance("during", services=[HOUSING])
        return cls(scene, stepped_engine(url), Interleaving(engines, patience), *shares)

    def close(self) -> None:
        """Close every connection."""
        for engine in (self.keeper, *self.stepped.engines.values()):
            engine.dispose()

    def run(self, seed: int, claiming: Claiming = carefully) -> tuple[Log, dict[str, DeliveryState]]:
        """Race a share, and one that arrives meanwhile; return the commits in order and where deliveries ended."""
        random = Random(seed)
        self._empty()
        self._alone(accept, self.before)
        log: Log = [("accept", self.before, self.before)]
        log += self.stepped.run(self._scripts(random, claiming), random)
        self._alone(sweep, Sweep(NOW, NOW))
        with self.keeper.connect() as connection:
            rows = connection.execute(select(tables.deliveries.c.id, tables.deliveries.c.state)).all()
        return log, {row.id: DeliveryState(row.state) for row in rows}

    def _scripts(self, random: Random, claiming: Claiming) -> dict[str, Callable[[Actor], None]]:
        # Drawn beforehand: which actor draws first must not depend on the order that the scheduler decides.
        draws = {name: Random(random.random()) for name in ACTORS}

        asks_only = random.random() < 0.5

        def courier(actor: Actor) -> None:
            draw = draws[actor.name]
            for hour in range(2):
                wall = NOW + timedelta(hours=hour)
                service = draw.choice((HOUSING, HOUSING, TREATMENT))
                asked = claim_of(service, limit=draw.randint(1, 2), wall=wall, asks_only=asks_only)
                for claimed in claiming(actor, asked):
                    actor.commit(self.scene.settle, settlement(claimed, draw.choice(_OUTCOMES), wall=wall))

        def withdrawer(actor: Actor) -> None:
            services = draws["withdraw"].choice(((), (), (HOUSING,)))
            actor.commit(withdraw, self.scene.withdrawal(self.before.plan.ids.record, *services))
            actor.commit(withdraw, self.scene.withdrawal(self.during.plan.ids.record))

        def sweeper(actor: Actor) -> None:
            wall = NOW + timedelta(minutes=draws["sweep"].choice((0, 5)))
            actor.commit(sweep, Sweep(wall, NOW))

        return {
            "submit": lambda actor: actor.commit(accept, self.during),
            "courier-1": courier,
            "courier-2": courier,
            "withdraw": withdrawer,
            "sweep": sweeper,
        }

    def _alone(self, verb: Any, item: Any) -> None:
        with self.keeper.begin() as connection:
            verb(StoreTransaction(connection), [item])

    def _empty(self) -> None:
        with self.keeper.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())


def late_sends(log: Log) -> list[str]:
    """Return the deliveries whose claim was committed after the withdrawal of the consent they went under.

    A parcel in doubt is only asked about, unless its connector asks by sending it again.
    """
    consented = {
        row["id"]: (item.plan.ids.record, row["service_id"])
        for verb, item, _ in log
        if verb == "accept"
        for row in item.rows["deliveries"]
    }
    ended: list[tuple[str, tuple[str, ...]]] = []
    late: list[str] = []
    for verb, item, result in log:
        if verb == "withdraw" and isinstance(result, Withdrawn):
            ended.append((item.record_id, item.services))
        elif "claim" in verb:
            for claimed in result:
                record, service = consented[claimed.delivery_id]
                asked = claimed.in_doubt and item.asks_only
                if not asked and any(record == of and (not s or service in s) for of, s in ended):
                    late.append(claimed.delivery_id)
    return late


def untruths(log: Log, ends: dict[str, DeliveryState]) -> list[str]:
    """Return what a withdrawal's reply said that the log of commits does not bear out; one delivery a service here."""
    services = {
        (item.plan.ids.record, row["service_id"]): row["id"]
        for verb, item, _ in log
        if verb == "accept"
        for row in item.rows["deliveries"]
    }
    sends = [
        (position, claimed.delivery_id)
        for position, (verb, _, result) in enumerate(log)
        if "claim" in verb
        for claimed in result
        if not claimed.in_doubt
    ]
    wrong: list[str] = []
    for position, (verb, item, result) in enumerate(log):
        if verb != "withdraw" or isinstance(result, NotFound):
            continue
        told = {name: kind for kind in ("stopped", "tried", "served") for name in getattr(result, kind)}
        asked = [name for record, name in services if record == item.record_id and name in (item.services or (name,))]
        if sorted(told) != sorted(asked) or sum(map(len, (result.stopped, result.tried, result.served))) != len(told):
            wrong.append(f"told of {sorted(told)}, asked of {sorted(asked)}")
        for name, kind in told.items():
            delivery_id = services[item.record_id, name]
            begun = [at for at, sent in sends if sent == delivery_id]
            if kind == "stopped" and (begun or ends[delivery_id] is not DeliveryState.CANCELLED):
                wrong.append(f"stopped, but claimed {len(begun)} times and {ends[delivery_id]}")
            if kind != "stopped" and not any(at < position for at in begun):
                wrong.append(f"{kind}, but never claimed before")
            if ends[delivery_id] in CLAIMABLE:
                wrong.append(f"{kind}, but still {ends[delivery_id]}")
    return wrong


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The partnership the race is run in."""
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory, scene: Scene) -> Iterator[Race]:
    """A race over connections to one SQLite file."""
    folder: Path = tmp_path_factory.mktemp("race")
    race = Race.on(sqlite_url(copied(migrated_file(folder), folder)), scene, patience=20.0)
    yield race
    race.close()


@pytest.fixture(scope="module")
def on_postgres(scene: Scene) -> Iterator[Race]:
    """A race over connections to one PostgreSQL database."""
    with postgres_database() as url:
        race = Race.on(url, scene, patience=0.02)
        yield race
        race.close()


def race_many(race: Race, seeds: range) -> None:
    """Run every seed; each must keep the promise and tell the truth, and between them they must meet every case."""
    kinds: set[str] = set()
    for seed in seeds:
        log, ends = race.run(seed)
        assert late_sends(log) == [], f"seed {seed}"
        assert untruths(log, ends) == [], f"seed {seed}"
        for _, _, result in log:
            if isinstance(result, Withdrawn):
                kinds |= {kind for kind in ("stopped", "tried", "served") if getattr(result, kind)}
            elif isinstance(result, NotFound):
                kinds.add("not there yet")
    # A race in which nobody ever met proves nothing.
    assert race.stepped.waits > 0
    assert len(seeds) < 50 or kinds == {"stopped", "tried", "served", "not there yet"}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_th10_no_send_begins_after_a_withdrawal_on_sqlite(on_sqlite: Race, chunk: int) -> None:
    race_many(on_sqlite, range(chunk, RUNS, CHUNKS))


@pytest.mark.parametrize("chunk", range(2))
def test_th10_no_send_begins_after_a_withdrawal_on_postgres(on_postgres: Race, chunk: int) -> None:
    race_many(on_postgres, range(chunk, POSTGRES_RUNS, 2))
    assert on_postgres.stepped.deadlocks == 0


def _look(tx: StoreTransaction, items: list[Claim]) -> list[list[Any]]:
    statement = statements.claim("sqlite", doubts=False)  # SQLite's has no row locks, on any database
    values = {"connection": items[0].connection_id, "limit": 2, "wall": items[0].wall, "business": items[0].business}
    return [list(tx._connection.execute(statement, values).mappings())]


@dataclass(frozen=True, slots=True)
class Careless:
    """What a careless claim saw, and sends without looking again."""

    asked: Claim
    found: list[Any]
    asks_only: bool = False


def _careless_claim(tx: StoreTransaction, items: list[Careless]) -> list[list[Claimed]]:
    (item,) = items
    for row in item.found:
        tx._connection.execute(_TAKE, {"b_id": row["id"]})
    return [[_claimed(row, item.asked.wall) for row in item.found]]


def careless(actor: Actor, asked: Claim) -> list[Claimed]:
    """Claim the broken way, on purpose: look at consent in one transaction, and send in the next."""
    found = actor.commit(_look, asked)
    claimed: list[Claimed] = actor.commit(_careless_claim, Careless(asked, found))
    return claimed


_TAKE = (
    update(tables.deliveries)
    .where(tables.deliveries.c.id == bindparam("b_id"))
    .values(
        state=DeliveryState.SENDING,
        attempt=tables.deliveries.c.attempt + 1,
        claimed_at=NOW,
        lease_until=NOW + timedelta(minutes=1),
    )
)


@pytest.mark.parametrize("database", ["on_sqlite", "on_postgres"])
def test_th10_the_scheduler_catches_a_claim_without_locks(database: str, request: pytest.FixtureRequest) -> None:
    # given: the same race, and a claim that nothing holds still
    race: Race = request.getfixturevalue(database)
    # when: it is raced until it is caught
    caught = next((seed for seed in range(CAUGHT_WITHIN) if late_sends(race.run(seed, careless)[0])), None)
    # then
    assert caught is not None, f"a broken claim passed {CAUGHT_WITHIN} races"
