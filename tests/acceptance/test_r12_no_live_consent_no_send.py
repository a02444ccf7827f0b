"""R12: without a living consent nothing goes; every reason is told at once, and the other services are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of, copy_of, story_of

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


def test_r12_all_problems_are_told_at_once_and_403_when_no_service_is_left(house: House) -> None:
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
    # and no payload is kept: one audit event for each service is all there is
    assert house.counts() == before | {"audit_events": before["audit_events"] + 2}


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
