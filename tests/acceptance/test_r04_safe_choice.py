"""R04: a choice that nobody has said looks safe waits for the champion; one marked as not safe waits for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of, copy_of, story_of
from tests.acceptance.trusting import SAFE, keep_link, release, unsaid

CHAMPION, SAFEGUARDING = "champion@daycentre.example", "safeguarding@council.example"
WAITS = "Your champion will look at this with you first. Nothing has gone yet."


def test_r04_a_missing_statement_is_not_refused_but_waits_and_the_champion_is_told(house: House) -> None:
    # given a share that would go, but whose worker has not said that nothing suggests the choice is unsafe
    share = unsaid(a_share(HOUSING, TREATMENT))
    # when it is sent
    receipt = house.cases.send(share)
    # then it is kept, and the author is told that it waits
    assert (receipt["status"], receipt["words"], receipt["deliveries"]) == ("held", WAITS, [])
    read = house.cases.read(receipt["id"])
    assert (read["status"], read["words"], read["deliveries"]) == ("held", WAITS, [])
    # and nothing is on its way, no clock runs, and no word of it stands in clear
    for table in ("deliveries", "clocks JOIN deliveries ON clocks.delivery_id = deliveries.id"):
        assert house.rows(f"SELECT 1 FROM {table} WHERE share_id = :id", id=receipt["id"]) == []
    kept = house.rows("SELECT body FROM held_shares WHERE share_id = :id", id=receipt["id"])[0]["body"]
    assert not [text for text in story_of(share) if text.encode() in kept]
    # and the champion of the organisation that sent it is told at once, in an e-mail without a story
    house.settled_notices()
    (mail,) = house.mails(receipt)
    assert mail["to"] == [CHAMPION]
    assert not [text for text in story_of(share) if text in str(mail)]


def test_r04_once_looked_at_together_it_is_decided_anew_and_goes_with_the_clock_of_its_sending(house: House) -> None:
    # given a share that waits
    receipt = house.cases.send(unsaid(a_share(HOUSING)))
    asked = house.cases.post("/v1/shares/preview", a_share(HOUSING)).json()
    # when the worker says an hour later that it was looked at together, twice with one key
    sent_at = house.cases.read(receipt["id"])["sent_at"]
    now = house.hub.now.business()
    try:
        house.at(now + timedelta(hours=1))
        first = release(house.cases, receipt["id"], key="look-1")
        again = release(house.cases, receipt["id"], key="look-1")
        # then it goes, and a repeat says the same
        assert (first.status_code, again.json()) == (202, first.json())
        assert first.json()["status"] == "open"
        assert [each["service"] for each in first.json()["deliveries"]] == [HOUSING]
        until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    finally:
        house.at(now)
    read = house.cases.read(receipt["id"])
    assert (read["status"], read["sent_at"]) == ("open", sent_at)
    # and its clocks run from when it was sent, as its services are told
    clocks = house.rows(
        "SELECT c.due_at FROM clocks c JOIN deliveries d ON d.id = c.delivery_id WHERE d.share_id = :id AND level = 1",
        id=receipt["id"],
    )
    due = datetime.fromtimestamp(clocks[0]["due_at"] / 1_000_000, UTC)
    assert due.replace(microsecond=0) == datetime.fromisoformat(sent_at) + timedelta(minutes=15)
    assert asked["deliveries"][0]["sections"]
    # and nothing of it is kept twice, nor waits any more
    assert house.rows("SELECT 1 FROM held_shares WHERE share_id = :id", id=receipt["id"]) == []
    assert refused(release(house.cases, receipt["id"]), 409)["type"] == "/problems/share-not-held"


def test_r04_what_has_ended_meanwhile_does_not_go(house: House) -> None:
    # given a share for two services that waits, of which the person then withdraws one
    share = unsaid(a_share(HOUSING, TREATMENT))
    receipt = house.cases.send(share)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": [TREATMENT]}).raise_for_status()
    # when it is let go
    released = release(house.cases, receipt["id"]).json()
    # then the other alone goes
    assert [each["service"] for each in released["deliveries"]] == [HOUSING]
    assert [(each["service"], each["type"]) for each in released["refused"]] == [(TREATMENT, "consent-withdrawn")]


def test_r04_a_share_that_waits_can_be_withdrawn_and_then_never_goes(house: House) -> None:
    # given a share that waits
    receipt = house.cases.send(unsaid(a_share(HOUSING)))
    # when the person takes it back
    reply = house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status().json()
    # then the truth is that it will not go, it is kept no longer, and nobody can let it go
    assert [each["service"] for each in reply["stopped"]] == [HOUSING]
    assert reply["already_sent"] == reply["tried"] == []
    assert house.cases.read(receipt["id"])["status"] == "withdrawn"
    assert house.rows("SELECT 1 FROM held_shares WHERE share_id = :id", id=receipt["id"]) == []
    refused(release(house.cases, receipt["id"]), 409)
    assert house.rows("SELECT 1 FROM deliveries WHERE share_id = :id", id=receipt["id"]) == []


def test_r04_a_choice_marked_as_not_safe_waits_in_the_same_words_and_safeguarding_is_told(house: House) -> None:
    # given a choice that the partner's system marked as not safe
    share = a_share(HOUSING)
    share["trusted_person"]["reference"], share["person"]["reference"] = "tp-unsafe", "P-unsafe"
    keep_link(house.cases, share, not_safe=True)
    # when it is used, with the statement
    receipt = house.cases.send(share)
    # then the same words come back, and the safeguarding contact is told beside the champion
    assert (receipt["status"], receipt["words"], receipt["deliveries"]) == ("held", WAITS, [])
    house.settled_notices()
    assert {mail["to"][0] for mail in house.mails(receipt)} == {CHAMPION, SAFEGUARDING}
    # and a release gets the very same answer, however often
    for _ in range(2):
        again = release(house.cases, receipt["id"]).json()
        assert {**again, "checkpoint": receipt["checkpoint"]} == receipt
    house.settled_notices()
    assert len(house.mails(receipt, SAFEGUARDING)) == 3
    assert house.rows("SELECT 1 FROM deliveries WHERE share_id = :id", id=receipt["id"]) == []
    # until its partner says otherwise
    keep_link(house.cases, share, not_safe=False)
    assert release(house.cases, receipt["id"]).json()["status"] == "open"


def test_r04_a_preview_says_that_it_would_wait(house: House) -> None:
    said = house.cases.post("/v1/shares/preview", unsaid(a_share(HOUSING))).json()
    assert (said["status"], said["words"], said["deliveries"]) == ("held", WAITS, [])


@pytest.mark.parametrize("change", [{"nothing_suggests_unsafe": False}, {"discussed_with": ""}])
def test_r04_nothing_goes_without_the_statement(house: House, change: dict[str, Any]) -> None:
    receipt = house.cases.send(unsaid(a_share(HOUSING)))
    reply = house.cases.post(f"/v1/shares/{receipt['id']}/choice", SAFE | change)
    refused(reply, 403, 422)
    assert house.cases.read(receipt["id"])["status"] == "held"


def test_r04_a_share_of_which_nothing_may_go_is_refused_as_ever_and_no_payload_kept(house: House) -> None:
    # given a share that would wait, and whose only consent has run out
    share = unsaid(a_share(HOUSING))
    consent_of(share, HOUSING)["until"] = "2026-11-19"
    before = house.counts()
    # when it is sent, then the reason is told at once, as for any other
    reply = refused(house.cases.post("/v1/shares", copy_of(share)), 403)
    assert [each["type"] for each in reply["refused"]] == ["consent-expired"]
    assert house.counts()["shares"] == before["shares"]


def test_r04_one_that_nobody_has_looked_at_in_a_day_is_said_again_once(new_house: Callable[..., House]) -> None:
    # given a share that waits, and its champion who was told
    house = new_house()
    receipt = house.cases.send(unsaid(a_share(HOUSING)))
    house.settled_notices()
    assert [mail["to"] for mail in house.mails(receipt)] == [[CHAMPION]]
    # when a day has gone, and then another
    for days in (1, 2):
        house.at(house.hub.now.business() + timedelta(days=days, seconds=1))
        house.rounds(3)
        house.settled_notices()
    # then champion and operator have heard once more, with nothing of the story
    told = sorted(mail["to"][0] for mail in house.mails(receipt))
    assert told == [CHAMPION, CHAMPION, "operator@hub.example"]
    # and nothing has gone
    assert house.cases.read(receipt["id"])["status"] == "held"
