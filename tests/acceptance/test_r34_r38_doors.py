"""R34, R38: a signpost is not help, a wait has a date, and who could not be reached has time to be put in touch."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.acceptance.continuing import arrived, delivered, documents
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share, consent_of


def _clock(house: House, delivery_id: str) -> datetime:
    (row,) = house.rows("SELECT due_at, state FROM clocks WHERE delivery_id = :id AND level = 4", id=delivery_id)
    assert row["state"] == "running"
    return datetime.fromtimestamp(row["due_at"] / 1_000_000, tz=house.hub.now.wall().tzinfo)


def _said(house: House, status: str, **words: str) -> tuple[dict, dict]:
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    house.say(receipt, HOUSING, status=status, **words)
    found = until_true("the answer", lambda: (one := house.cases.delivery(receipt["id"], HOUSING))["answers"] and one)
    return receipt, found


def _doors(house: House, receipt: dict) -> list[dict]:
    return house.rows(
        "SELECT detail FROM audit_events WHERE action = 'door.closed' AND share_id = :id", id=receipt["id"]
    )


def test_r34_a_signpost_leaves_it_open_and_the_champion_hears(house: House) -> None:
    # given / when a council only says where else to go
    receipt, found = _said(house, "SIGNPOSTED")
    # then the share stays open, and says why
    assert house.cases.read(receipt["id"])["status"] == "open"
    assert found["words"].startswith("Housing has said where else may help. This stays open until somebody does.")
    # and it is counted as a closed door, once, and the sending champion is told, without the story
    assert len(_doors(house, receipt)) == 1
    champion = house.hub.directory.partners["riverside"].champion.email
    (mail,) = until_true("the mail", lambda: house.mails(receipt, champion))
    assert mail["subject"] == f"Still needs somebody: {receipt['reference']}"
    house.say(receipt, HOUSING, status="SIGNPOSTED")
    until_true("it again", lambda: len(house.cases.delivery(receipt["id"], HOUSING)["answers"]) == 2)
    assert len(_doors(house, receipt)) == 1


def test_r38_a_wait_is_asked_about_on_its_day(house: House) -> None:
    receipt, found = _said(house, "WAITING_LIST", nextDate="2027-01-11")
    assert _clock(house, found["id"]).isoformat() == "2027-01-12T00:00:00+00:00"
    assert found["answers"][0]["next_date_missing"] is False
    assert _doors(house, receipt) == []


def test_r38_who_could_not_be_reached_has_five_working_days(house: House) -> None:
    # given / when a council could not reach the person, and would close it the day after
    receipt, found = _said(house, "COULD_NOT_REACH", nextDate="2026-11-21", outcomeNote="Rang twice.")
    # then nothing is closed before five working days are over, and the trusted person is told
    assert _clock(house, found["id"]).date().isoformat() == "2026-11-27"
    assert house.cases.read(receipt["id"])["status"] == "open"
    assert until_true("the notice", lambda: house.told(receipt, "delivery.answered"))
    assert len(_doors(house, receipt)) == 1


def test_r38_a_no_comes_with_its_reason_in_words_and_how_to_question_it(house: House) -> None:
    # given / when a council says no, with its code for why
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state", "owner", "reason"]
    receipt = delivered(house, share, HOUSING)
    house.say(receipt, HOUSING, status="NOT_ACCEPTED", outcomeReason="NO_LOCAL_CONNECTION", owner="Duty desk")
    found = until_true("the answer", lambda: (one := house.cases.delivery(receipt["id"], HOUSING))["answers"] and one)
    # then the reason is words and no code, and what can be done about it stands beside it
    reason = found["answers"][0]["reason"]
    assert reason
    assert reason not in {"NO_LOCAL_CONNECTION", reason.upper()}
    assert "You can ask them to put the reason in writing" in found["words"]
    assert "ask the council to review it" in found["words"]


@pytest.mark.parametrize(
    ("status", "asked"),
    [("NOT_ACCEPTED", ["reason"]), ("WAITING_LIST", ["next_date"]), ("COULD_NOT_REACH", ["next_date"])],
)
def test_r38_a_missing_reason_or_date_is_asked_for(house: House, status: str, asked: list[str]) -> None:
    # given / when a service says who has it, and not why or until when
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["returns"] = ["state", "owner", "reason", "next_step"]
    receipt = delivered(house, share, HOUSING)
    house.say(receipt, HOUSING, status=status, owner="Duty desk")
    # then it is asked for that
    arrived(house, receipt, "reply", 1)
    assert documents(house.troupe.housing, receipt)[-1]["asked"] == asked


def test_r38_a_yes_without_a_date_is_marked(house: House) -> None:
    _, found = _said(house, "ACCEPTED")
    assert found["answers"][0]["next_date_missing"] is True
