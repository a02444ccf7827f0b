"""Killing a hub under load, again and again: nothing that was promised is lost, and nobody gets anything twice."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import books
from tests.chaos.load import Answerer, Sender, Sent, send_until_taken, share_for
from tests.chaos.town import HOUSING, TREATMENT, Town, alive, end, open_town, until

KILLS = int(os.environ.get("CHAOS_RUNS", "4"))
_STATES = "SELECT kind, state, count(*) AS n FROM deliveries GROUP BY 1, 2"
SENDERS, PAUSE = 3, 0.12
#: Business time moves here part-way: one working day later, when what nobody answered is due an alert.
MONDAY_EVENING = datetime(2026, 11, 23, 17, 0, 30, tzinfo=UTC)


@dataclass(slots=True)
class Toll:
    """What the killing did, for the line that is printed at the end."""

    seed: int
    kills: int = 0
    host_kills: int = 0
    #: Key -> the share kept for a request whose reply its sender never read.
    unanswered: dict[str, str] = field(default_factory=dict)
    slowest_start: float = 0.0


def receipts_of(senders: Sequence[Sender]) -> dict[str, dict[str, Any]]:
    return {key: receipt for sender in senders for key, receipt in list(sender.sent.receipts.items())}


def kill_and_restart(town: Town, senders: Sequence[Sender], toll: Toll, kind: str) -> None:
    hosts = town.kill(kind)
    # Whatever a sender has read a receipt for is in the files as the kill left them.
    promised = {books.digest(town, key): receipt["id"] for key, receipt in receipts_of(senders).items()}
    waiting = {books.digest(town, key): key for sender in senders if (key := sender.sent.outstanding)}
    kept = {row["key"]: row["share_id"] for row in town.rows_at_death(books.KEPT)}
    assert {key: share for key, share in promised.items() if kept.get(key) != share} == {}
    toll.unanswered |= {key: kept[name] for name, key in waiting.items() if name in kept}
    # A host ends with its hub, so that the next hub's leases are the only ones.
    until("the killed hub's hosts to end", lambda: not any(alive(pid) for pid in hosts), 5)
    begun = time.monotonic()
    town.hub.start()
    toll.slowest_start = max(toll.slowest_start, time.monotonic() - begun)
    toll.kills += 1


def kill_often(town: Town, senders: Sequence[Sender], toll: Toll) -> None:
    dice = random.Random(toll.seed)
    for number in range(KILLS):
        if number == KILLS // 2:
            town.move_time(MONDAY_EVENING)
        let_flow(town, dice)
        if (hosts := town.hosts()) and dice.random() < 0.4:
            end(dice.choice(hosts))
            toll.host_kills += 1
            let_flow(town, dice)
        kill_and_restart(town, senders, toll, dice.choice(["hub", "all"]))


def let_flow(town: Town, dice: random.Random) -> None:
    """Wait for some more parcels to arrive, and then for a random moment: a kill should hit parcels on their way."""
    wanted = town.arrived() + dice.randint(1, 12)
    until("parcels to flow", lambda: town.arrived() >= wanted, 40)
    time.sleep(dice.uniform(0.0, 0.25))  # the random point under load that this test is about


@pytest.mark.chaos
@pytest.mark.timeout(120 + 20 * KILLS)
def test_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # given a hub with partners that dedupe, senders that try again, and staff who answer
    begun = time.monotonic()
    toll = Toll(int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6))))
    sys.stdout.write(f"CHAOS_SEED={toll.seed} CHAOS_RUNS={KILLS}\n")
    with open_town(tmp_path) as town:
        senders = [Sender(town, f"sender-{number}", PAUSE) for number in range(SENDERS)]
        staff = {HOUSING: Answerer(town, HOUSING, every=3), TREATMENT: Answerer(town, TREATMENT, every=6)}
        threads: list[Sender | Answerer] = [*senders, *staff.values()]
        for thread in threads:
            thread.start()
        # when the hub and its hosts are killed and started again
        kill_often(town, senders, toll)
        for thread in threads:
            thread.finish()
        for thread in threads:
            thread.join(30)
        assert [thread.name for thread in threads if thread.is_alive()] == []
        drain = until("the hub to be done with everything", lambda: books.drained(town), 240)
        receipts = receipts_of(senders)
        again = replay(town, senders)
        town.hub.stop()

        # then every promise is kept, once
        assert [reason for sender in senders for reason in sender.sent.refused] == []
        assert {key: receipt for key, receipt in again.items() if receipt != receipts[key]} == {}
        assert {key: share for key, share in toll.unanswered.items() if receipts[key]["id"] != share} == {}
        assert books.lost_or_doubled_shares(town, receipts) == {}
        assert books.lost_or_doubled_effects(town) == {}
        states = {(row["kind"], row["state"]): row["n"] for row in town.rows(_STATES)}
        assert states.pop(("share", "delivered")) == 2 * len(receipts)
        # and all that a service was told of its own answer arrived too
        assert set(states) <= {("reply", "delivered")}
        delivered = 2 * len(receipts) + sum(states.values())
        assert books.illegal_walks(town) == {}
        # and every answer that a partner was thanked for is there, and was told to the case system
        for name, answerer in staff.items():
            assert books.lost_answers(town, name, answerer.taken) == {}
        assert books.untold_answers(town) == {}
        alerts = town.rows("SELECT count(*) AS n FROM alerts")[0]["n"]
        assert alerts > 0
        assert books.repeated_alerts(town) == []
        assert len(receipts) > toll.kills

        arrivals = sum(len(town.ledger(name).entries()) for name in staff)
        with capsys.disabled():
            sys.stdout.write(
                f"\nchaos: seed={toll.seed} kills={toll.kills} host_kills={toll.host_kills} accepted={len(receipts)}"
                f" unanswered={len(toll.unanswered)} delivered={delivered} lost=0 duplicates=0"
                f" resent={arrivals - delivered} answers={sum(len(each.taken) for each in staff.values())}"
                f" alerts={alerts} drain_seconds={drain:.1f} slowest_start_seconds={toll.slowest_start:.1f}"
                f" seconds={time.monotonic() - begun:.0f}\n"
            )


def replay(town: Town, senders: Sequence[Sender]) -> dict[str, dict[str, Any]]:
    """Send everything whose connection broke once more, and return the receipts that come back."""
    cases = town.case_system()
    keys = {key for sender in senders for key in sender.sent.broken & set(sender.sent.receipts)}
    again = {key: send_until_taken(cases, share_for(key), key, Sent()) for key in sorted(keys)}
    cases.close()
    return {key: receipt for key, receipt in again.items() if receipt is not None}
