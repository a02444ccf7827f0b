"""R68: before agreeing, the person is told what a service may have to do with what it hears."""

from __future__ import annotations

from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of

DUTIES = {
    HOUSING: "They may have to tell other council teams if a child or an adult is at risk.",
    TREATMENT: "They may have to act if someone is at risk, and to keep a record of what they are told.",
}


def test_r68_every_listed_service_says_it(house: House) -> None:
    # given / when
    listed = {each["id"]: each for each in house.cases.get("/v1/services").json()["services"]}
    # then
    assert {service: listed[service]["duties"] for service in DUTIES} == DUTIES
    assert all(each["duties"] for each in listed.values())
    assert {each["children"] for each in listed.values()} == {False}


def test_r68_a_preview_says_it_of_each_service_also_where_it_was_not_explained_yet(house: House) -> None:
    # given a share for two services, and one of which it has not been explained
    share = a_share(HOUSING, TREATMENT)
    consent_of(share, TREATMENT)["agreed"]["duties_explained"] = False
    # when it is previewed
    shown = house.cases.post("/v1/shares/preview", share).json()
    # then the worker can read it out before the person agrees
    assert {each["service"]: each["words"] for each in shown["duties"]} == DUTIES
    assert [(each["service"], each["type"]) for each in shown["refused"]] == [(TREATMENT, "duties-not-explained")]


def test_r68_where_it_was_not_explained_nothing_is_sent(house: House) -> None:
    # given
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["agreed"]["duties_explained"] = False
    # when / then
    reply = house.cases.post("/v1/shares", share)
    assert (reply.status_code, [each["type"] for each in reply.json()["refused"]]) == (403, ["duties-not-explained"])
