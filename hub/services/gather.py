"""Gather: what becomes due for one reader within a window goes in one mail, and an outage is told once (TH15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from os import urandom
from typing import Final

from hub.domain.alert import AlertKind, AlertState
from hub.domain.delivery import DeliveryState
from hub.domain.digest import Gathering, Waits, daily_at
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import DIGEST, LAST_DIGEST, OUTAGE_ENDED, notice_row

#: Readers looked at in one transaction; whoever is left is next.
_READERS: Final = 100
#: Why a mail that waited was never sent: the alert was closed before its turn came.
OVER: Final = "over"

_UNDELIVERED: Final = f"alert.{AlertKind.UNDELIVERED}"
#: What is still tried by itself; a dead letter or a doubt is for a person to look at, and waits for no outage's end.
_TRYING: Final = frozenset({DeliveryState.QUEUED, DeliveryState.RETRYING, DeliveryState.SENDING, DeliveryState.HELD})


def gather(tx: Transaction, wall: datetime, policy: Gathering) -> int:
    """Put what is due together into mails, one a reader, or let it wait; returns how many mails were made.

    Every alert stays listed whatever happens here; a notice counts as sent once the mail that it went in was taken.
    """
    return sum(_for_reader(tx, reader, wall, policy) for reader in tx.readers_due(wall, _READERS))


def _for_reader(tx: Transaction, reader: str, wall: datetime, policy: Gathering) -> bool:
    due = _still_true(tx, tx.together_of(reader, wall), wall)
    sent = tx.digests_since(reader, wall - timedelta(hours=1))
    at = policy.goes_at(sent, wall)
    rest = _fold(tx, reader, due, wall)
    if tx.wants_daily(reader):
        new = [row["id"] for row in rest if row["reason"] not in (Waits.DAILY, Waits.OUTAGE)]
        tx.postpone_notices(new, daily_at(wall), Waits.DAILY)
        rest = [row for row in rest if row["reason"] in (Waits.DAILY, Waits.OUTAGE)]
    if not rest:
        return False
    if at > wall:
        for why in {row["reason"] for row in rest}:
            kept = Waits(why) if why in (Waits.DAILY, Waits.OUTAGE) else Waits.WINDOW
            tx.postpone_notices([row["id"] for row in rest if row["reason"] == why], at, kept)
        return False
    _count(tx, reader, rest, wall)
    digest = notice_row("email", LAST_DIGEST if policy.is_last(sent, wall) else DIGEST, reader, wall)
    tx.insert("notices", [digest])
    tx.put_in_digest([row["id"] for row in rest], digest["id"])
    return True


def _still_true(tx: Transaction, due: Sequence[Row], wall: datetime) -> list[Row]:
    """Drop what is over: the alert was closed while its mail waited."""
    over = [row for row in due if row["alert_state"] == AlertState.CLOSED]
    tx.drop_notices([row["id"] for row in over], OVER)
    detail = {"channel": "email", "reason": OVER}
    tx.insert(
        "audit_events",
        [
            audited(
                *(wall, "notice.cancelled", "hub:notifier", row["share_id"], row["delivery_id"]),
                {"topic": row["topic"], **detail},
            )
            for row in over
        ],
    )
    return [row for row in due if row["alert_state"] != AlertState.CLOSED]


def _fold(tx: Transaction, reader: str, due: Sequence[Row], wall: datetime) -> list[Row]:
    """Let wait what belongs to an outage that the reader knows of; returns what is left to tell.

    It waits for the end of the outage, and no longer than until the next morning.
    """
    new = [row for row in due if _of_outage(row) and row["reason"] != Waits.OUTAGE]
    known = tx.open_outages(reader) if new else {}
    folded = [row for row in new if row["service_id"] in known]
    for service, number in Counter(row["service_id"] for row in folded).items():
        tx.widen_outage(known[service]["id"], number)
    tx.postpone_notices([row["id"] for row in folded], daily_at(wall), Waits.OUTAGE)
    gone = {row["id"] for row in folded}
    return [row for row in due if row["id"] not in gone]


def _of_outage(row: Row) -> bool:
    return row["topic"] == _UNDELIVERED and row["delivery_state"] in _TRYING


def _count(tx: Transaction, reader: str, told: Sequence[Row], wall: datetime) -> None:
    """Remember which services this mail says cannot be reached: the reader hears next when that is over."""
    counts = Counter(row["service_id"] for row in told if _of_outage(row) and row["reason"] != Waits.OUTAGE)
    tx.insert(
        "outages",
        [
            {
                "id": urandom(16).hex(),
                "reader": reader,
                "service_id": service,
                "began_at": wall,
                "ended_at": None,
                "alerts": number,
            }
            for service, number in counts.items()
        ],
    )


def end_outages(tx: Transaction, wall: datetime) -> int:
    """Tell each reader, once, that what could not be reached can be again; returns how many outages ended.

    Of an outage of one alert nothing more is said.
    """
    over = tx.outages_over()
    for outage in over:
        tx.end_outage(outage["id"], wall)
        waiting = tx.waiting_for_outage(outage["reader"], outage["service_id"])
        if outage["alerts"] > 1:
            told = dict(notice_row("email", OUTAGE_ENDED, outage["reader"], wall, service_id=outage["service_id"]))
            told["due_at"] = daily_at(wall) if tx.wants_daily(outage["reader"]) else wall
            tx.insert("notices", [told])
            tx.put_in_digest(waiting, told["id"])
    if over:
        tx.nudge_notices()
    return len(over)
