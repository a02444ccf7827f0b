"""`make quarter`: three months of a partnership in a minute; every alert that was due is counted where it arrives."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.domain.calendar import london_date
from hub.domain.ladder import scope
from hub.sdk.testing.process import SandboxProcess
from hub.services.days_off import KeepDaysOff, keep_days_off
from hub.services.gather import OVER
from tests.quarter.champions import Champions
from tests.quarter.fates import Fate, fates
from tests.quarter.oracle import due_alerts
from tests.quarter.partnership import FIRST, LAST, LEAVE
from tests.quarter.world import Time, World

#: When the hub looks, London's hours; between, nobody would read anything.
_HOURS = (8, 9, 10, 12, 14, 16, 17, 18, 22)
_READS = 10


def rounds() -> Iterator[datetime]:
    """Yield every instant at which the hub looks, in UTC; a few seconds past the hour, as rounds come."""
    day = FIRST
    while day <= LAST:
        yield from (datetime(day.year, day.month, day.day, hour, 0, 5, tzinfo=UTC) for hour in _HOURS)
        day += timedelta(days=1)


async def play(world: World, people: Champions, shares: list[Fate]) -> int:
    """Let the quarter pass, and return how often an alert was nobody's at the end of a day."""
    waiting, orphaned = list(reversed(shares)), 0
    notifier = world.notifier()
    world.writer.start()
    sending = asyncio.create_task(notifier.run())
    for at in rounds():
        world.time.at = at
        sent = []
        while waiting and waiting[-1].sent_at <= at:
            sent.append(waiting.pop())
        if sent:
            world.send(sent)
        world.deliver()
        world.answer()
        world.look()
        await world.tell(notifier)
        people.take_in()
        if at.hour == _READS:
            people.work()
        if at.hour == _HOURS[-1]:
            world.sweep()
            orphaned += orphans(world)
            _progress(at)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(world.mailer.close)
    await asyncio.to_thread(world.writer.close)
    return orphaned


def orphans(world: World) -> int:
    """Count open alerts that are in the hands of nobody who is there."""
    today = london_date(world.time.at)
    there = {each.id for each in world.scene.directory.people() if each.until is None or each.until >= today}
    held = world.rows("SELECT holder, look_at, kind, role FROM alerts WHERE state = 'open'")
    return sum(each["holder"] not in there for each in held)


def leave(world: World) -> None:
    """Let everybody say beforehand when they are away."""
    for person, (first, last) in LEAVE.items():
        by = scope(world.scene.directory, person)
        world.store.one(keep_days_off, KeepDaysOff(person, first, last, by, frozenset({person}), world.time.at))


def told(world: World, people: Champions, orphaned: int, seconds: float) -> tuple[list[str], bool]:
    """Return the table with its last line, and whether all of it is as it should be."""
    looked = list(rounds())
    due = {(name, level) for name, story in world.stories.items() for level in due_alerts(story, looked)}
    alerts = world.rows("SELECT id, delivery_id, level FROM alerts")
    ids = {row["id"]: (row["delivery_id"], row["level"]) for row in alerts}
    raised = Counter(ids.values())
    came, over = arrived(world, people)
    seen = {ids[each] for each in came | over}
    missed, wrong = due - set(raised), set(raised) - due
    doubled = sum(number - 1 for number in raised.values())
    unseen = due - seen
    for delivery_id, level in sorted(missed | wrong | unseen)[:20]:
        print(f"level {level}: {world.stories[delivery_id]}", file=sys.stderr)
    actionable = 100 * people.could[True] / max(1, people.could.total())
    by_level = Counter(level for _, level in due)
    most = max(people.largest.values(), default=0)
    lines = [
        f"{'partners':<28}{len(world.scene.directory.partners)}",
        f"{'shares':<28}{len(world.stories)}",
        *(f"{'due: ' + name:<28}{by_level[level]}" for level, name in _RUNGS.items()),
        f"{'raised and not due':<28}{len(wrong)}",
        f"{'ended before their mail':<28}{len(over)}",
        f"{'mails':<28}{people.mails}",
        f"{'most to one reader in a day':<28}{most}",
        f"{'seconds':<28}{seconds:.0f}",
        f"quarter: due={len(due)} raised={len(raised)} seen={len(seen)} missed={len(missed | unseen)} "
        f"doubled={doubled} orphaned={orphaned} actionable={actionable:.1f}%",
    ]
    well = not (missed or unseen or wrong or doubled or orphaned) and actionable >= 90
    return lines, well


def arrived(world: World, people: Champions) -> tuple[set[str], set[str]]:
    """Of all alerts those that came to the mail server, alone or with others, and those that ended before they went."""
    told = world.rows("SELECT id, alert_id, digest_id, state, reason FROM notices WHERE channel = 'email'")
    of = [each for each in told if each["alert_id"] is not None]
    came = {each["alert_id"] for each in of if {each["id"], each["digest_id"]} & people.taken}
    over = {each["alert_id"] for each in of if (each["state"], each["reason"]) == ("cancelled", OVER)}
    return came, over - came


_RUNGS = {
    0: "sender: not arrived",
    1: "operator: not arrived",
    2: "nobody opened it",
    3: "nobody answered",
    4: "no outcome",
}


def _progress(at: datetime) -> None:
    if at.day in (1, 15):
        print(f"{at:%d %B} ...", file=sys.stderr, flush=True)


def main() -> int:
    """Play it, and print what came of it."""
    parser = argparse.ArgumentParser(prog="make quarter", description=__doc__)
    parser.add_argument("--shares", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        mailbox = SandboxProcess("hub.sandbox.mailbox", place)
        with mailbox:
            world = World(place, mailbox, place / "ledger.jsonl", Time(next(rounds())))
            people = Champions(world, random.Random(asked.seed))
            leave(world)
            orphaned = asyncio.run(play(world, people, fates(asked.shares, asked.seed)))
            lines, well = told(world, people, orphaned, time.monotonic() - begun)
            world.store.engine.dispose()
    print(*lines, sep="\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
