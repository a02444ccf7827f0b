"""R19: the story is told once; a later fact is an addendum, decided anew for each service that has the share."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.acceptance.caller import as_json
from tests.acceptance.continuing import arrived, call, delivered, documents, following, section
from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share
from tests.acceptance.test_r13_preview_equals_delivery import stand_still


def test_r19_a_later_fact_goes_to_whoever_may_see_it(house: House) -> None:
    # given one story for three services
    receipt = delivered(house, a_share(HOUSING, SUPPORTED, TREATMENT), HOUSING, SUPPORTED, TREATMENT)
    # when a later fact about their housing is told
    said = call(house, receipt, "addenda", sections=[section("s20", "housing", "The sofa is gone.")], relates_to="s6")
    # then both councils get it, and the health service, for which it was not agreed, is named with the reason
    assert {each["service"] for each in said["deliveries"]} == {HOUSING, SUPPORTED}
    assert {(each["service"], each["type"]) for each in said["refused"]} == {(TREATMENT, "consent-covers-nothing")}
    assert (said["id"], said["reference"], said["ring"]) == (receipt["id"], receipt["reference"], [])
    found = arrived(house, receipt, "addendum", 2)
    assert found[HOUSING]["words"] == "Housing has the new part."
    # and it arrives as a note on the same referral, with nothing that was told before
    first, note = documents(house.troupe.housing, receipt)
    assert (note["kind"], note["referralKey"], note["housing"][0]["words"]) == (
        "addendum",
        house.key_of(receipt, HOUSING),
        "The sofa is gone.",
    )
    assert first["person"]["name"] not in json.dumps(note)
    assert len(documents(house.troupe.health, receipt)) == 1
    # and its receipt has clocks of its own, and no more than that
    rungs = house.rows("SELECT level FROM clocks WHERE delivery_id = :id ORDER BY level", id=found[HOUSING]["id"])
    assert [row["level"] for row in rungs] == [0, 1, 2]


def test_r19_the_preview_of_an_addendum_is_what_is_delivered(new_house: Callable[..., House]) -> None:
    # given a share that both a council and a health service have, and a worker who looks before sending more
    house = new_house()
    stand_still(house)
    receipt = delivered(house, a_share(HOUSING, TREATMENT), HOUSING, TREATMENT)
    body = {"sections": [section("s21", "goal", "A door that locks, by March.")]}
    path = f"/v1/shares/{receipt['id']}/addenda"
    before = house.settled()
    shown = house.cases.post(f"{path}/preview", body, key="same").json()
    # then the look is all that was kept of it
    assert house.settled() == before | {"audit_events": before["audit_events"] + 1}
    # when the same is sent under the same key
    sent = house.cases.post(path, body, key="same")
    assert sent.status_code == 202, sent.text
    arrived(house, receipt, "addendum", 2)
    # then each service has just the bytes that were shown
    for service, sandbox in ((HOUSING, house.troupe.housing), (TREATMENT, house.troupe.health)):
        (parcel,) = [each["parcel"] for each in shown["deliveries"] if each["service"] == service]
        newest = [each.body for each in sandbox.entries() if each.effect][-1]
        assert newest == parcel.encode()
    # and sent again, it gets the first answer and goes nowhere
    assert house.cases.post(path, body, key="same").json() == sent.json()
    assert len(following(house, receipt, "addendum")) == 2
    # and the key means nothing else
    other = house.cases.post(path, body | {"relates_to": "s4"}, key="same")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_r19_what_was_withdrawn_gets_nothing_more(house: House) -> None:
    # given a share for two, one of whom the person has since withdrawn
    receipt = delivered(house, a_share(HOUSING, SUPPORTED), HOUSING, SUPPORTED)
    reply = house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": [SUPPORTED]})
    assert reply.status_code == 200
    # when a later fact is told
    said = call(house, receipt, "addenda", sections=[section("s22", "goal", "To see my sister.")])
    # then it goes to the one who may still see it
    assert [each["service"] for each in said["deliveries"]] == [HOUSING]
    assert {(each["service"], each["type"]) for each in said["refused"]} == {(SUPPORTED, "consent-withdrawn")}
    arrived(house, receipt, "addendum", 1)
    assert not [each for each in documents(house.troupe.supported, receipt) if "sister" in json.dumps(each)]
    # and when all of it is withdrawn, then to nobody, and nothing is kept
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {})
    refused = call(house, receipt, "addenda", 403, sections=[section("s23", "goal", "More.")])
    assert {each["type"] for each in refused["refused"]} == {"consent-withdrawn"}
    assert len(following(house, receipt, "addendum")) == 1


def test_r19_another_partner_s_share_is_no_share(house: House) -> None:
    # given a share of ours
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    bodies = {
        "addenda": {"sections": [section("s1", "goal", "x")]},
        "corrections": {"corrects": "s6"},
        "replies": {"delivery": receipt["deliveries"][0]["id"], "sections": [section("s1", "goal", "x")]},
        "pauses": {"section": "s6"},
        "person-told": {"told": "yes", "on": "2026-11-20"},
        "death": {},
    }
    # when another partner speaks of it, or anyone of none, then both look the same
    for which, body in bodies.items():
        theirs = house.other.post(f"/v1/shares/{receipt['id']}/{which}", as_json(body))
        nobody_s = house.cases.post(f"/v1/shares/{'0' * 32}/{which}", as_json(body))
        assert (theirs.status_code, theirs.content) == (404, nobody_s.content), which
