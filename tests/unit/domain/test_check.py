"""Check: every fault at once, at the right pointer, and never a value in the words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.domain.check import faults
from hub.domain.share import BestInterests, Category, Consent, Plan, RoleContact, Said, Section, Share

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def pointers(share: Share) -> list[str]:
    return [fault.pointer for fault in faults(share, NOW)]


def with_section(share: Share, **changes: Any) -> Share:
    return replace(share, sections=[replace(share.sections[0], **changes)])


def with_consent(share: Share, **changes: Any) -> Share:
    return replace(share, consents=[replace(share.consents[0], **changes)])


def test_a_good_share_has_no_fault(share: Share) -> None:
    assert faults(share) == ()
    assert faults(share, NOW) == ()


def test_r12_a_service_without_consent_is_not_a_fault(share: Share) -> None:
    assert pointers(replace(share, services=["city-housing-options", "county-treatment"])) == []


@pytest.mark.parametrize("bad", ["", " ", "-x", "a b", "x" * 101, "é", "a\n", "a\x00", "\ud800", ".", "/etc"])
def test_a_reference_that_breaks_the_rule_is_found_everywhere(share: Share, consent: Consent, bad: str) -> None:
    # given the same bad reference in each place that holds one
    wrong = replace(
        share,
        reference=bad,
        person=replace(share.person, reference=bad),
        trusted_person=replace(share.trusted_person, reference=bad),
        sections=[replace(share.sections[0], id=bad)],
        consents=[replace(consent, reference=bad, service=bad, purpose=bad)],
        services=[bad],
    )
    # then all eight are reported at once, in the order of the document
    assert pointers(wrong) == [
        "/reference",
        "/person/reference",
        "/trusted_person/reference",
        "/sections/0/id",
        "/consents/0/reference",
        "/consents/0/service",
        "/consents/0/purpose",
        "/services/0",
    ]


@pytest.mark.parametrize("good", ["a", "9", "DC-2026/0412", "urn:x:1", "x" * 100, "a.b_c-d"])
def test_a_reference_inside_the_rule_passes(share: Share, good: str) -> None:
    assert pointers(replace(share, reference=good)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": "x" * 20_000}, []),
        ({"text": "x" * 20_001}, ["/sections/0/text"]),
        ({"text": "one\ntwo\tthree\r\n"}, []),
        ({"text": "bell \x07"}, ["/sections/0/text"]),
        ({"text": "next line \x85"}, ["/sections/0/text"]),
        ({"text": "half \ud83d"}, ["/sections/0/text"]),
        ({"text": "whole 😀 مرحبا e\u0301"}, []),
        ({"fields": {f"f{n}": "x" for n in range(60)}}, []),
        ({"fields": {f"f{n}": "x" for n in range(61)}}, ["/sections/0/fields"]),
        ({"fields": {"a": "x" * 2_000}}, []),
        ({"fields": {"a": "x" * 2_001}}, ["/sections/0/fields/a"]),
        ({"fields": {"a": "\x00", "b": ["fine", "\x00"]}}, ["/sections/0/fields/a", "/sections/0/fields/b/1"]),
        ({"fields": {"a": ["x"] * 51}}, ["/sections/0/fields/a"]),
        ({"fields": {"a": 2**53}}, ["/sections/0/fields/a"]),
        ({"fields": {"a": -(2**53) + 1, "b": True}}, []),
        ({"fields": {"Bad": 1, "9x": 1, "ok": 1}}, ["/sections/0/fields"]),
        ({"fields": {"": 1}}, ["/sections/0/fields"]),
        ({"fields": {"a" * 61: 1}}, []),
        ({"fields": {"a" * 62: 1}}, ["/sections/0/fields"]),
        ({"said": Said("Jo", "observed", date(2026, 11, 21))}, []),
        ({"said": Said("Jo", "observed", date(2026, 11, 22))}, ["/sections/0/said/on"]),
        ({"said": Said(" ", "observed", date(2026, 11, 1))}, ["/sections/0/said/by"]),
    ],
)
def test_sections(share: Share, changes: dict[str, Any], expected: list[str]) -> None:
    assert pointers(with_section(share, **changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"until": date(2026, 11, 18)}, []),
        ({"until": date(2026, 11, 17)}, ["/consents/0/until"]),
        ({"until": date(2036, 11, 18)}, []),
        ({"until": date(2036, 11, 19)}, ["/consents/0/until"]),
        ({"until": date.max}, ["/consents/0/until"]),
        ({"categories": []}, []),
        ({"categories": [Category.GOAL] * 51}, ["/consents/0/categories"]),
        ({"returns": ["state"] * 51}, ["/consents/0/returns"]),
        ({"facts": {"Chosen": "x"}}, ["/consents/0/facts"]),
        ({"facts": {"chosen_authority": "x\x00"}}, ["/consents/0/facts/chosen_authority"]),
    ],
)
def test_consents(share: Share, changes: dict[str, Any], expected: list[str]) -> None:
    assert pointers(with_consent(share, **changes)) == expected


def test_names_are_one_short_line(share: Share) -> None:
    person = replace(
        share.trusted_person, name="", contact=RoleContact("a\nb", "x" * 201, "\x1b"), can_see=["ok", "a\u2028b"]
    )
    at = "/trusted_person"
    assert pointers(replace(share, trusted_person=person)) == [
        f"{at}/name",
        f"{at}/contact/role",
        f"{at}/contact/email",
        f"{at}/contact/phone",
        f"{at}/can_see/1",
    ]


def test_what_keeps_a_share_safe_and_its_plan_are_checked(share: Share) -> None:
    # given a nameless worker, a worker on two lines, and a plan whose reference is a sentence
    told = replace(share, keep_from=["Alex", " ", "a\nb"], plan=Plan("my plan", "v 1"))
    # then each is found, and a reason for a tick is one line too
    assert pointers(told) == ["/keep_from/1", "/keep_from/2", "/plan/reference", "/plan/version"]
    assert pointers(replace(share, plan=Plan("plan-77", "4"), keep_from=["Alex Rivers"])) == []
    assert pointers(with_consent(share, ticked={Category.OFFENDING: "a\nb"})) == ["/consents/0/ticked/offending"]


def test_doubles_are_found_at_the_second(share: Share, consent: Consent) -> None:
    section = share.sections[0]
    doubled = replace(
        share,
        sections=[section, replace(section), replace(section, id="other")],
        consents=[consent, replace(consent, reference="c-2"), replace(consent, service="county-treatment")],
    )
    assert pointers(doubled) == ["/sections/1/id", "/consents/2/reference", "/consents/1/service"]


def test_too_many_is_one_fault_and_the_rest_is_not_read(share: Share, consent: Consent) -> None:
    sections = [Section(f"s{n}", text="\x00" if n >= 50 else "") for n in range(5_000)]
    consents = [replace(consent, reference=f"c{n}", service=f"v{n}") for n in range(21)]
    many = replace(share, sections=sections, consents=consents, services=[f"v{n}" for n in range(21)])
    assert pointers(many) == ["/sections", "/consents", "/services"]


@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=30), st.text(max_size=30))
def test_th22_no_fault_ever_echoes_what_was_sent(share: Share, text: str, name: str) -> None:
    # given the same text, marked, in every place that takes text or a name
    canary = f"\x00QZCANARY{text}"
    wrong = replace(
        share,
        reference=canary,
        sections=[Section(canary, fields={canary: canary, name: [canary]}, text=canary)],
        services=[canary],
    )
    found = faults(wrong, NOW)
    # then faults are found, and none of it is in them
    assert {"/reference", "/sections/0/id", "/sections/0/text", "/services/0"} <= {f.pointer for f in found}
    assert "QZCANARY" not in repr(found)


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40))
def test_r18_ordinary_words_of_any_language_are_never_a_fault(share: Share, text: str) -> None:
    assert pointers(with_section(share, text=text, fields={"a": text, "b": [text]})) == []


@given(st.text(st.characters(categories=("Cc", "Cs")), min_size=1, max_size=5))
def test_control_characters_and_half_characters_are_always_a_fault(share: Share, text: str) -> None:
    assume(set(text) - {"\n", "\r", "\t"})
    assert pointers(with_section(share, text=text)) == ["/sections/0/text"]


def test_r12_what_a_choice_replaces_is_another_reference_and_never_stands_beside_a_no(share: Share) -> None:
    # given
    own = share.consents[0].reference
    # when / then
    assert pointers(with_consent(share, replaces="c-0")) == []
    assert pointers(with_consent(share, replaces="a b")) == ["/consents/0/replaces"]
    assert pointers(with_consent(share, replaces=own)) == ["/consents/0/replaces"]
    assert pointers(with_consent(share, replaces="c-0", answer="no")) == ["/consents/0/replaces"]


def test_r12_who_decided_for_them_is_a_role_and_a_code(share: Share) -> None:
    # given
    agreed = share.consents[0].agreed

    def deciding(role: str, basis: str) -> list[str]:
        decided = BestInterests(role, basis)
        return pointers(with_consent(share, agreed=replace(agreed, best_interests=decided)))

    # when / then
    at = "/consents/0/agreed/best_interests"
    assert deciding("Social worker", "MCA-2005-s4") == []
    assert deciding(" ", "because it is best") == [f"{at}/role", f"{at}/basis"]
