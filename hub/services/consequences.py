"""Consequences: what an answer leads to beside itself: who is told, when to ask again, a door closed, news owed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hub.domain.alert import AlertKind
from hub.domain.answer import CLOSED_DOORS, PERSON_DIED, Answer, AnswerState, Level
from hub.domain.barrier import Cause, shut
from hub.domain.calendar import day_ends, england_and_wales, london_date
from hub.domain.delivery import DeliveryKind
from hub.services.death import Death, record_death
from hub.services.person_told import is_answered
from hub.services.ports import Row, Transaction, audited
from hub.services.tell import ANSWERED, notice_row

#: How long, in working days, the trusted person has to put a service in touch again before it closes [P] (R38).
RECONNECT_DAYS = 5
#: However far away the day is that a service names, it is asked again by then: sooner than the story is forgotten [P].
ASK_WITHIN = timedelta(days=60)
#: How long after the last answer the sender is gently reminded that the person may not know [P] (R37).
REMIND_DAYS = 5


def notices_of(row: Row, answer: Answer, wall: datetime) -> list[Row]:
    """Return what the case system is told of an answer (R36, R40)."""
    if row["died_at"] is not None:
        return []
    ids = {"share_id": row["share_id"], "delivery_id": row["id"]}
    told = [notice_row("webhook", ANSWERED, row["client_id"], wall, **ids)]
    if answer.check_with_person:
        told.append(notice_row("webhook", "delivery.check_with_person", row["client_id"], wall, **ids))
    return told


def door_of(row: Row, answer: Answer, at: datetime, before: AnswerState) -> list[Row]:
    """Return the durable count of a door that closed: a signpost is not help, and out of touch is no answer."""
    if answer.state not in CLOSED_DOORS or answer.state is before or row["kind"] != DeliveryKind.SHARE:
        return []
    detail = {"service": row["service_id"], "state": str(answer.state)}
    return [audited(at, "door.closed", f"connection:{row['connection_id']}", row["share_id"], row["id"], detail)]


def shut_door(
    row: Row, answer: Answer, at: datetime, before: AnswerState, source: str
) -> list[tuple[str, str, str, str]]:
    """Return what to count of an answer that may become a barrier, by day, reason and service alone (R38, R52)."""
    if answer.state is before or row["kind"] != DeliveryKind.SHARE or row["died_at"] is not None:
        return []
    name = shut(answer, coded=source != "heard")
    return [] if name is None else [(london_date(at).isoformat(), str(Cause.DOOR), name, row["service_id"])]


def ask_again_at(answer: Answer, at: datetime) -> datetime | None:
    """Return when the outcome's clock asks again, for an answer that names its own time; None where it keeps its own.

    A waiting list is asked on the day that it named. Who could not be reached has the days above to be put in touch,
    however soon the service would have closed it (R38). A day that is far away stops no clock for ever.
    """
    day, latest = answer.next_date, at + ASK_WITHIN
    if answer.state is AnswerState.WAITING_LIST and day is not None:
        return min(day_ends(day), latest)
    if answer.state is AnswerState.COULD_NOT_REACH:
        soonest = england_and_wales().add_working_days(at, RECONNECT_DAYS)
        return soonest if day is None else min(max(soonest, day_ends(day)), latest)
    return None


def follow(tx: Transaction, newest: Mapping[str, tuple[Row, Answer]], business: datetime, wall: datetime) -> None:
    """Do what the newest answer to each delivery leads to: clocks, reminders, and all that stops at a death."""
    again = [
        (delivery_id, int(Level.L4), due)
        for delivery_id, (row, answer) in newest.items()
        if row["kind"] == DeliveryKind.SHARE
        and row["died_at"] is None
        and (due := ask_again_at(answer, business)) is not None
    ]
    # A signpost is not help: whoever follows up has it within the next round, until the service says more (R34).
    signposted = [
        (delivery_id, int(Level.L3), business)
        for delivery_id, (row, answer) in newest.items()
        if answer.state is AnswerState.SIGNPOSTED and row["kind"] == DeliveryKind.SHARE and row["died_at"] is None
        and row["answer_state"] != AnswerState.SIGNPOSTED
    ]  # fmt: skip
    tx.start_clocks([*again, *signposted])
    said_more = [each for each, (_, answer) in newest.items() if answer.state is not AnswerState.SIGNPOSTED]
    tx.close_alerts_of(said_more, [AlertKind.SIGNPOSTED], business)
    _news(tx, newest, business)
    died = [row for row, answer in newest.values() if answer.reason == PERSON_DIED]
    record_death(
        tx,
        [
            Death(each["share_id"], each["partner_id"], each["person"], f"connection:{each['connection_id']}",
                  business, wall)
            for each in died
        ],
    )  # fmt: skip


def _news(tx: Transaction, newest: Mapping[str, tuple[Row, Answer]], business: datetime) -> None:
    """What was told is old news after a new answer; the sender is reminded once all have decided (R37).

    While a service asks not to tell yet, nobody is reminded (R21).
    """
    shared = [(row, answer) for row, answer in newest.values() if row["kind"] == DeliveryKind.SHARE]
    due: dict[str, datetime | None] = {}
    for share_id, rows in tx.standings(list({row["share_id"] for row, _ in shared})).items():
        answered = is_answered(rows) and not any(row["do_not_tell_yet"] for row in rows)
        due[share_id] = _in_days(business) if answered else None
    tx.set_reminders(due)


def _in_days(at: datetime) -> datetime:
    return england_and_wales().add_working_days(at, REMIND_DAYS)
