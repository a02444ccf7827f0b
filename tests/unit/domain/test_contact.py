"""Safe contact: a way to reach somebody goes only where everything said about it makes it safe (R65)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hub.domain.minimise import View, Why, minimise
from hub.domain.route import Agreement, Connection, LawfulBasis, Service
from hub.domain.share import Category, Consent, HandlingLine, Section, Share, Value

BASIS = LawfulBasis("6(1)(e)", "9(2)(g)")
AGREEMENT = Agreement("ISA-1", date(2026, 11, 2), "DPIA-1", BASIS, BASIS, "They may have to tell others.")
SERVICE = Service("housing", "Housing", "city", "housing", "", ("find-somewhere-to-live",), agreement=AGREEMENT)
CARRIES_ALL = Connection("housing", "p", "c", "m/1", frozenset(Category), handling_lines=frozenset(HandlingLine))


def cut(share: Share, consent: Consent, **connection: Any) -> View:
    """Cut a share down for a connection that carries everything, but for what is changed."""
    return minimise(share, consent, SERVICE, replace(CARRIES_ALL, **connection))


def stayed(view: View) -> Mapping[str, Why]:
    """Why each part that is withheld is."""
    return {each.pointer: each.why for each in view.withheld}


def number(call: Value, message: Value, text: Value, **fields: Value) -> dict[str, Value]:
    """A number, or what else is named, and what is said of it."""
    fields = fields or {"phone": "07700 900123"}
    return {**fields, "safe_to_call": call, "leave_message": message, "text_ok": text}


def contact(share: Share, **fields: Value) -> Share:
    return replace(share, sections=[Section("c", Category.CONTACT, fields)])


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (number("yes", "no", "no"), None),
        (number(True, True, False), None),
        (number("no", "no", "yes"), None),
        (number("no", "no", "no"), Why.NOT_SAFE),
        (number(False, "yes", "no"), Why.NOT_SAFE),
        (number("yes, after six", "no", "no"), Why.SAFE_CONTACT_UNKNOWN),
        (number(1, "no", "no"), Why.SAFE_CONTACT_UNKNOWN),
        # whoever may ring can also leave a message, and text
        (number("yes", "unknown", "no"), Why.SAFE_CONTACT_UNKNOWN),
        (number("yes", "no", ""), Why.SAFE_CONTACT_UNKNOWN),
        (number("unknown", "no", "yes"), Why.SAFE_CONTACT_UNKNOWN),
        ({"phone": "07700 900123", "safe_to_call": "yes"}, Why.SAFE_CONTACT_UNKNOWN),
        ({"phone": "07700 900123"}, Why.SAFE_CONTACT_UNKNOWN),
        (number("yes", "no", "no", phone="CB1 2AB"), Why.LOCATION_PRIVATE),
        (number("yes", "no", "no", phone="12 Mill Road"), Why.LOCATION_PRIVATE),
        (number("yes", "no", "no", home_phone=["01632 960001"]), None),
        (number("yes", "no", "no", whatsapp="07700 900123"), Why.NOT_SAFE),
        (number("no", "no", "yes", whatsapp="07700 900123"), None),
        ({"email": "sam@mail.example", "email_ok": "yes"}, None),
        ({"e_mail": "sam@mail.example", "email_ok": "no"}, Why.NOT_SAFE),
        ({"email": "sam@mail.example", "safe_to_call": "yes"}, Why.SAFE_CONTACT_UNKNOWN),
        ({"signal_name": "sam.1", "safe_to_call": "yes", "text_ok": "yes"}, Why.SAFE_CONTACT_UNKNOWN),
        ({"home_address": "1 A Street", "post_ok": "yes"}, Why.LOCATION_PRIVATE),
    ],
)
def test_r65_a_way_to_make_contact_goes_only_with_what_makes_it_safe(
    share: Share, consent: Consent, fields: dict[str, Value], why: Why | None
) -> None:
    # given a way to make contact and what is said of it, when it is cut
    point = next(iter(fields))
    view = cut(contact(share, **fields), consent)
    # then it goes where it is safe; what is said always goes, and before it
    assert stayed(view) == ({} if why is None else {f"/sections/0/fields/{point}": why})
    expected = [name for name in fields if name != point] + ([point] if why is None else [])
    assert [list(section.fields) for section in view.sections] == ([expected] if expected else [])
    # and where the partner's system writes to the person by itself, no way to make contact goes at all
    quiet = cut(contact(share, **fields), consent, notifies_person=True)
    assert all(point not in section.fields for section in quiet.sections)


@pytest.mark.parametrize(
    ("post_ok", "why"), [("yes", None), ("no", Why.NOT_SAFE), ("unknown", Why.SAFE_CONTACT_UNKNOWN)]
)
def test_r65_an_address_to_write_to_needs_both_yeses(
    share: Share, consent: Consent, post_ok: str, why: Why | None
) -> None:
    knows = replace(consent, location_ok=True)
    view = cut(contact(share, home_address="1 A Street, CB1 2AB", post_ok=post_ok), knows)
    assert list(stayed(view).values()) == ([] if why is None else [why])


def test_r65_a_number_in_another_section_has_nothing_that_makes_it_safe(share: Share, consent: Consent) -> None:
    # given ways to make contact in another section, and what would make them safe beside them
    points = ["landlord_phone", "email", "facebook"]
    fields: dict[str, Value] = {"has_phone": True, "text": "long", **number("yes", "yes", "yes"), "email_ok": "yes"}
    fields |= dict.fromkeys(points, "01632 960001")
    told = replace(share, sections=[Section("h", Category.HOUSING, fields)])
    # when it is cut, wherever they may be, then none goes: nobody agreed there to be rung
    stays = dict.fromkeys((f"/sections/0/fields/{each}" for each in ["phone", *points]), Why.SAFE_CONTACT_UNKNOWN)
    for grant in (consent, replace(consent, location_ok=True)):
        view = cut(told, grant)
        assert stayed(view) == stays
        assert list(view.sections[0].fields) == [name for name in fields if name not in {"phone", *points}]


def test_r62_words_beside_a_number_are_words(share: Share, consent: Consent) -> None:
    told = contact(share, **number("yes", "no", "no", phone="07700 900123 and ask at the hostel for me"))
    refusals = [(each.type, each.pointer) for each in cut(told, consent).refusals]
    assert refusals == [("check-words", "/sections/0/fields/phone")]
