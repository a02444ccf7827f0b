"""Minimise: nothing outside what was agreed and may be received ever leaves, and what leaves is untouched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.minimise import View, Why, Withheld, minimise, says_where
from hub.domain.share import Category, Consent, Section, Share

ALL = frozenset(Category)
PLACES = ["address", "postcode", "uprn", "street", "town", "address_line_1", "home_address", "postal_code", "line1"]
PLAIN = ["phone", "safe_to_call", "leave_message", "text_ok", "post_ok", "times", "not_safe_to_talk_to", "email"]

values = st.one_of(st.text(), st.booleans(), st.integers(), st.lists(st.text(), max_size=3))
sections = st.builds(
    Section,
    id=st.text(max_size=3),
    category=st.none() | st.sampled_from(Category),
    fields=st.dictionaries(st.sampled_from(PLACES + PLAIN) | st.text(max_size=5), values, max_size=4),
    text=st.text(max_size=20),
)
stories = st.lists(sections, max_size=8)
labels = st.frozensets(st.sampled_from(Category))


def seen(share: Share, consent: Consent, accepts: Collection[Category] = ALL) -> tuple[list[str], dict[str, Why]]:
    view = minimise(share, consent, accepts)
    return [s.id for s in view.sections], {w.pointer: w.why for w in view.withheld}


@given(stories, st.tuples(labels, labels), st.booleans())
def test_r13_nothing_outside_agreed_and_accepted_ever_appears(
    share: Share, consent: Consent, story: list[Section], labelled: Any, location_ok: bool
) -> None:
    # given any story and any agreement
    agreed, accepts = labelled
    told = replace(share, sections=story)
    grant = replace(consent, categories=sorted(agreed), location_ok=location_ok)
    # when it is cut down
    view = minimise(told, grant, accepts)
    # then what is there was agreed, may be received, and holds no place that was not agreed
    for section in view.sections:
        assert section.category in agreed & accepts
        assert section.fields or section.text
        if not location_ok:
            assert section.category is not Category.LOCATION
            assert not any(says_where(name) for name in section.fields)
    # and it is the story's own words, in their own order
    untouched(told, view)
    # and everything else that was said is accounted for by a pointer
    assert len({w.pointer for w in view.withheld}) == len(view.withheld)
    assert accounted(told, view) == told_parts(told)
    # and doing it again changes nothing
    again = minimise(replace(told, sections=list(view.sections)), grant, accepts)
    assert again == View(view.sections, ())


def untouched(told: Share, view: View) -> None:
    """Each section of the view follows from a later section of the story, with equal words and values."""
    rest = iter(told.sections)
    for section in view.sections:
        source = next(s for s in rest if s.category is section.category and is_part(section, s))
        assert source.text.encode("utf-32", "surrogatepass") == section.text.encode("utf-32", "surrogatepass")
        assert [n for n in source.fields if n in section.fields] == list(section.fields)


def is_part(part: Section, whole: Section) -> bool:
    """The same section but for fields that were taken out."""
    fields = {name: value for name, value in whole.fields.items() if name in part.fields}
    return replace(whole, fields=fields) == part


def told_parts(told: Share) -> int:
    """How many fields and texts the story holds."""
    return sum(len(s.fields) + bool(s.text) for s in told.sections)


def accounted(told: Share, view: View) -> int:
    """How many fields and texts went, or are named as withheld."""
    whole = {f"/sections/{i}": len(s.fields) + bool(s.text) for i, s in enumerate(told.sections)}
    return sum(len(s.fields) + bool(s.text) for s in view.sections) + sum(
        whole.get(w.pointer, 1) for w in view.withheld
    )


def test_r17_an_unlabelled_section_is_withheld_by_pointer(share: Share, consent: Consent) -> None:
    told = replace(share, sections=[*share.sections, Section("s3", None, text="no label")])
    assert seen(told, consent) == (["s1", "s2"], {"/sections/2": Why.UNLABELLED})


def test_r13_each_reason_is_told_apart(share: Share, consent: Consent) -> None:
    # given one section of each kind that may not go
    told = replace(
        share,
        sections=[
            Section("a", Category.MENTAL_HEALTH, text="x"),
            Section("b", Category.IDENTITY, {"given_name": "x"}),
            Section("c", Category.LOCATION, text="x"),
            Section("d", Category.OFFENDING, text="x"),
            Section("e", Category.ABOUT_SOMEONE_ELSE, text="x"),
            Section("f", Category.HOUSING),
            Section("g"),
        ],
    )
    grant = replace(consent, categories=[Category.IDENTITY, Category.LOCATION])
    # then each is named with its own reason, and the empty ones are not mentioned
    assert seen(told, grant, ALL - {Category.IDENTITY}) == (
        [],
        {
            "/sections/0": Why.NOT_AGREED,
            "/sections/1": Why.NOT_FOR_SERVICE,
            "/sections/2": Why.LOCATION_PRIVATE,
            "/sections/3": Why.TICK_BY_ITSELF,
            "/sections/4": Why.TICK_BY_ITSELF,
        },
    )


@pytest.mark.parametrize("category", [Category.OFFENDING, Category.ABOUT_SOMEONE_ELSE])
def test_r67_r72_ticked_by_itself_goes_only_where_the_service_may_have_it(
    share: Share, consent: Consent, category: Category
) -> None:
    told = replace(share, sections=[Section("a", category, text="x")])
    grant = replace(consent, categories=[category])
    assert seen(told, grant) == (["a"], {})
    assert seen(told, grant, ALL - {category}) == ([], {"/sections/0": Why.NOT_FOR_SERVICE})


def test_r62_contact_keeps_the_phone_and_loses_the_place(share: Share, consent: Consent) -> None:
    # given a contact section with safe-contact fields and every kind of place
    contact = Section("c", Category.CONTACT, dict.fromkeys([*PLAIN, *PLACES], "x"))
    told = replace(share, sections=[contact])
    # when the person did not say that this service may know where they are
    view = minimise(told, consent, ALL)
    # then the safe-contact fields go as they stood, and each place is named as withheld
    assert list(view.sections[0].fields) == PLAIN
    assert view.withheld == tuple(Withheld(f"/sections/0/fields/{name}", Why.LOCATION_PRIVATE) for name in PLACES)
    # and when they did, all of it goes
    assert minimise(told, replace(consent, location_ok=True), ALL) == View((contact,), ())


def test_r62_a_section_that_was_only_a_place_leaves_nothing_behind(share: Share, consent: Consent) -> None:
    told = replace(share, sections=[Section("c", Category.CONTACT, {"postcode": "x"})])
    assert seen(told, consent) == ([], {"/sections/0/fields/postcode": Why.LOCATION_PRIVATE})


@pytest.mark.parametrize(
    "name",
    [
        *PLACES, "Address", "homeAddress", "post_code", "postcode2", "house_number", "flat_no", "where_they_stay",
        "staying_at", "latitude", "lat", "what3words", "grid_reference", "workplace", "street_name", "previous_town_1",
    ],
)  # fmt: skip
def test_r62_names_that_say_where(name: str) -> None:
    assert says_where(name)


@pytest.mark.parametrize(
    "name",
    [
        *PLAIN, "email_address", "e_mail_address", "given_name", "family_name", "birth_date", "nhs_number", "reason",
        "last_settled", "substances", "route", "goal", "consent_to_refer", "long_term_plan", "line_manager", "platform",
        "house_rules", "somewhere_else", "relationship", "translator", "preferred_language",
    ],
)  # fmt: skip
def test_r62_names_that_do_not_say_where(name: str) -> None:
    assert not says_where(name)
