"""The BaRS mapping: every case, valid FHIR R4, the person's own words, and nothing that was not agreed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hub_health_fhir.replies import is_valid

from hub.mapping import Mapping, run_cases

FOLDER = Path(__file__).parents[1] / "hub_health_fhir" / "mappings" / "bars-servicerequest" / "1.0.0"
NEWER = FOLDER.parents[1] / "bars-servicerequest-delete" / "1.0.0"
MADE = sorted(file for folder in (FOLDER, NEWER) for file in (folder / "cases").glob("*.out.json"))


def read(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / "cases" / f"{name}.json").read_text(encoding="utf-8"))


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("folder", [FOLDER, NEWER], ids=lambda folder: folder.parent.name)
def test_every_case_gives_what_it_says(folder: Path) -> None:
    # when
    results = run_cases(folder)
    # then
    assert len(results) >= 7
    assert [(result.name, result.why) for result in results if not result.passed] == []


@pytest.mark.parametrize("file", MADE, ids=lambda file: file.name)
def test_every_document_is_valid_fhir_and_holds_together(file: Path) -> None:
    # given
    bundle = json.loads(file.read_text(encoding="utf-8"))
    # then: R4B accepts its shape
    Bundle.model_validate(bundle)
    assert is_valid(bundle)
    # and every reference in it leads to an entry, each of which has a fullUrl of its own
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert set(_references(bundle)) <= set(urls)
    # and the header comes first
    assert bundle["entry"][0]["resource"]["resourceType"] == "MessageHeader"


def test_the_bundle_is_named_by_the_delivery_so_that_an_answer_can_name_it() -> None:
    assert read("everything.out")["id"] == read("everything.in")["delivery"]["key"]


def test_the_same_delivery_gives_the_same_bytes(mapping: Mapping) -> None:
    # given
    seen = read("everything.in")
    # then
    assert mapping.run(seen) == mapping.run(json.loads(json.dumps(seen)))


def test_words_arrive_code_point_for_code_point(mapping: Mapping) -> None:
    # given
    seen = read("words-in-any-script.in")
    text = seen["section"]["in_their_words"][0]["text"]
    # when
    bundle = json.loads(mapping.run(seen))
    # then
    told, words = resources(bundle, "Communication")[0]["payload"]
    assert words["contentString"] == text
    assert told["contentString"].startswith("Told to the worker by Siân, heard directly, on 18 November 2026")


def test_r39_every_statement_travels_with_who_said_it() -> None:
    # given
    goals = resources(read("everything.out"), "Communication")[1]["payload"]
    # then: each line of provenance stands right before its own words
    assert [item["contentString"] for item in goals] == [
        "Told to the worker by the person, heard directly, on 18 November 2026",
        "A script that does not run out.",
        "Told to the worker by a friend, passed on from someone else, on 19 November 2026",
        "To see my sister at Christmas.",
    ]


def test_an_nhs_number_that_fails_its_check_does_not_travel() -> None:
    assert "identifier" not in resources(read("empty-optionals-and-a-wrong-nhs-number.out"), "Patient")[0]
    identifier = resources(read("everything.out"), "Patient")[0]["identifier"][0]
    assert identifier["value"] == "9434765919"
    assert "number-present-but-not-traced" in json.dumps(identifier)


def test_r65_a_telephone_number_travels_only_for_the_use_that_is_safe(mapping: Mapping) -> None:
    # given: texting is safe, calling is not
    patient = resources(read("everything.out"), "Patient")[0]
    assert patient["telecom"] == [{"system": "sms", "value": "07700 900123"}]
    # and where nothing is known to be safe, there is no number, and the flag says who to go through
    unsafe = read("unknown-fields-and-unsafe-contact.out")
    assert "07700" not in json.dumps(unsafe)
    assert "through the trusted person only: Front desk, 01223 000000" in resources(unsafe, "Flag")[0]["code"]["text"]


def test_what_was_not_agreed_is_not_in_the_document() -> None:
    for name in ("unknown-fields-and-unsafe-contact.out", "please-stop-using.out"):
        assert "must not travel" not in json.dumps(read(name))


def test_r15_please_stop_using_names_no_one() -> None:
    # given
    bundle = read("please-stop-using.out")
    # then
    assert not resources(bundle, "Patient")
    assert not resources(bundle, "Communication")
    assert "Sam" not in json.dumps(bundle)
    assert resources(bundle, "ServiceRequest")[0]["status"] == "revoked"
    assert resources(bundle, "Consent")[0]["status"] == "inactive"


def test_r23_that_somebody_is_at_risk_makes_no_flag_and_changes_nothing(mapping: Mapping) -> None:
    # given: an answer, and a section, that the pack is not set up for
    seen = read("everything.in")
    plain = mapping.run(seen)
    seen["share"]["at_risk_now"] = True
    seen["section"]["safety"] = [{"id": "s12", "fields": {}, "text": "must not travel", "said": {}}]
    # then
    assert mapping.run(seen) == plain


def test_the_manifest_accepts_exactly_what_the_mapping_can_touch(mapping: Mapping) -> None:
    from hub.sdk.manifest import read_manifest

    manifest = read_manifest(FOLDER.parents[2] / "manifest.toml")
    assert set(manifest.connectors["bars"].accepts) == mapping.categories
    assert manifest.connectors["bars"].mapping == f"{mapping.document}/{mapping.version}"
    assert manifest.connectors["bars"].content_type == mapping.content_type


def _references(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        here = [tree["reference"]] if isinstance(tree.get("reference"), str) else []
        return here + [found for value in tree.values() for found in _references(value)]
    return [found for value in tree for found in _references(value)] if isinstance(tree, list) else []
