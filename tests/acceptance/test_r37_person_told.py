"""R37: nothing is closed until the person was told, or could not be; the sender is gently reminded, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.acceptance.continuing import call, delivered
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

REMINDER = "share.tell_the_person"


def test_r37_answered_then_reminded_once_then_told_and_closed(new_house: Callable[..., House]) -> None:
    # given a share that nobody has answered: there is nothing to tell yet
    house = new_house()
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    early = call(house, receipt, "person-told", 409, told="yes", on="2026-11-20")
    assert early["type"] == "/problems/share-still-open"
    # when its one service has decided
    house.say(receipt, HOUSING, status="NOT_ACCEPTED", outcomeReason="NO_LOCAL_CONNECTION")
    until_true("the answer", lambda: house.cases.read(receipt["id"])["status"] == "answered")
    # then after five working days, and not before, the case system is reminded, once
    house.at(datetime(2026, 11, 27, 16, 0, tzinfo=UTC))
    house.rounds(2)
    assert house.told(receipt, REMINDER) == []
    house.at(datetime(2026, 11, 27, 17, 1, tzinfo=UTC))
    until_true("the reminder", lambda: house.told(receipt, REMINDER))
    house.at(datetime(2026, 12, 10, 12, 0, tzinfo=UTC))
    house.rounds(3)
    assert len(house.told(receipt, REMINDER)) == 1
    # and once the person was told it is closed, however often that is said
    for _ in range(2):
        said = call(house, receipt, "person-told", 200, told="yes", on="2026-11-27", how="in_person")
        assert said["person_told"] == "yes"
    assert house.cases.read(receipt["id"])["status"] == "closed"
    assert len(house.rows("SELECT id FROM audit_events WHERE action = 'person.told'")) == 1
    # until the service says something else, which is news again
    house.say(receipt, HOUSING, status="ACCEPTED")
    until_true("the news", lambda: house.cases.read(receipt["id"])["status"] == "answered")


def test_r37_who_could_not_be_told_closes_it_too(house: House) -> None:
    # given an answered share
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    house.say(receipt, HOUSING, status="ACCEPTED", nextDate="2026-11-30")
    until_true("the answer", lambda: house.cases.read(receipt["id"])["status"] == "answered")
    # when the person could not be told
    call(house, receipt, "person-told", 200, told="could_not", on="2026-11-20")
    # then it is closed, and nobody is reminded
    assert house.cases.read(receipt["id"])["status"] == "closed"
    assert house.rows("SELECT remind_at FROM shares WHERE id = :id", id=receipt["id"]) == [{"remind_at": None}]


def test_r21_a_service_that_asks_to_wait_mutes_the_reminder(house: House) -> None:
    # given an answer that the service asks not to pass on yet
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    # when it comes
    house.say(receipt, HOUSING, status="ACCEPTED", doNotTellYet=True)
    until_true("the answer", lambda: house.cases.read(receipt["id"])["status"] == "answered")
    # then nobody is reminded to tell the person
    mute = "SELECT remind_at FROM shares WHERE id = :id"
    assert house.rows(mute, id=receipt["id"]) == [{"remind_at": None}]
    # until it says that they may
    house.say(receipt, HOUSING, status="ACCEPTED")
    until_true("a reminder to be set", lambda: house.rows(mute, id=receipt["id"])[0]["remind_at"])
