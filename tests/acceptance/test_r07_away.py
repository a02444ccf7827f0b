"""R07: an answer for somebody who is away waits, or goes to the cover that the person named; never in silence."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.acceptance.caller import Caller
from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.trusting import cover, delete, keep_link, put_of

WAITS = "What comes back waits for them."
COVER = {"reference": "tp-cover", "on": "2026-11-20", "how": "spoken", "nothing_suggests_unsafe": True}


def of_one(house: House, reference: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Send a share of a trusted person of its own."""
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = reference
    receipt = house.cases.send(share)
    house.settled()
    return share, receipt


def answered(house: House, receipt: dict[str, Any]) -> None:
    """Let housing answer, and the hub keep it."""
    assert house.say(receipt, HOUSING, status="ACCEPTED", ownerName="Duty officer Zyx").status_code < 300
    until_true("the answer", lambda: house.rows(
        "SELECT id FROM deliveries WHERE share_id = :id AND answer_state = 'accepted'", id=receipt["id"]
    ))  # fmt: skip


def read_as(house: House, receipt: dict[str, Any], reference: str = "") -> httpx.Response:
    return house.cases.get(f"/v1/shares/{receipt['id']}{f'?trusted_person={reference}' if reference else ''}")


def alerts(house: House, receipt: dict[str, Any], kind: str) -> list[str]:
    found = house.rows(
        "SELECT a.state FROM alerts a JOIN deliveries d ON d.id = a.delivery_id WHERE d.share_id = :id AND a.kind = :k",
        id=receipt["id"],
        k=kind,
    )
    return [str(each["state"]) for each in found]


def test_r07_with_no_cover_the_answer_waits_and_the_champion_is_told_once(house: House) -> None:
    # given a share of somebody who is marked as away today
    _, receipt = of_one(house, "tp-away")
    put_of(house.cases, "tp-away/away", {"first": "2026-11-20"})
    # then the champion has one alert for it, however often it is looked at
    house.rounds(3)
    assert alerts(house, receipt, "away") == ["open"]
    house.settled_notices()
    (mail,) = house.mails(receipt)
    assert "away" in str(mail)
    assert "tp-away" not in str(mail)
    # when housing answers
    answered(house, receipt)
    house.settled_notices()
    # then whoever asks for the partner learns that something waits, and nothing of what it is
    told = read_as(house, receipt)
    assert told.status_code == 200
    assert set(told.json()) == {"id", "reference", "your_reference", "trusted_person", "words"}
    assert told.json()["words"].startswith("An answer is here.")
    assert WAITS in told.json()["words"]
    assert "accepted" not in told.text
    # and the case system's webhook says no more, which is no fetching of it
    (hook,) = house.told(receipt, "delivery.answered")
    assert set(hook["data"]) == {"share", "reference", "your_reference", "words"}
    assert house.rows(
        "SELECT a.is_collected FROM answers a JOIN deliveries d ON d.id = a.delivery_id WHERE d.share_id = :id",
        id=receipt["id"],
    ) == [{"is_collected": 0}]
    # and nobody else of the partner finds it as theirs
    assert read_as(house, receipt, "tp-cover").status_code == 404
    # when they are back, then it is read, and the champion has nothing left to do
    delete(house.cases, "tp-away/away")
    assert read_as(house, receipt).json()["deliveries"][0]["answer"] == "accepted"
    assert alerts(house, receipt, "away") == ["closed"]


def test_r07_the_cover_that_the_person_named_reads_while_they_are_away_and_not_after(house: House) -> None:
    # given somebody whose person named a cover
    share, receipt = of_one(house, "tp-covered")
    keep_link(house.cases, share, cover=COVER)
    assert read_as(house, receipt, "tp-cover").status_code == 404
    # when they are away, and housing answers
    put_of(house.cases, "tp-covered/away", {"first": "2026-11-20", "last": "2026-11-27"})
    answered(house, receipt)
    # then the cover reads it in full, and finds it in their list
    assert read_as(house, receipt, "tp-cover").json()["deliveries"][0]["answer"] == "accepted"
    listed = house.cases.get("/v1/shares?trusted_person=tp-cover").json()["shares"]
    assert receipt["id"] in [each["id"] for each in listed]
    # and nobody is alerted: somebody is there for the person
    house.rounds()
    assert alerts(house, receipt, "away") == []
    # and whoever reads for the partner is told who can
    assert "cover" in read_as(house, receipt).json()["words"]
    # when they are back, then the cover finds it no more
    delete(house.cases, "tp-covered/away")
    assert read_as(house, receipt, "tp-cover").status_code == 404
    listed = house.cases.get("/v1/shares?trusted_person=tp-cover").json()["shares"]
    assert receipt["id"] not in [each["id"] for each in listed]


def test_r07_a_cover_named_later_for_one_share_ends_the_alert(house: House) -> None:
    # given a share that waits for somebody who is away
    _, receipt = of_one(house, "tp-later")
    _, other = of_one(house, "tp-later")
    put_of(house.cases, "tp-later/away", {"first": "2026-11-20"})
    house.rounds()
    # when the person names a cover for it
    assert cover(house.cases, receipt["id"], "tp-cover").status_code == 200
    # then that share alone is theirs to read
    assert "deliveries" in read_as(house, receipt, "tp-cover").json()
    assert read_as(house, other, "tp-cover").status_code == 404
    assert alerts(house, receipt, "away") == ["closed"]
    assert alerts(house, other, "away") == ["open"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"chosen_by_person": False}, "not-chosen-by-person"),
        ({"nothing_suggests_unsafe": False}, "choice-unsafe"),
    ],
)
def test_r07_only_the_person_names_a_cover_and_one_that_looks_safe(
    house: House, changes: dict[str, Any], why: str
) -> None:
    _, receipt = of_one(house, "tp-asked")
    assert refused(cover(house.cases, receipt["id"], "tp-cover", **changes), 422)["type"] == f"/problems/{why}"


def test_r07_a_cover_marked_as_not_safe_gets_the_words_of_a_held_share_and_reads_nothing(house: House) -> None:
    # given a cover that was named, and then marked as not safe
    share, receipt = of_one(house, "tp-unsafe")
    keep_link(house.cases, share, cover={**COVER, "reference": "tp-unsafe-cover"})
    marked = {**share, "trusted_person": {**share["trusted_person"], "reference": "tp-unsafe-cover"}}
    keep_link(house.cases, marked, not_safe=True)
    put_of(house.cases, "tp-unsafe/away", {"first": "2026-11-20"})
    # then they find and list nothing
    assert read_as(house, receipt, "tp-unsafe-cover").status_code == 404
    assert house.cases.get("/v1/shares?trusted_person=tp-unsafe-cover").json()["shares"] == []
    # and to name them again gets the words of any share that is looked at first
    assert refused(cover(house.cases, receipt["id"], "tp-unsafe-cover"), 403)["type"] == "/problems/look-first"


def test_r07_nothing_is_known_of_another_partner_s_trusted_people(house: House) -> None:
    # given one partner's trusted person, away
    _, receipt = of_one(house, "tp-ours")
    other: Caller = house.other
    put_of(other, "tp-ours/away", {"first": "2026-11-20"})
    # then another partner's word changes nothing here, and its words about our share are those for no share
    assert "deliveries" in read_as(house, receipt).json()
    assert cover(other, receipt["id"], "tp-cover").status_code == 404


def test_r07_days_that_are_over_or_end_before_they_begin_are_refused(house: House) -> None:
    for first, last in (("2026-11-10", "2026-11-11"), ("2026-11-25", "2026-11-24")):
        reply = house.cases.send_as("PUT", "/v1/trusted-people/tp-days/away", {"first": first, "last": last})
        assert refused(reply, 422)["type"] == "/problems/absence-wrong"


def test_r07_a_stretch_ends_by_itself(house: House) -> None:
    # given somebody who is away until Monday
    _, receipt = of_one(house, "tp-monday")
    put_of(house.cases, "tp-monday/away", {"first": "2026-11-20", "last": "2026-11-23"})
    house.rounds()
    assert alerts(house, receipt, "away") == ["open"]
    # when Tuesday comes, then all is as it was
    house.at(house.hub.now.business().replace(day=24))
    house.rounds()
    assert alerts(house, receipt, "away") == ["closed"]
    assert "deliveries" in read_as(house, receipt).json()
