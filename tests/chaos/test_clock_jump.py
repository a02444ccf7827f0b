"""A machine's clock that jumps an hour, back or forward: parcels wait or are asked about; none is lost or doubled."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.sandbox.case_system import CaseSystem
from hub.sdk.testing.sandbox import Behaviour
from hub.services.now import SystemNow
from tests.chaos import books
from tests.chaos.load import share_for
from tests.chaos.served import serve_here
from tests.chaos.town import HOUSING, TREATMENT, Town, open_town, until

pytestmark = pytest.mark.chaos

HOUR = timedelta(hours=1)


class JumpingNow(SystemNow):
    """The machine's clock, set wrong by `jump`."""

    jump = timedelta(0)

    def wall(self) -> datetime:
        """Return the machine's time as it is set."""
        return super().wall() + self.jump

    def business(self) -> datetime:
        """Return the business time that goes with it."""
        return super().business() + self.jump


def behave(town: Town, behaviour: Behaviour) -> None:
    for name in (HOUSING, TREATMENT):
        town.partners[name].behave(behaviour)


def states(town: Town) -> set[str]:
    return {row["state"] for row in town.rows("SELECT DISTINCT state FROM deliveries")}


def send(cases: CaseSystem, prefix: str) -> dict[str, dict[str, object]]:
    return {key: cases.send(share_for(key), key) for key in (f"{prefix}-{number}" for number in range(3))}


def test_the_clock_going_back_an_hour_loses_and_doubles_nothing(tmp_path: Path) -> None:
    now = JumpingNow()
    with open_town(tmp_path) as town, serve_here(town, now) as hub:
        # given parcels that wait to be tried again, for the partners are down
        behave(town, Behaviour.DOWN)
        cases = town.case_system()
        receipts = send(cases, "before")
        until("a first try of each to fail", lambda: states(town) == {"retrying"}, 30)
        # when the clock goes back, and the partners come up
        now.jump = -HOUR
        behave(town, Behaviour.PROMPT)
        rounds = hub.relay.rounds_done + 3
        until("three rounds of the relay", lambda: hub.relay.rounds_done >= rounds, 30)
        # then they wait for their time, and none has gone
        assert town.arrived() == 0
        assert states(town) == {"retrying"}
        # and when it is set right, all go, once
        now.jump = timedelta(0)
        until("every parcel to be delivered", lambda: books.drained(town), 40)
        assert books.lost_or_doubled_shares(town, receipts) == {}
        assert books.lost_or_doubled_effects(town) == {}
        assert books.illegal_walks(town) == {}
        assert states(town) == {"delivered"}
        cases.close()


def test_the_clock_going_forward_an_hour_loses_and_doubles_nothing(tmp_path: Path) -> None:
    now = JumpingNow()
    with open_town(tmp_path) as town, serve_here(town, now):
        # given parcels that partners have read and not yet replied to
        behave(town, Behaviour.SLOW)
        cases = town.case_system()
        receipts = send(cases, "slow")
        until("every parcel to have arrived", lambda: town.arrived() >= 6, 30)
        assert states(town) == {"sending"}
        # when the clock goes forward, so that every lease has run out
        now.jump = HOUR
        behave(town, Behaviour.PROMPT)
        until("every parcel to be delivered", lambda: books.drained(town), 40)
        # then they were in doubt, were asked about, and no partner acted twice
        doubted = town.rows("SELECT DISTINCT delivery_id FROM audit_events WHERE action = 'delivery.lease_expired'")
        assert len(doubted) == 6
        assert books.lost_or_doubled_shares(town, receipts) == {}
        assert books.lost_or_doubled_effects(town) == {}
        assert books.illegal_walks(town) == {}
        assert states(town) == {"delivered"}
        cases.close()
