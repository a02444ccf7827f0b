"""R05: a person can trust several, each with their own topic; none sees another's, and a new one ends no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.continuing import call, delivered, following, section
from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, TREATMENT, a_share
from tests.acceptance.trusting import keep_link


def by(reference: str, *services: str) -> dict[str, Any]:
    """A share of one person, told to the trusted person of that reference."""
    share = a_share(*services) | {"person": {"reference": "P-of-two"}}
    share["trusted_person"]["reference"] = reference
    return share


def listed(house: House, reference: str) -> list[str]:
    """The ids that a trusted person's list shows."""
    page = house.cases.get(f"/v1/shares?trusted_person={reference}").raise_for_status().json()
    return [each["id"] for each in page["shares"]]


def test_r05_each_sends_for_their_own_topic_and_sees_their_own_alone(house: House) -> None:
    # given one person who trusts one about housing and another about treatment
    keep_link(house.cases, by("tp-housing"), topics=["find-somewhere-to-live"])
    keep_link(house.cases, by("tp-health"), topics=["start-treatment"])
    # when both send for both services
    first = house.cases.send(by("tp-housing", HOUSING, TREATMENT))
    second = house.cases.send(by("tp-health", HOUSING, TREATMENT))
    # then each may for their own topic
    assert [each["service"] for each in first["deliveries"]] == [HOUSING]
    assert [(each["service"], each["type"]) for each in first["refused"]] == [(TREATMENT, "trusted-person-topic")]
    assert [each["service"] for each in second["deliveries"]] == [TREATMENT]
    # and when housing answers the first, the second sees nothing of it, by list or by id
    until_true("it to arrive", lambda: house.cases.delivery(first["id"], HOUSING)["state"] == "delivered")
    assert house.say(first, HOUSING, status="ACCEPTED", ownerName="Jo").status_code < 300
    until_true("the answer", lambda: house.cases.delivery(first["id"], HOUSING)["answers"])
    assert (listed(house, "tp-housing"), listed(house, "tp-health")) == ([first["id"]], [second["id"]])
    hidden = house.cases.get(f"/v1/shares/{first['id']}?trusted_person=tp-health")
    random = house.cases.get(f"/v1/shares/{'0' * 32}?trusted_person=tp-health")
    assert (hidden.status_code, hidden.content) == (404, random.content)
    assert house.cases.get(f"/v1/shares/{first['id']}?trusted_person=tp-housing").status_code == 200


def test_r05_a_third_ends_none_of_the_others(house: House) -> None:
    for reference in ("tp-a", "tp-b", "tp-c"):
        keep_link(house.cases, by(reference))
    for reference in ("tp-a", "tp-b", "tp-c"):
        assert house.cases.send(by(reference, HOUSING))["deliveries"]


def test_r05_from_the_day_that_one_stops_only_theirs_goes_no_more(house: House) -> None:
    # given two, of whom one stopped yesterday
    keep_link(house.cases, by("tp-left"), until="2026-11-19")
    keep_link(house.cases, by("tp-stays"))
    # then theirs is refused, and the other's goes; a share they sent before gets no more from them either
    told = refused(house.cases.post("/v1/shares", by("tp-left", HOUSING)), 403)
    assert [each["type"] for each in told["refused"]] == ["trusted-person-ended"]
    assert house.cases.send(by("tp-stays", HOUSING))["deliveries"]


@pytest.mark.parametrize(
    ("changes", "said"), [({"until": "2026-11-19"}, "trusted-person-ended"), ({"not_safe": True}, "look-first")]
)
def test_r05_what_follows_a_share_is_stopped_too(house: House, changes: dict[str, Any], said: str) -> None:
    # given a share that went, whose trusted person has stopped since, or was marked as not safe
    share = by(f"tp-{said}", HOUSING)
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    keep_link(house.cases, share, **changes)
    # when they tell more, then nothing goes
    more = {"sections": [share["sections"][-1] | {"id": "s-more", "category": "housing"}]}
    assert refused(house.cases.post(f"/v1/shares/{receipt['id']}/addenda", more), 403)["type"].endswith(said)
    kinds = house.rows("SELECT kind FROM deliveries WHERE share_id = :id", id=receipt["id"])
    assert [each["kind"] for each in kinds] == ["share"]


def test_r05_what_follows_is_only_of_what_they_were_chosen_for(house: House) -> None:
    # given a share that went, after which the person narrows what this trusted person speaks about
    share = a_share(HOUSING, person={"reference": "P-narrowed"})
    receipt = delivered(house, share, HOUSING)
    keep_link(house.cases, share, topics=["something-else"])
    more = {"sections": [section("s50", "goal", "A quiet place.")]}
    # when more is told, or shown first
    told, shown = call(house, receipt, "addenda", 403, **more), call(house, receipt, "addenda/preview", 200, **more)
    # then it is refused in the same way, and nothing of it is kept
    for said in (told, shown):
        assert [each["type"] for each in said["refused"]] == ["trusted-person-topic"]
    assert shown["deliveries"] == []
    assert following(house, receipt, "addendum") == {}
    # and to take a statement back stays open
    call(house, receipt, "corrections", 202, corrects=share["sections"][0]["id"])
