"""R22: a team for children is told who agreed; a young person's no stands, and parents hear nothing from the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.house import House, Troupe, open_house, replace_in, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, consent_of, strings


def _for_children(folder: Path) -> None:
    replace_in(folder / "services" / f"{SUPPORTED}.toml", "duties = ", "children = true\nduties = ")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub of which one team works with children."""
    with open_house(tmp_path_factory.mktemp("children") / "instance", troupe, edit=_for_children) as opened:
        yield opened


def _refused(house: House, **agreed: Any) -> list[tuple[str, str, str]]:
    share = a_share(HOUSING, SUPPORTED)
    consent_of(share, SUPPORTED)["agreed"].update(agreed)
    return [(each["service"], each["type"], each["pointer"]) for each in house.cases.send(share)["refused"]]


def test_r22_a_team_for_children_gets_nothing_while_nobody_says_who_agreed(house: House) -> None:
    # given a share for a team for children and another team, which does not say who agreed
    # when it is sent, then the first alone is refused, by the place of what is missing
    assert _refused(house) == [(SUPPORTED, "agreement-missing", "/consents/1/agreed/by")]


@pytest.mark.parametrize("who", ["young_person", "parent_or_carer", "both"])
def test_r22_with_who_agreed_when_and_how_it_goes(house: House, who: str) -> None:
    assert _refused(house, by=who) == []


@pytest.mark.parametrize("who", ["young_person", "parent_or_carer", "both"])
def test_r22_a_parent_s_yes_does_not_replace_a_young_person_s_no(house: House, who: str) -> None:
    expected = [(SUPPORTED, "young-person-refused", "/consents/1/agreed/young_person_refused")]
    assert _refused(house, by=who, young_person_refused=True) == expected


@pytest.mark.parametrize("missing", ["on", "how", "duties_explained"])
def test_r22_date_and_method_are_always_asked_for(house: House, missing: str) -> None:
    # given
    share = a_share(SUPPORTED)
    del consent_of(share, SUPPORTED)["agreed"][missing]
    # when / then
    reply = house.cases.post("/v1/shares", share)
    assert reply.status_code == 422
    assert [each["pointer"] for each in reply.json()["faults"]] == [f"/consents/0/agreed/{missing}"]


def test_r22_parents_are_never_written_to_by_the_hub(house: House) -> None:
    # given a share that holds a parent's e-mail address wherever one may be written, agreed by that parent
    parent = "parent@family.example"
    share = a_share(SUPPORTED)
    share["sections"][0].setdefault("fields", {})["parent_email"] = parent
    share["trusted_person"]["contact"]["email"] = parent
    consent_of(share, SUPPORTED)["agreed"]["by"] = "parent_or_carer"
    # when it is sent and nobody answers until every clock has run out
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")
    house.at(house.hub.calendar.add_working_days(house.hub.now.business(), 30))
    house.rounds()
    house.settled_notices()
    # then mails went to people whom the partnership's file names, and to nobody else; webhooks to case systems
    written_to = {to for mail in house.mails(receipt) for to in mail["to"]}
    assert written_to
    assert parent not in written_to
    named = set(strings([each.model_dump() for each in house.hub.configuration.partnership.partners]))
    assert written_to <= named | {"operator@hub.example", "duty@council.example"}
    assert {row["channel"] for row in house.rows("SELECT DISTINCT channel FROM notices")} <= {"email", "webhook"}
    ids = {row["recipient"] for row in house.rows("SELECT DISTINCT recipient FROM notices")}
    assert not [each for each in ids if "@" in each]
