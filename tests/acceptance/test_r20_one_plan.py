"""R20: a service that may know of the person's plan gets its reference and version, and the goals it was agreed."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.continuing import arrived, call, delivered
from tests.acceptance.house import House
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share


def test_r20_only_a_service_that_may_know_of_the_plan_is_told_where_it_is(looking: House) -> None:
    # given a plan in a partner's system, and one service of two that may know of it
    share = a_share(HOUSING, TREATMENT, plan={"reference": "zq-plan", "version": "zq-7"})
    share["consents"][0]["categories"] += ["plan_reference"]
    share["sections"].append(section("plan_reference", text="zq-about the plan", said=SAID, words_checked=True))
    shown = preview(looking, share)
    # then that one is told its reference, its version and what is said of it, and the other nothing
    plan = shown.parcel(HOUSING)["plan"]
    assert (plan["reference"], plan["version"], plan["about"][0]["words"]) == ("zq-plan", "zq-7", "zq-about the plan")
    assert "zq-" not in shown.text(TREATMENT)


def test_r20_a_health_service_reads_it_as_the_plan_that_its_referral_is_based_on(looking: House) -> None:
    share = a_share(TREATMENT, plan={"reference": "zq-plan", "version": "zq-7"})
    share["consents"][0]["categories"] += ["plan_reference"]
    entries = preview(looking, share).parcel(TREATMENT)["entry"]
    (referral,) = [each["resource"] for each in entries if each["resource"]["resourceType"] == "ServiceRequest"]
    assert referral["basedOn"] == [
        {"type": "CarePlan", "identifier": {"value": "zq-plan"}, "display": "Version zq-7"},
    ]


MORE = {"id": "s-more", "category": "goal", "text": "More.", "said": SAID}
OLD = "There is a newer version of their plan. Ask them before you rely on this one."


def _with_plan(version: str, person: dict[str, str], *services: str) -> dict[str, Any]:
    """A share that names a version of one plan, for services that may know of it."""
    share = a_share(*services, person=person, plan={"reference": f"plan-of-{person['reference']}", "version": version})
    for consent in share["consents"]:
        consent["categories"] += ["plan_reference"]
    share["sections"].append(section("plan_reference", text="There is a plan.", said=SAID, words_checked=True))
    return share


def _later(house: House, receipt: dict[str, Any]) -> dict[str, Any]:
    """What housing's newest note on a referral says of the plan."""
    arrived(house, receipt, "addendum", 1)
    notes = [each for each in house.troupe.housing.entries() if receipt["reference"].encode() in each.body]
    plan: dict[str, Any] = json.loads(notes[-1].body)["plan"]
    return plan


def test_r20_a_version_that_is_not_the_newest_is_flagged_to_the_receiver_and_the_sender(house: House) -> None:
    # given a plan of which a second version was named after the first
    person = {"reference": "P-r20"}
    first = delivered(house, _with_plan("v-b", person, HOUSING), HOUSING)
    second = house.cases.send(_with_plan("v-a", person, SUPPORTED))
    assert "plan" not in first
    assert "plan" not in second  # what came last is the newest, whatever its name
    # when the first is named again
    share = _with_plan("v-b", person, TREATMENT)
    shown = house.cases.post("/v1/shares/preview", share).json()
    receipt = house.cases.send(share)
    # then the sender reads that it is old, and so does the service, in a preview as in a submit
    assert receipt["plan"]["stale"] is shown["plan"]["stale"] is True
    assert "newer version" in receipt["plan"]["words"]
    (parcel,) = [each["parcel"] for each in shown["deliveries"]]
    assert "Version v-b. There is a newer version" in parcel
    # and what follows the first share names its version, and says that it is old by now
    assert call(house, first, "addenda", sections=[MORE])["plan"]["stale"] is True
    plan = _later(house, first)
    assert (plan["reference"], plan["version"], plan["note"]) == ("plan-of-P-r20", "v-b", OLD)


def test_r20_what_follows_names_the_version_also_when_it_is_the_newest(house: House) -> None:
    receipt = delivered(house, _with_plan("v-1", {"reference": "P-r20-newest"}, HOUSING), HOUSING)
    assert "plan" not in call(house, receipt, "addenda", sections=[MORE])
    plan = _later(house, receipt)
    assert (plan["reference"], plan["version"], "note" in plan) == ("plan-of-P-r20-newest", "v-1", False)


def test_r20_another_partner_s_plan_of_the_same_name_says_nothing_of_ours(house: House) -> None:
    # given two versions of a plan that another partner named
    person = {"reference": "P-r20-theirs"}
    for version, service in (("v-1", HOUSING), ("v-2", SUPPORTED)):
        assert house.other.send(_with_plan(version, person, service))
    # when we name the first by the same names, then nothing is said of it
    assert "plan" not in house.cases.send(_with_plan("v-1", person, HOUSING))


def test_r20_of_a_plan_keyed_hashes_alone_stand_in_clear(house: House) -> None:
    house.cases.send(_with_plan("zq-version", {"reference": "P-zq-plan"}, HOUSING))
    rows = house.rows("SELECT partner_id, plan, version FROM plan_versions")
    assert rows
    assert not [row for row in rows if "zq" in f"{row['plan']}{row['version']}"]
