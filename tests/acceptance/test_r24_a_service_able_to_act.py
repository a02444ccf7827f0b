"""R24, R58: who can act on a need in an area is listed, nothing is sent by asking, and nobody able is said plainly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.house import House, replace_in, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share

REFERRER = """
title = "Councils only"

[[preconditions]]
id = "referrer"
kind = "referrer"
partner_kinds = ["public_body"]
title = "Only a council can send to this team."
next_step = "Ask the council to send it."
"""


def listed(house: House, query: str = "") -> list[str]:
    """Return the ids that are listed."""
    return [each["id"] for each in house.cases.get(f"/v1/services{query}").json()["services"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {HOUSING, SUPPORTED, TREATMENT}),
        ("?need=find-somewhere-to-live", {HOUSING, SUPPORTED}),
        ("?need=find-somewhere-to-live&area=E07000008", {HOUSING, SUPPORTED}),
        ("?need=start-treatment&area=E09000001", {TREATMENT}),  # no area of its own: it acts everywhere
        ("?area=E09000001", {TREATMENT}),
        ("?need=find-somewhere-to-live&area=E09000001", set()),
        ("?need=no-such-need", set()),
    ],
)
def test_r24_those_who_can_act_on_a_need_in_an_area_are_listed(house: House, query: str, found: set[str]) -> None:
    assert set(listed(house, query)) == found


def test_r24_where_nobody_can_it_says_so_and_whom_to_ask(house: House) -> None:
    reply = house.cases.get("/v1/services?need=no-such-need").json()
    assert reply["none"]["title"] == "No service here can take this yet."
    assert "Ashley, on champion@daycentre.example" in reply["none"]["next_step"]


def test_r24_asking_sends_nothing(house: House) -> None:
    before = house.settled()
    listed(house, "?need=find-somewhere-to-live")
    after = house.settled()
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} in ({}, {"audit_events": 1})


def test_r24_a_gap_goes_to_the_coordinator_and_the_sender_hears_who_has_it(house: House) -> None:
    # given a need that nobody here acts on
    before = house.settled()
    body = {"need": "somewhere-to-detox", "area": "E07000008"}
    # when a worker tells that, and tells it once more
    reply = house.cases.post("/v1/gaps", body, key="gap-1")
    assert house.cases.post("/v1/gaps", body, key="gap-1").json()["id"] == reply.json()["id"]
    # then they read who was told, and the coordinator gets one mail, which names neither the need nor anybody
    gap = reply.json()
    assert (reply.status_code, gap["told"], gap["need"], gap["state"]) == (202, "Alex", body["need"], "waiting")
    (mail,) = until_true("the mail", lambda: [each for each in house.troupe.mails() if gap["id"] in each["text"]])
    assert mail["to"] == ["coordinator@hub.example"]
    assert "detox" not in mail["text"] + mail["subject"]
    # and no share, consent or delivery came to be
    after = house.settled()
    assert {name for name, n in after.items() if n != before[name]} <= {
        "audit_events",
        "notices",
        "rings",
        "gaps",
        "seen",
    }
    # when the coordinator opens the link, then it says what was looked for; and once they have it the sender reads so
    link = next(each for each in mail["text"].split() if "/rings/" in each)
    shown = house.cases.http.get(link).text
    assert "somewhere-to-detox in E07000008" in shown
    assert house.cases.http.post(link).status_code == 200
    assert house.cases.get(f"/v1/gaps/{gap['id']}").json()["state"] == "picked_up"
    # and nobody else's team, and no other address, knows of it
    assert house.other.get(f"/v1/gaps/{gap['id']}").status_code == 404
    assert house.cases.get(f"/v1/please-ring-me/{gap['id']}").status_code == 404


def test_r24_where_somebody_can_act_there_is_no_gap(house: House) -> None:
    reply = house.cases.post("/v1/gaps", {"need": "find-somewhere-to-live", "area": "E07000008"})
    assert (reply.status_code, reply.json()["type"]) == (409, "/problems/a-service-can-act")
    assert house.rows("SELECT 1 FROM gaps WHERE need = 'find-somewhere-to-live'") == []


@pytest.mark.parametrize(
    "body",
    [
        {"need": "Sam Rivers needs a bed"},
        {"need": "sam", "area": "12 Mill Road"},
        {"need": "a-" * 40},
        {"need": "x", "person": {"reference": "P-1"}},
        {},
    ],
)
def test_r24_a_gap_holds_codes_and_nobody(house: House, body: dict[str, Any], nothing_stored: None) -> None:
    del nothing_stored
    reply = house.cases.post("/v1/gaps", body)
    assert reply.status_code == 422
    assert "Sam" not in reply.text
    assert "Mill" not in reply.text


def test_r24_nothing_goes_until_the_trusted_person_picks(house: House) -> None:
    # given a share that names no service
    share = a_share() | {"consents": [], "services": []}
    before = house.settled()
    # when it is sent, then it is asked which, and nothing is chosen for them
    reply = house.cases.post("/v1/shares", share)
    assert reply.status_code in {403, 422}
    assert house.settled()["deliveries"] == before["deliveries"]


def test_r58_what_each_asks_for_and_may_have_to_do_is_published(house: House) -> None:
    # given the list, when one service is looked at
    services = {each["id"]: each for each in house.cases.get("/v1/services").json()["services"]}

    # then its gates stand there in plain words, and its duties, and no name of anybody who works there
    (gate,) = services[HOUSING]["gates"]
    assert [each["type"] for each in gate["asks"]] == [
        *("gate-consent-to-refer", "gate-chosen-authority", "gate-another-council", "gate-consent-to-pass-contact"),
    ]
    assert all(each["title"] and each["next_step"] and each["of"] == "share" for each in gate["asks"])
    assert services[HOUSING]["asks_for"] == ["chosen_authority", "consent_to_pass_contact", "consent_to_refer"]
    assert "at risk" in services[HOUSING]["duties"]
    assert (services[HOUSING]["you_may_send"], services[HOUSING]["instead"]) == (True, [])
    assert "Robin" not in str(services)


def test_r58_a_confidential_service_is_in_no_list(new_house: Callable[..., House]) -> None:
    # given a service that is confidential
    def edit(folder: Path) -> None:
        replace_in(folder / "services" / f"{SUPPORTED}.toml", "purposes", "confidential = true\npurposes")

    house = new_house(edit=edit)

    # then no list has it, with or without a need
    assert SUPPORTED not in listed(house)
    assert SUPPORTED not in listed(house, "?need=find-somewhere-to-live")
    assert HOUSING in listed(house)


def test_r24_a_service_that_takes_nothing_from_this_sender_is_not_offered_for_a_need(
    new_house: Callable[..., House],
) -> None:
    # given a service that only councils may send to, and a charity that asks
    def edit(folder: Path) -> None:
        (folder / "gates" / "councils.toml").write_text(REFERRER, encoding="utf-8")
        file = folder / "services" / f"{TREATMENT}.toml"
        replace_in(file, "purposes", 'gates = ["councils"]\npurposes')

    house = new_house(edit=edit)

    # then it stands in the whole list, with what to do instead, and is not offered for the need
    (one,) = [each for each in house.cases.get("/v1/services").json()["services"] if each["id"] == TREATMENT]
    assert (one["you_may_send"], one["instead"]) == (False, ["Ask the council to send it."])
    assert listed(house, "?need=start-treatment") == []
