"""A long random walk over the real services and a real database, with a clock of its own: what must hold, holds.

Every accepted delivery is always in exactly one state; states move along the table of moves alone, as the audit tells
it; nothing is claimed without living consent; nothing is lost; no alert is raised twice.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, event, select

from hub.domain.answer import Answer, AnswerState, Level
from hub.domain.delivery import ENDED, MOVES, OPEN, DeliveryEvent, DeliveryState
from hub.domain.outcome import Delivered, Halt, InDoubt, Rejected, RetryLater
from hub.domain.retry import NEVER
from hub.sdk.connector import Inbound
from hub.services.claim import Claimed
from hub.services.receive import Message
from hub.services.respond import Response
from hub.services.settle import Died, Settlement
from hub.services.settle_doubt import DoubtSettled, settle_doubt
from hub.services.submit import Acceptance
from hub.services.sweep import Sweep, sweep
from hub.services.watch import Watch
from hub.services.withdraw import Withdrawn, withdraw
from hub.store import tables
from hub.store.engine import open_engine, sqlite_url
from tests.databases import copied
from tests.scenery import CONNECTION, HOUSING, NOW, TREATMENT, Scene, Store

S, E = DeliveryState, DeliveryEvent

OUTCOMES = st.sampled_from(
    [
        Delivered("ref"),
        Delivered("ref", Level.L2, (Answer(AnswerState.ACCEPTED, owner="Jo"),)),
        RetryLater("busy"),
        RetryLater("busy", after=30.0, counts=False),
        Rejected("no"),
        Halt("unauthorised"),
        InDoubt("no-reply"),
        Died(started=False),
        Died(started=True),
    ]
)
ANSWERS = st.sampled_from(AnswerState).map(lambda state: Answer(state, owner="Jo", reason="r"))
SERVICES = st.sampled_from([HOUSING, TREATMENT])
SPANS = st.sampled_from([timedelta(seconds=1), timedelta(minutes=2), timedelta(hours=5), timedelta(days=3)])

#: What the audit says happened, and the events of the table that it can stand for.
TOLD: dict[str, frozenset[DeliveryEvent]] = {
    "delivery.claimed": frozenset({E.CLAIMED}),
    "delivery.cancelled": frozenset({E.WITHDRAWN}),
    "delivery.lease_expired": frozenset({E.DOUBTED}),
    "delivery.proved": frozenset({E.ANSWERED}),
    "doubt.settled": frozenset({E.FOUND, E.NOT_FOUND}),
    "delivery.settled": frozenset(
        {E.TOOK, E.RETRY_LATER, E.GAVE_UP, E.HALTED, E.DOUBTED, E.UNSTARTED, E.FOUND, E.NOT_FOUND}
    ),
}


def fast(engine: Engine) -> None:
    """Power cuts are not part of this walk."""

    @event.listens_for(engine, "connect")
    def _hurry(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")


@dataclass
class Place:
    """Where every walk starts: the scene, and a migrated file to copy."""

    scene: Scene
    migrated: Path


class Walk(RuleBasedStateMachine):
    """The hub's services in any order that the world may call them in."""

    place: Place

    def __init__(self) -> None:
        """Open an empty store."""
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="walk"))
        engine = open_engine(sqlite_url(copied(self.place.migrated, self.folder)))
        fast(engine)
        self.store, self.scene = Store(engine), self.place.scene
        self.now = NOW
        self.shares: list[Acceptance] = []
        self.in_flight: list[Claimed] = []
        self.told: dict[str, DeliveryState] = {}
        self.heard = 0  # audit events read so far
        self.messages = 0

    def teardown(self) -> None:
        """See that whatever is still open can go on, then close."""
        try:
            self._nothing_is_stuck()
        finally:
            self.store.engine.dispose()
            shutil.rmtree(self.folder)

    # What may happen

    @initialize()
    def submit_one(self) -> None:
        self.submit()

    @rule()
    def submit(self) -> None:
        self.shares.append(self.store.accept(self.scene.acceptance(f"key-{len(self.shares)}")))

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule(service=SERVICES, limit=st.integers(1, 3), asks_only=st.booleans())
    def claim(self, service: str, limit: int, asks_only: bool) -> None:
        alive = self._alive(self.now)
        claimed = self.store.claim(service, limit=limit, wall=self.now, business=self.now, asks_only=asks_only)
        assert len(claimed) <= limit
        for each in claimed:
            row = self.store.only("deliveries", id=each.delivery_id)
            assert row["connection_id"] == CONNECTION[service]
            assert row["consent_id"] in alive or (each.in_doubt and asks_only)
        self.in_flight += claimed

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), outcome=OUTCOMES, rand=st.floats(0, 0.99), forget=st.booleans())
    def settle(self, data: st.DataObject, outcome: Any, rand: float, forget: bool) -> None:
        claimed = data.draw(st.sampled_from(self.in_flight))
        if forget:  # otherwise it may be reported again, which must then change nothing
            self.in_flight.remove(claimed)
        before = self.store.only("deliveries", id=claimed.delivery_id)
        item = Settlement(claimed.delivery_id, claimed.attempt, outcome, self.now, self.now, rand)
        applied = self.store.one(self.scene.settle, item)
        assert applied == (before["attempt"] == claimed.attempt and before["lease_until"] is not None)
        if not applied:
            assert self.store.only("deliveries", id=claimed.delivery_id) == before

    @rule(data=st.data(), answers=st.lists(ANSWERS, max_size=2), named=st.booleans())
    def answer(self, data: st.DataObject, answers: list[Answer], named: bool) -> None:
        row = data.draw(st.sampled_from(self.store.all("deliveries")))
        self.messages += 1
        name = self.scene.vault.digest("message", str(self.messages))
        assert self.store.one(self.scene.receive, Message(row["connection_id"], name, b"x", (), self.now)) is True
        inbox = self.store.only("inbox", message_id=name)
        inbound = Inbound(name, row["key"] if named else "ref", Level.L2, tuple(answers))
        response = Response(inbox["id"], row["connection_id"], inbound, self.now, self.now)
        assert self.store.one(self.scene.respond, response) or not named

    @rule(data=st.data(), services=st.sampled_from([(), (HOUSING,), (TREATMENT,)]))
    def withdraw(self, data: st.DataObject, services: tuple[str, ...]) -> None:
        share = data.draw(st.sampled_from(self.shares))
        before = {row["service_id"]: row for row in self.store.all("deliveries", share_id=share.plan.ids.share)}
        done = self.store.one(withdraw, self.scene.withdrawal(share.plan.ids.record, *services, wall=self.now))
        assert isinstance(done, Withdrawn)
        told = [*done.stopped, *done.tried, *done.served]
        assert sorted(told) == sorted(services or before)
        for name in done.stopped:
            assert before[name]["attempt"] == 0

    @precondition(lambda self: self.store.all("deliveries", state="in_doubt"))
    @rule(data=st.data(), arrived=st.booleans())
    def settle_by_hand(self, data: st.DataObject, arrived: bool) -> None:
        row = data.draw(st.sampled_from(self.store.all("deliveries", state="in_doubt")))
        item = DoubtSettled(row["id"], arrived, "cli", "asked-the-service", self.now, self.now)
        assert self.store.one(settle_doubt, item) is (S.DELIVERED if arrived else S.RETRYING)

    @rule()
    def sweep(self) -> None:
        self.store.one(sweep, Sweep(self.now, self.now))
        again = self.store.one(sweep, Sweep(self.now, self.now))
        assert (again.doubted, again.cancelled, again.expired, again.resumed) == (0, 0, 0, 0)

    @rule(times=st.integers(1, 2))
    def watch(self, times: int) -> None:
        self.store.run(self.scene.watch, *[Watch(self.now, self.now)] * times)

    @rule()
    def mend(self) -> None:
        self.store.run(_resume, *CONNECTION.values())

    # What must hold

    @invariant()
    def every_delivery_is_in_one_state_that_the_audit_explains(self) -> None:
        rows = self.store.all("deliveries")
        assert {row["id"] for row in rows} == {each.delivery_id for share in self.shares for each in share.plan.parcels}
        for happened in self._new_events():
            self._follow(happened)
        for row in rows:
            self._settle_on(row["id"], DeliveryState(row["state"]))

    @invariant()
    def alerts_are_unique(self) -> None:
        raised = [(row["delivery_id"], row["level"]) for row in self.store.all("alerts")]
        assert len(raised) == len(set(raised))

    @invariant()
    def only_what_is_being_sent_or_asked_about_has_a_lease(self) -> None:
        for row in self.store.all("deliveries"):
            state = DeliveryState(row["state"])
            assert (row["lease_until"] is not None) == (state is S.SENDING) or state is S.IN_DOUBT

    @invariant()
    def a_clock_runs_only_while_something_is_owed(self) -> None:
        with self.store.engine.connect() as connection:
            clocks, deliveries = tables.clocks, tables.deliveries
            running = (
                select(deliveries.c.state)
                .join(clocks, clocks.c.delivery_id == deliveries.c.id)
                .where(clocks.c.state == "running")
            )
            assert S.CANCELLED not in set(connection.scalars(running))

    def _new_events(self) -> Iterator[dict[str, Any]]:
        events = self.store.all("audit_events")
        yield from events[self.heard :]
        self.heard = len(events)

    def _follow(self, happened: dict[str, Any]) -> None:
        """Move one delivery as the audit says it moved; the table must know such a move."""
        delivery_id, action = happened["delivery_id"], happened["action"]
        if action == "delivery.accepted":
            assert delivery_id not in self.told
            self.told[delivery_id] = S.QUEUED
        if action not in TOLD:
            return
        before = self.told[delivery_id]
        after = {MOVES[before, each] for each in TOLD[action] if (before, each) in MOVES}
        if action in {"delivery.settled", "doubt.settled"}:
            after = (after | {S.IN_DOUBT} if before is S.IN_DOUBT else after) & {
                DeliveryState(happened["detail"]["state"])
            }
        if action == "delivery.lease_expired" and before is S.IN_DOUBT:
            after = {S.IN_DOUBT}
        assert len(after) == 1, f"no move from {before} on {action}"
        (self.told[delivery_id],) = after

    def _settle_on(self, delivery_id: str, state: DeliveryState) -> None:
        told = self.told[delivery_id]
        # That a share was accepted on hold, and when the hold ended, is told of the connection alone.
        if {told, state} == {S.QUEUED, S.HELD}:
            told = self.told[delivery_id] = state
        assert told is state, f"the audit says {told}, the row {state}"

    def _alive(self, now: datetime) -> set[str]:
        return {row["id"] for row in self.store.all("consents") if row["state"] == "given" and row["ends_at"] > now}

    def _nothing_is_stuck(self) -> None:
        """Mend everything, let time pass, and take whatever is offered: each open delivery must come to an end."""
        self.store.run(_resume, *CONNECTION.values())
        for _ in range(40):
            self.now += timedelta(hours=5)
            self.store.one(sweep, Sweep(self.now, self.now))
            for service in CONNECTION:
                for each in self.store.claim(service, limit=50, wall=self.now, business=self.now, asks_only=True):
                    item = Settlement(each.delivery_id, each.attempt, Delivered(each.key), self.now, self.now, 0.5)
                    assert self.store.one(self.scene.settle, item)
            # What nobody asks about any more is the operator's, who was told.
            for row in self.store.all("deliveries", state="in_doubt", due_at=NEVER):
                assert self.store.only("notices", topic="in_doubt", delivery_id=row["id"])["recipient"] == "operator"
                by_hand = DoubtSettled(row["id"], True, "cli", "asked-the-service", self.now, self.now)
                assert self.store.one(settle_doubt, by_hand) is S.DELIVERED
            states = {DeliveryState(row["state"]) for row in self.store.all("deliveries")}
            if states <= ENDED:
                return
        raise AssertionError(f"still open: {states & OPEN}")


def _resume(tx: Any, connections: list[str]) -> list[list[str]]:
    return [tx.resume(each) for each in connections]


def test_the_services_keep_their_promises_in_any_order(scene: Scene, migrated: Path) -> None:
    class Here(Walk):
        place = Place(scene, migrated)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            # Without the phase that explains: it traces every line, which takes many times as long.
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("event_", sorted(DeliveryEvent))
def test_the_audit_has_a_word_for_every_move(event_: DeliveryEvent) -> None:
    untold = {E.ACCEPTED, E.ACCEPTED_ON_HOLD, E.RESUMED}  # told of the share, and of the connection
    assert event_ in untold or any(event_ in events for events in TOLD.values())
