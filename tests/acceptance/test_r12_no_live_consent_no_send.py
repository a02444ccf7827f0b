"""R12: without a living consent nothing goes; every reason is told at once, and the other services are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, consent_of, copy_of, story_of

Change = Callable[[dict[str, Any]], None]


def _absent(share: dict[str, Any]) -> None:
    share["services"] = [HOUSING, TREATMENT]
    share["consents"] = [consent_of(share, HOUSING)]


def _of_treatment(**changes: Any) -> Change:
    def change(share: dict[str, Any]) -> None:
        consent_of(share, TREATMENT).update(changes)

    return change


def _agreed(**changes: Any) -> Change:
    def change(share: dict[str, Any]) -> None:
        consent_of(share, TREATMENT)["agreed"].update(changes)

    return change


REASONS: dict[str, Change] = {
    "consent-absent": _absent,
    "consent-expired": _of_treatment(until="2026-11-19"),
    "consent-purpose": _of_treatment(purpose="find-somewhere-to-live"),
    "consent-not-sure": _agreed(able_to_decide="not_sure"),
    "best-interests-missing": _agreed(able_to_decide="no_best_interests"),
    "duties-not-explained": _agreed(duties_explained=False),
    "consent-from-the-future": _agreed(on="2026-12-24"),
    "consent-no-categories": _of_treatment(categories=[]),
    "consent-covers-nothing": _of_treatment(categories=["offending"]),
}


@pytest.mark.parametrize("reason", REASONS)
def test_r12_one_service_is_refused_and_the_other_goes(house: House, reason: str) -> None:
    # given a share for two services, of which one has no consent that is alive and fits
    share = a_share(HOUSING, TREATMENT)
    REASONS[reason](share)
    health_had = len(house.troupe.health.entries())

    # when it is sent
    receipt = house.cases.send(share)

    # then that service is refused with a type, a title and a next step
    assert [each["service"] for each in receipt["refused"]] == [TREATMENT]
    refused = receipt["refused"][0]
    assert refused["type"] == reason
    assert refused["title"].endswith(".")
    assert refused["next_step"].endswith(".")
    # and nothing stands in its queue, nor in the books of consents
    for table in ("deliveries", "consents"):
        found = house.rows(f"SELECT service_id FROM {table} WHERE share_id = :id", id=receipt["id"])
        assert [row["service_id"] for row in found] == [HOUSING]
    # and exactly one audit event says so, in codes
    audited = house.rows(
        "SELECT detail FROM audit_events WHERE action = 'delivery.refused' AND share_id = :id", id=receipt["id"]
    )
    assert len(audited) == 1
    assert reason in audited[0]["detail"]
    # and the other service is served
    until_true("housing to have it", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    assert len(house.troupe.health.entries()) == health_had


def test_r12_all_problems_are_told_at_once_and_403_when_no_service_is_left(new_house: Callable[..., House]) -> None:
    house = new_house()
    # given a share in which everything is wrong: expired, for another purpose, unsure, and no precondition met
    share = a_share(HOUSING, TREATMENT)
    for consent in share["consents"]:
        consent |= {"until": "2026-11-19", "purpose": "something-else", "facts": {}}
        consent["agreed"]["able_to_decide"] = "not_sure"
    before = house.settled()

    # when it is sent
    reply = house.cases.post("/v1/shares", share)

    # then nothing goes, and every reason for every service is in the one reply
    assert reply.status_code == 403
    assert reply.headers["content-type"] == "application/problem+json"
    told = {(each["service"], each["type"]) for each in reply.json()["refused"]}
    consent_wrong = {"consent-expired", "consent-purpose", "consent-not-sure"}
    gates = {"gate-consent-to-refer", "gate-chosen-authority", "gate-consent-to-pass-contact"}
    assert told == {(HOUSING, each) for each in consent_wrong | gates} | {(TREATMENT, each) for each in consent_wrong}
    assert all(each["next_step"] and each["title"] and each["pointer"] for each in reply.json()["refused"])
    # and no payload is kept: one audit event for each service is all there is, and word to the champion, sent
    told = {"audit_events": before["audit_events"] + 3, "notices": before["notices"] + 1}
    assert house.settled() == before | told


def test_r12_an_unknown_service_is_refused_by_itself(house: House) -> None:
    # given a share for housing and for a service that this partnership does not have
    share = a_share(HOUSING) | {"services": [HOUSING, "no-such-service"]}
    # when it is sent
    receipt = house.cases.send(share)
    # then that one alone is refused, by its place: what was sent is never repeated
    refused = [(each["service"], each["type"], each["pointer"]) for each in receipt["refused"]]
    assert refused == [("unknown", "service-unknown", "/services/1")]


def test_r12_withdrawn_before_it_went_nothing_goes_and_a_repeat_sends_nothing(new_house: Callable[..., House]) -> None:
    # given a share that waits, for its partner is down
    house = new_house()
    house.troupe.housing.stop()
    try:
        share = a_share(HOUSING)
        receipt = house.cases.send(share, key="told-and-taken-back")
        until_true("a first try", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "retrying")
        # when the person takes it back, the partner returns, and the case system repeats the very same request
        reply = house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {})
        assert reply.status_code == 200
    finally:
        house.troupe.housing.start()
    repeated = house.cases.send(share, key="told-and-taken-back")
    house.rounds(3)

    # then the repeat is the first answer, and nothing of the share was sent to anyone: only, as a try might have
    # arrived unseen, the request to stop using it, which tells nothing and finds nothing (R15)
    assert repeated == receipt
    assert house.cases.delivery(receipt["id"], HOUSING)["state"] == "cancelled"
    arrived = [e for e in house.troupe.housing.entries() if receipt["reference"].encode() in e.body]
    assert {json.loads(each.body)["status"] for each in arrived} <= {"WITHDRAWN"}
    assert not [each for each in arrived if each.effect]
    assert not [text for text in story_of(share) if any(text.encode() in each.body for each in arrived)]
    assert house.rows("SELECT count(*) AS n FROM shares") == [{"n": 1}]


def test_r12_a_consent_once_withdrawn_permits_no_further_share(house: House) -> None:
    # given a person's consent, withdrawn after a first share
    share = a_share(HOUSING) | {"person": {"reference": "P-3003"}}
    consent_of(share, HOUSING)["reference"] = "c-withdrawn"
    receipt = house.cases.send(share)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()
    # when the same consent of the same person comes with another share
    reply = house.cases.post("/v1/shares", copy_of(share))
    # then it is refused as withdrawn
    assert reply.status_code == 403
    assert reply.json()["refused"][0]["type"] == "consent-withdrawn"


def test_r12_a_consent_that_ends_while_the_share_waits_stops_it(new_house: Callable[..., House]) -> None:
    # given a share that waits, agreed until today
    house = new_house()
    house.troupe.housing.stop()
    try:
        share = a_share(HOUSING)
        consent_of(share, HOUSING)["until"] = "2026-11-20"
        receipt = house.cases.send(share)
        until_true("a first try", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "retrying")
        # when midnight passes in London before the partner is back
        house.at(datetime(2026, 11, 21, 0, 0, tzinfo=UTC) + timedelta(seconds=1))
        house.rounds()
    finally:
        house.troupe.housing.start()
    # then it is cancelled and never sent
    until_true("the sweep", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "cancelled")
    assert not [e for e in house.troupe.housing.entries() if receipt["reference"].encode() in e.body]


def test_r12_a_no_goes_nowhere_and_is_kept_as_what_they_said(house: House) -> None:
    # given a person who says yes to housing and no to treatment
    share = a_share(HOUSING, TREATMENT)
    consent_of(share, TREATMENT).update(answer="no", categories=[], facts={})
    health_had = len(house.troupe.health.entries())
    # when it is sent
    receipt = house.cases.send(share)
    # then treatment is refused for that reason alone, and the no stands beside the yes
    assert [(each["service"], each["type"]) for each in receipt["refused"]] == [(TREATMENT, "consent-refused")]
    kept = house.rows("SELECT service_id, state FROM consents WHERE share_id = :id", id=receipt["id"])
    assert {row["service_id"]: row["state"] for row in kept} == {HOUSING: "given", TREATMENT: "refused"}
    until_true("housing to have it", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    assert len(house.troupe.health.entries()) == health_had


def test_r12_of_a_no_alone_nothing_is_kept_but_that_it_was_said(house: House) -> None:
    # given
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["answer"] = "no"
    before = house.settled()
    # when
    reply = house.cases.post("/v1/shares", share)
    # then
    assert (reply.status_code, [each["type"] for each in reply.json()["refused"]]) == (403, ["consent-refused"])
    assert house.counts() == before | {"audit_events": before["audit_events"] + 1}


def test_r12_a_new_choice_takes_the_place_of_the_earlier_one(new_house: Callable[..., House]) -> None:
    # given a share that waits under a first choice, for its partner is down
    house = new_house()
    house.troupe.housing.stop()
    try:
        first = a_share(HOUSING)
        earlier = house.cases.send(first)
        until_true("a first try", lambda: house.cases.delivery(earlier["id"], HOUSING)["state"] == "retrying")
        # when the person chooses anew
        second = a_share(HOUSING, person=first["person"])
        consent_of(second, HOUSING)["replaces"] = consent_of(first, HOUSING)["reference"]
        later = house.cases.send(second)
        assert house.cases.delivery(earlier["id"], HOUSING)["state"] == "cancelled"
    finally:
        house.troupe.housing.start()
    # then only the share under the new choice ever gets there
    until_true("the new one", lambda: house.cases.delivery(later["id"], HOUSING)["state"] == "delivered")
    assert not [e for e in house.troupe.housing.entries() if earlier["reference"].encode() in e.body]
    # and the first choice is good for nothing more, in a preview as in a submit
    for path in ("/v1/shares", "/v1/shares/preview"):
        reply = house.cases.post(path, first)
        assert [each["type"] for each in reply.json()["refused"]] == ["consent-superseded"]


def test_r12_what_is_nobody_s_earlier_choice_or_another_s_is_told_alike(house: House) -> None:
    # given a choice of another partner's person, which bears the same names
    theirs = a_share(HOUSING)
    house.other.send(theirs)
    told = []
    for replaces in (consent_of(theirs, HOUSING)["reference"], "c-never-was"):
        share = a_share(HOUSING, SUPPORTED, person={"reference": "P-3004"} if told else theirs["person"])
        consent_of(share, HOUSING)["replaces"] = replaces
        # when it is to be replaced by us
        shown = house.cases.post("/v1/shares/preview", share).json()
        receipt = house.cases.send(share)
        # then that service alone is refused, in the same words, in a preview as in a submit
        assert shown["refused"] == receipt["refused"]
        assert [each["service"] for each in receipt["deliveries"]] == [SUPPORTED]
        told.append(receipt["refused"])
    assert told[0] == told[1]
    assert [(each["type"], each["pointer"]) for each in told[0]] == [("replaces-unknown", "/consents/0/replaces")]


def test_r12_what_is_not_sure_goes_to_the_champion_and_not_to_send(house: House) -> None:
    # given a share in which a worker is not sure that the person could decide about treatment
    share = a_share(HOUSING, TREATMENT)
    consent_of(share, TREATMENT)["agreed"]["able_to_decide"] = "not_sure"
    share["reference"] = "DC-not-sure"
    # when it is sent, and sent again as another share of the same name
    receipt = house.cases.send(share)
    again = house.cases.send(share | {"person": {"reference": "P-3005"}})
    house.settled_notices()
    # then treatment is refused, and the sender's own champion is asked once to look at it together, by reference alone
    assert [(each["service"], each["type"]) for each in receipt["refused"]] == [(TREATMENT, "consent-not-sure")]
    (mail,) = house.mails(receipt, "champion@daycentre.example")
    assert mail["subject"] == f"Look at it together: {receipt['reference']}"
    assert not [words for words in story_of(share) if words in json.dumps(mail)]
    assert house.mails(again, "champion@daycentre.example") == []


def test_r12_where_somebody_decided_for_them_it_goes_with_role_and_basis_on_record(house: House) -> None:
    # given a person who could not decide about treatment today, and whose best interests somebody weighed, by role
    share = a_share(TREATMENT)
    decided = {"role": "Social worker", "basis": "MCA-2005-s4"}
    consent_of(share, TREATMENT)["agreed"].update(able_to_decide="no_best_interests", best_interests=decided)
    # when it is sent, then it goes, and the record says who decided and on what basis
    receipt = house.cases.send(share)
    assert receipt["refused"] == []
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    (kept,) = house.cases.get(f"/v1/consents/{receipt['consent']}").json()["consents"]
    assert kept["terms"]["agreed"]["best_interests"] == decided
    # and what is no code is not taken
    consent_of(share, TREATMENT)["agreed"]["best_interests"] = {"role": "", "basis": "because we think so"}
    wrong = house.cases.post("/v1/shares", share)
    assert wrong.status_code == 422
    at = "/consents/0/agreed/best_interests"
    assert [each["pointer"] for each in wrong.json()["faults"]] == [f"{at}/role", f"{at}/basis"]
