"""R14: a consent's record can be exported, whole, as JSON and as FHIR R4, and tells nobody's name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.consent import Consent

from hub.sandbox.instance import CLIENT
from tests.acceptance.continuing import delivered
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, consent_of, told_strings

Json = dict[str, Any]
README = Path(__file__).parents[2] / "README.md"
#: What ISO/IEC TS 27560:2023 makes mandatory, by the name it has there.
MANDATORY = {
    *("schema_version", "record_id", "pii_principal_id"),
    *("privacy_notice", "language", "purpose", "pii_information", "pii_type", "pii_controllers"),
    *("storage_locations", "retention_period", "jurisdiction", "recipient_third_parties", "withdrawal_method"),
    *("party_id", "party_name", "party_address", "party_contact", "party_type"),
    *("event_time", "validity_duration", "entity_id", "event_type", "event_state"),
}


def export(house: House, record: str) -> Json:
    found: Json = house.cases.get(f"/v1/consents/{record}").raise_for_status().json()
    return found


def as_fhir(house: House, record: str) -> Json:
    headers = {"authorization": f"Bearer {house.cases.token()}", "accept": "application/fhir+json"}
    reply = house.cases.http.get(f"/v1/consents/{record}", headers=headers).raise_for_status()
    assert reply.headers["content-type"] == "application/fhir+json"
    found: Json = reply.json()
    return found


def resources(bundle: Json) -> dict[str, Json]:
    """Each consent's resource, by its service."""
    Bundle.model_validate(bundle)
    found = [each["resource"] for each in bundle["entry"]]
    for each in found:
        Consent.model_validate(each)
    return {each["provision"]["actor"][0]["reference"]["identifier"]["value"]: each for each in found}


def at(document: Any, path: str) -> Iterator[Any]:
    """What stands at a path such as `consents[].events[].at`."""
    name, _, rest = path.partition(".")
    bare = name.removesuffix("[]")
    assert bare in document, f"{bare} of {path}"
    inner = document[bare] if name.endswith("[]") else [document[bare]]
    for each in inner:
        yield from at(each, rest) if rest else [each]


def _row(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def mapped() -> dict[str, list[str]]:
    """The README's table: where each field of the standard stands in an export."""
    page = README.read_text(encoding="utf-8")
    table = page[page.index("| TS 27560 |") :].split("\n\n")[0].splitlines()[2:]
    cells = [_row(line) for line in table]
    return {
        name: re.findall(r"`([^`]+)`", places) for each in cells for name, places in [(each[1].strip("`"), each[2])]
    }


def test_r14_every_mandatory_field_of_the_standard_stands_in_an_export(house: House) -> None:
    # given the README's table, and a share that two services may have
    table = mapped()
    receipt = house.cases.send(a_share(HOUSING, TREATMENT))
    # when its record is exported
    shown = export(house, receipt["consent"])
    # then no mandatory field is missing from the table, and every row points at what is there
    assert set(table) >= MANDATORY
    for name, paths in table.items():
        for path in paths:
            found = list(at(shown, path))
            assert found, (name, path)
            if name in MANDATORY - {"party_address"}:  # which an instance's own file has to give
                assert all(each not in (None, "", []) for each in found), (name, path)


def test_r14_the_terms_are_those_that_were_agreed(house: House) -> None:
    # given
    share = a_share(HOUSING, TREATMENT)
    receipt = house.cases.send(share)
    # when
    shown = export(house, receipt["consent"])
    # then each consent says what the person said, on which basis, from which event on
    assert (shown["record"], shown["share"], shown["reference"]) == (
        receipt["consent"],
        receipt["id"],
        receipt["reference"],
    )
    ids = {each["service"]: each["consent"] for each in receipt["deliveries"]}
    for each in shown["consents"]:
        said = consent_of(share, each["service"])
        assert each["id"] == ids[each["service"]]
        assert {name: each["terms"][name] for name in said if name != "agreed"} == {
            name: said[name] for name in said if name != "agreed"
        }
        assert {name: each["terms"]["agreed"][name] for name in said["agreed"]} == said["agreed"]
        assert (each["basis"]["agreement"], each["basis"]["assessment"]) == ("ISA-DEMO", "DPIA-DEMO")
        (event,) = each["events"]
        assert (event["state"], event["client"]) == ("given", CLIENT)
        assert re.fullmatch(r"[0-9a-f]{64}", event["by"])
    assert {(each["role"], each["id"]) for each in shown["parties"]} == {
        ("controller", "riverside"),
        ("recipient", "city-council"),
        ("recipient", "treatment-trust"),
    }


def test_r14_another_partner_finds_nothing(house: House) -> None:
    # given a record of ours
    receipt = house.cases.send(a_share(HOUSING))
    # when another partner asks for it, and for one that there never was
    found = [house.other.get(f"/v1/consents/{each}") for each in (receipt["consent"], "0" * 32, receipt["id"])]
    # then all are the same
    assert [each.status_code for each in found] == [404] * 3
    assert len({each.text for each in found}) == 1
    # and both that it was read and that it was looked for in vain is on record
    export(house, receipt["consent"])
    actions = [row["action"] for row in house.rows("SELECT action FROM audit_events WHERE action LIKE 'consent.read%'")]
    assert actions.count("consent.read_refused") >= 3
    assert "consent.read" in actions


def test_r14_as_fhir_it_is_valid_and_opaque(house: House) -> None:
    # given a share for three services, of which one gets a no
    share = a_share(HOUSING, SUPPORTED, TREATMENT)
    consent_of(share, SUPPORTED).update(answer="no", categories=[])
    consent_of(share, TREATMENT)["agreed"].update(
        able_to_decide="no_best_interests", best_interests={"role": "Social worker", "basis": "MCA-2005-s4"}
    )
    receipt = house.cases.send(share)
    # when its record is exported as FHIR
    bundle = as_fhir(house, receipt["consent"])
    found = resources(bundle)
    # then there is one valid resource a service, and what is not so is not said
    assert {service: each["status"] for service, each in found.items()} == {
        HOUSING: "active",
        SUPPORTED: "rejected",
        TREATMENT: "active",
    }
    assert {service: each["provision"]["type"] for service, each in found.items()} == {
        HOUSING: "permit",
        SUPPORTED: "deny",
        TREATMENT: "permit",
    }
    housing = found[HOUSING]
    said = consent_of(share, HOUSING)
    assert housing["dateTime"] == said["agreed"]["on"]
    assert housing["provision"]["period"] == {"start": said["agreed"]["on"], "end": said["until"]}
    assert [each["code"] for each in housing["provision"]["class"]] == said["categories"]
    assert [each["code"] for each in housing["provision"]["purpose"]] == [said["purpose"]]
    assert [each["uri"].rpartition("/")[2] for each in housing["policy"]] == ["ISA-DEMO", "DPIA-DEMO"]
    assert housing["verification"][0]["verificationDate"] == said["agreed"]["on"]
    assert housing["organization"][0]["identifier"]["value"] == "riverside"
    # and who decided for somebody who could not is there, as a role and a code
    best = [each for each in found[TREATMENT]["extension"] if each["url"].endswith("/best-interests")]
    assert [(part["url"], part["valueString"]) for part in best[0]["extension"]] == [
        ("role", "Social worker"),
        ("basis", "MCA-2005-s4"),
    ]
    # and nothing of anybody's, not even their reference
    everything = json.dumps(bundle)
    theirs = {text for text in told_strings(share) if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text)}
    assert [text for text in theirs if text in everything] == []
    assert share["person"]["reference"] not in everything


@pytest.mark.parametrize(
    ("by", "performers"),
    [
        ("person", ["Patient"]),
        ("young_person", ["Patient"]),
        ("parent_or_carer", ["RelatedPerson"]),
        ("both", ["Patient", "RelatedPerson"]),
    ],
)
def test_r22_as_fhir_it_says_who_agreed(house: House, by: str, performers: list[str]) -> None:
    # given
    share = a_share(HOUSING)
    consent_of(share, HOUSING)["agreed"]["by"] = by
    receipt = house.cases.send(share)
    # when / then
    found = resources(as_fhir(house, receipt["consent"]))[HOUSING]
    assert [each["type"] for each in found["performer"]] == performers


def test_r14_every_end_of_a_consent_is_an_event_and_inactive(new_house: Callable[..., House]) -> None:
    # given three consents: one to be withdrawn, one to be replaced, one to run out
    house = new_house()
    withdrawn = delivered(house, a_share(HOUSING), HOUSING)
    first = a_share(HOUSING)
    superseded = delivered(house, first, HOUSING)
    short = a_share(HOUSING)
    consent_of(short, HOUSING)["until"] = "2026-11-24"
    expired = delivered(house, short, HOUSING)
    # when each ends
    house.cases.post(f"/v1/consents/{withdrawn['consent']}/withdraw", {}).raise_for_status()
    second = a_share(HOUSING, person=first["person"])
    consent_of(second, HOUSING)["replaces"] = consent_of(first, HOUSING)["reference"]
    house.cases.send(second)
    house.at(datetime(2026, 11, 25, 9, tzinfo=UTC))
    until_true("it to run out", lambda: export(house, expired["consent"])["consents"][0]["state"] == "expired")
    # then each record tells it, by whom it was recorded, and when
    for receipt, state in ((withdrawn, "withdrawn"), (superseded, "superseded"), (expired, "expired")):
        (one,) = export(house, receipt["consent"])["consents"]
        assert [event["state"] for event in one["events"]] == ["given", state]
        given, ended = one["events"]
        assert given["at"] <= ended["at"]
        assert ended["valid_until"] is None
        by = (ended["by"], ended["client"])
        assert by == (("", "hub") if state == "expired" else (given["by"], CLIENT))
        assert resources(as_fhir(house, receipt["consent"]))[HOUSING]["status"] == "inactive"


def test_r59_of_a_forgotten_share_the_events_and_the_basis_are_left(new_house: Callable[..., House]) -> None:
    # given a share that was forgotten
    house = new_house()
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    house.at(datetime(2027, 3, 1, 9, tzinfo=UTC))
    until_true("it to be forgotten", lambda: house.cases.read(receipt["id"]).get("forgotten"))
    # when its record is exported
    (one,) = export(house, receipt["consent"])["consents"]
    # then what was agreed is gone, and that it was, when it ended and on what basis is not
    assert one["terms"] is None
    assert [event["state"] for event in one["events"]] == ["given", "expired"]
    assert one["basis"]["agreement"] == "ISA-DEMO"
    found = resources(as_fhir(house, receipt["consent"]))[HOUSING]
    assert found["status"] == "inactive"
    assert "class" not in found["provision"]
