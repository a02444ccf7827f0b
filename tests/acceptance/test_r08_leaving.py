"""R08: who stops being the trusted person hands over in time, and hears no more; what is open stays with somebody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.test_r07_away import alerts, answered, of_one, read_as
from tests.acceptance.trusting import cover, delete, keep_link, link_of, put, put_of

#: The clock begins on Friday 20 November 2026, so ten working days end on Friday 4 December.
SOON, LATER = "2026-12-04", "2026-12-07"


def share_of(reference: str) -> dict[str, Any]:
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = reference
    return share


def test_r08_a_last_day_gives_the_list_of_what_is_open_at_once(house: House) -> None:
    # given somebody with two open shares and one that is closed
    receipts = [of_one(house, "tp-leaver")[1] for _ in range(2)]
    _, withdrawn = of_one(house, "tp-leaver")
    house.cases.post(f"/v1/consents/{withdrawn['consent']}/withdraw", {}).raise_for_status()
    # when their last day is said
    found = put_of(house.cases, "tp-leaver/leaving", {"last_day": LATER})
    # then the two are listed, then and at any time, and nobody is named who could be next
    assert [each["id"] for each in found["shares"]] == [each["id"] for each in receipts]
    again = house.cases.get("/v1/trusted-people/tp-leaver/handover").json()
    assert again == found
    assert found["last_day"] == LATER
    assert set(found["shares"][0]) == {"id", "reference", "your_reference", "sent_at"}
    # and another partner's list of the same name is empty
    assert house.other.get("/v1/trusted-people/tp-leaver/handover").json()["shares"] == []


def test_r08_the_handover_is_offered_ten_working_days_before_and_once(house: House) -> None:
    # given two who leave, one of them in eleven working days
    _, far = of_one(house, "tp-far")
    _, near = of_one(house, "tp-near")
    put_of(house.cases, "tp-far/leaving", {"last_day": LATER})
    put_of(house.cases, "tp-near/leaving", {"last_day": SOON})
    house.rounds(3)
    house.settled_notices()
    # then the case system hears of the one that is near, once, and so does the champion
    assert len(house.told(near, "share.handover")) == 1
    assert house.told(far, "share.handover") == []
    (mail,) = house.mails(near)
    assert mail["subject"].startswith("Who is next?")
    # when a day has gone by, and their last day is said again
    house.at(datetime.fromisoformat("2026-11-23T10:00:00+00:00"))
    put_of(house.cases, "tp-near/leaving", {"last_day": SOON})
    house.rounds(3)
    house.settled_notices()
    # then the other is offered too, and the first not again
    assert len(house.told(far, "share.handover")) == 1
    assert len(house.told(near, "share.handover")) == 1


def test_r08_from_the_last_day_on_nothing_new_goes_and_what_is_open_stays_with_the_champion(house: House) -> None:
    # given somebody who was never registered, and whose last day was yesterday
    _, receipt = of_one(house, "tp-gone")
    put_of(house.cases, "tp-gone/leaving", {"last_day": "2026-11-19"})
    # then a new share is refused, in a preview as when it is sent
    for path in ("/v1/shares", "/v1/shares/preview"):
        reply = house.cases.post(path, share_of("tp-gone"))
        refusals = reply.json()["refused"]
        assert [each["type"] for each in refusals] == ["trusted-person-ended"], path
    # and the open one is the champion's, once
    house.rounds(3)
    assert alerts(house, receipt, "left") == ["open"]
    # when housing answers
    answered(house, receipt)
    # then nobody reads it, the leaver least of all
    for whose in ("", "tp-gone", "tp-next"):
        assert "accepted" not in read_as(house, receipt, whose).text
    assert "who is next" in read_as(house, receipt, "tp-gone").json()["words"]
    sheet = house.cases.get(f"/v1/shares/{receipt['id']}/for-the-person?trusted_person=tp-gone")
    assert "accepted" not in sheet.text


def test_r08_once_the_person_says_who_is_next_it_is_theirs_and_the_leaver_finds_nothing(house: House) -> None:
    # given an answered share of somebody who left
    _, receipt = of_one(house, "tp-was")
    put_of(house.cases, "tp-was/leaving", {"last_day": "2026-11-19"})
    house.rounds()
    answered(house, receipt)
    # when the person names who is next
    assert cover(house.cases, receipt["id"], "tp-next", lasts="from_now_on").status_code == 200
    # then they read it and list it
    assert read_as(house, receipt, "tp-next").json()["deliveries"][0]["answer"] == "accepted"
    listed = house.cases.get("/v1/shares?trusted_person=tp-next").json()["shares"]
    assert receipt["id"] in [each["id"] for each in listed]
    # and the leaver finds nothing, and the champion has nothing left to do
    assert read_as(house, receipt, "tp-was").status_code == 404
    assert house.cases.get("/v1/shares?trusted_person=tp-was").json()["shares"] == []
    assert alerts(house, receipt, "left") == ["closed"]
    # and the log says so by keyed hashes alone
    (event,) = house.rows("SELECT detail FROM audit_events WHERE action = 'share.handed_over' AND share_id = :id",
                          id=receipt["id"])  # fmt: skip
    assert "tp-" not in str(event["detail"])


def test_r08_a_cover_for_days_away_is_not_who_is_next(house: House) -> None:
    # given somebody with a cover, who leaves
    _, receipt = of_one(house, "tp-both")
    assert cover(house.cases, receipt["id"], "tp-stand-in").status_code == 200
    put_of(house.cases, "tp-both/leaving", {"last_day": "2026-11-19"})
    # then the cover reads nothing: it was named for days away
    assert read_as(house, receipt, "tp-stand-in").status_code == 404
    house.rounds()
    assert alerts(house, receipt, "left") == ["open"]


def test_r08_the_end_of_one_person_s_choice_hands_over_theirs_alone(house: House) -> None:
    # given two people who chose the same, one of them until yesterday
    share, receipt = of_one(house, "tp-one-of-two")
    _, other = of_one(house, "tp-one-of-two")
    keep_link(house.cases, share, until="2026-11-19")
    house.rounds()
    # then what is open of that one is the champion's, and the other's goes on
    assert alerts(house, receipt, "left") == ["open"]
    assert alerts(house, other, "left") == []
    assert "deliveries" in read_as(house, other).json()
    # when that person chooses them again, then it goes on too
    keep_link(house.cases, share)
    assert "deliveries" in read_as(house, receipt).json()


def test_r08_who_stays_after_all_goes_on_as_before(house: House) -> None:
    # given a last day that was said and taken back
    _, receipt = of_one(house, "tp-stays")
    put_of(house.cases, "tp-stays/leaving", {"last_day": "2026-11-19"})
    house.rounds()
    assert alerts(house, receipt, "left") == ["open"]
    delete(house.cases, "tp-stays/leaving")
    # then nothing is left of it
    assert alerts(house, receipt, "left") == ["closed"]
    house.cases.send(share_of("tp-stays"))
    until_true("it to be sent", lambda: house.cases.get("/v1/shares?trusted_person=tp-stays").json()["shares"])


def test_r08_nobody_can_name_the_leaver_as_their_own_cover(house: House) -> None:
    share = share_of("tp-self")
    body = link_of(share, cover={"reference": "tp-self", "on": "2026-11-20", "how": "spoken",
                                 "nothing_suggests_unsafe": True})  # fmt: skip
    problem = refused(put(house.cases, "tp-self", body), 422)
    assert [each["pointer"] for each in problem["faults"]] == ["/cover/reference"]
