"""R58: `GET /v1/services` says of each service what it acts on and asks for, how fast it is, and what it cannot do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hub.domain.share import Category
from tests.acceptance.house import House, append_to, replace_in
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT

SAYS = "They cannot house anyone tonight."


def test_r58_a_listing_has_every_limit_of_a_service(new_house: Callable[..., House]) -> None:
    # given a housing team that says what it cannot do and agreed a clock, and one that is confidential
    def edit(folder: Path) -> None:
        file = folder / "services" / f"{HOUSING}.toml"
        replace_in(file, "purposes", f'cannot = ["{SAYS}"]\npurposes')
        append_to(file, '[clocks]\nagreed_by = "Housing and the partnership"\nagreed_on = 2026-11-03\n')
        append_to(file, "standard = { L3 = { working_days = 2 } }\n")
        replace_in(folder / "services" / f"{SUPPORTED}.toml", "purposes", "confidential = true\npurposes")

    house = new_house(edit=edit)
    reply = house.cases.get("/v1/services").json()
    listed = {each["id"]: each for each in reply["services"]}
    # then the confidential one is in no list, and nobody is named: the follow-up is a role
    assert set(listed) == {HOUSING, TREATMENT}
    housing, treatment = listed[HOUSING], listed[TREATMENT]
    assert housing["follow_up"] == "The champion of City council"
    assert not [name for name in ("Robin", "Kit", "Ashley", "@") if name in json.dumps(reply)]
    # and what it acts on, where, on what terms, how fast and by whose agreement
    assert (housing["purposes"], housing["area"]) == (["find-somewhere-to-live", "keep-my-tenancy"], "E07000008")
    assert next(each["id"] for each in housing["gates"]) == "duty-to-refer"
    assert housing["clocks"]["standard"]["L3"] == {
        "working_days": 2,
        "agreed_by": "Housing and the partnership",
        "agreed_on": "2026-11-03",
    }
    assert set(housing["clocks"]["standard"]) == {"L1", "L2", "L3", "L4"}
    assert "may have to tell" in housing["duties"]
    # and what it cannot do: its own words, and what its way in cannot carry
    assert housing["cannot"][0] == SAYS
    assert SAYS not in treatment["cannot"]
    for each in listed.values():
        assert set(each["cannot_receive"]) | set(each["can_receive"]) == {str(category) for category in Category}
        assert not set(each["cannot_receive"]) & set(each["can_receive"])
    # and the same limits are in the standard's own form
    published = house.cases.get("/v1/services/open-referral").json()["contents"]
    assert [SAYS in each["description"] for each in published if each["name"] == "Housing"] == [True]


def test_r58_a_listing_is_never_permission_to_send(new_house: Callable[..., House]) -> None:
    # given a listed service whose entry nobody approved, then the list says that it waits for that
    house = new_house(edit=lambda folder: (folder / "approvals" / f"{HOUSING}.json").unlink(), approves=False)
    listed = {each["id"]: each["waits_for_approval"] for each in house.cases.get("/v1/services").json()["services"]}
    assert listed == {HOUSING: True, SUPPORTED: False, TREATMENT: False}
