"""Minimise: nothing outside what was agreed and may be received ever leaves, and what leaves is untouched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.contact import is_statement
from hub.domain.minimise import View, Why, Withheld, keeps_location_private, minimise
from hub.domain.offending import OFFENDING_FIELDS
from hub.domain.places import says_where
from hub.domain.route import Agreement, Connection, LawfulBasis, Service
from hub.domain.share import Category, Consent, HandlingLine, Said, Section, Share, Value

ALL = frozenset(Category)
PLACES = ["address", "postcode", "uprn", "street", "town", "address_line_1", "home_address", "postal_code", "line1"]
STATEMENTS = ["safe_to_call", "leave_message", "text_ok", "post_ok", "email_ok", "times", "not_safe_to_talk_to"]
POINTS = ["phone", "mobile", "email", "whatsapp", "signal_name"]
TICKED = {Category.OFFENDING: "to plan a first visit", Category.ABOUT_SOMEONE_ELSE: "he asked us to"}

AGREEMENT = Agreement(
    "ISA-1",
    date(2026, 11, 2),
    "DPIA-1",
    LawfulBasis("6(1)(a)", "9(2)(a)", "schedule 1(29)"),
    LawfulBasis("6(1)(e)", "9(2)(g)", "schedule 1(6)"),
    "They may have to tell others.",
)
SERVICE = Service("housing", "Housing", "city", "housing", "", ("find-somewhere-to-live",), agreement=AGREEMENT)
CARRIES_ALL = Connection("housing", "p", "c", "m/1", ALL, handling_lines=frozenset(HandlingLine), keeps_from=True)

values = st.one_of(st.text(), st.booleans(), st.integers(), st.lists(st.text(), max_size=3))
names = st.sampled_from([*PLACES, *STATEMENTS, *POINTS, *sorted(OFFENDING_FIELDS)]) | st.text(max_size=5)
sections = st.builds(
    Section,
    id=st.text(max_size=3),
    category=st.none() | st.sampled_from(Category),
    fields=st.dictionaries(names, values | st.sampled_from(["yes", "no"]), max_size=4),
    text=st.text(max_size=20),
    words_checked=st.booleans(),
)
stories = st.lists(sections, max_size=8)
labels = st.frozensets(st.sampled_from(Category))


def cut(share: Share, consent: Consent, accepts: Collection[Category] = ALL, **connection: Any) -> View:
    """Cut a share down for a connection that carries everything, but for what is changed."""
    return minimise(share, consent, SERVICE, replace(CARRIES_ALL, accepts=frozenset(accepts), **connection))


def seen(share: Share, consent: Consent, accepts: Collection[Category] = ALL) -> tuple[list[str], dict[str, Why]]:
    view = cut(share, consent, accepts)
    return [s.id for s in view.sections], {w.pointer: w.why for w in view.withheld}


def refused(view: View) -> list[tuple[str, str]]:
    return [(each.type, each.pointer) for each in view.refusals]


@given(stories, st.tuples(labels, labels, labels), st.booleans())
def test_r13_nothing_outside_agreed_and_accepted_ever_appears(
    share: Share, consent: Consent, story: list[Section], labelled: Any, location_ok: bool
) -> None:
    # given any story and any agreement
    agreed, accepts, ticked = labelled
    told = replace(share, sections=story)
    grant = replace(consent, categories=sorted(agreed), ticked=dict.fromkeys(ticked, "x"), location_ok=location_ok)
    # when it is cut down
    view = cut(told, grant, accepts)
    # then what is there was agreed, may be received, and holds no place that was not agreed
    for section in view.sections:
        assert section.category in agreed & accepts
        assert section.category not in TICKED or section.category in ticked
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
    again = cut(replace(told, sections=list(view.sections)), grant, accepts)
    assert (again.sections, again.withheld) == (view.sections, ())


def untouched(told: Share, view: View) -> None:
    """Each section of the view follows from a later section of the story, with equal words and values."""
    rest = iter(told.sections)
    for section in view.sections:
        source = next(s for s in rest if s.category is section.category and is_part(section, s))
        kept = [name for name in source.fields if name in section.fields]
        first = [name for name in kept if is_statement(name)] if section.category is Category.CONTACT else []
        assert sorted(section.fields) == sorted(kept)
        assert list(section.fields)[len(first) :] == [name for name in kept if name not in first]


def is_part(part: Section, whole: Section) -> bool:
    """The same section but for fields, or its text, that were taken out."""
    fields = {name: value for name, value in whole.fields.items() if name in part.fields}
    text = whole.text if part.text else ""
    return replace(whole, fields=fields, text=text) == part and utf_32(text) == utf_32(part.text)


def utf_32(text: str) -> bytes:
    return text.encode("utf-32", "surrogatepass")


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
    told = replace(share, sections=[*share.sections, Section("s3", None, text="no label"), Section("s4")])
    assert seen(told, consent) == (
        ["s1", "s2"],
        {"/sections/2": Why.UNLABELLED, "/sections/3": Why.UNLABELLED},
    )


def test_r17_a_strict_service_is_refused_each_unlabelled_section(share: Share, consent: Consent) -> None:
    # given an agreement that takes only what is labelled
    strict = replace(SERVICE, agreement=replace(AGREEMENT, strict=True))
    told = replace(share, sections=[Section("a", None, text="x"), *share.sections, Section("b", None, text="y")])
    # when the share is cut, then it is refused, once for each; and without the strictness it is not
    view = minimise(told, consent, strict, CARRIES_ALL)
    assert refused(view) == [("unlabelled", "/sections/0"), ("unlabelled", "/sections/3")]
    assert refused(minimise(told, consent, SERVICE, CARRIES_ALL)) == []


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
        ],
    )
    grant = replace(consent, categories=[Category.IDENTITY, Category.LOCATION])
    # then each is named with its own reason, and the empty one is not mentioned
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


@pytest.mark.parametrize("category", TICKED)
@pytest.mark.parametrize("reason", [None, "", " \t\n"])
def test_r67_r72_agreed_is_not_enough_without_a_tick_and_its_reason(
    share: Share, consent: Consent, category: Category, reason: str | None
) -> None:
    told = replace(share, sections=[Section("a", category, text="x", words_checked=True)])
    grant = replace(consent, categories=[category], ticked={} if reason is None else {category: reason})
    assert seen(told, grant) == ([], {"/sections/0": Why.TICK_BY_ITSELF})


@pytest.mark.parametrize("category", TICKED)
def test_r67_r72_ticked_by_itself_goes_only_where_the_service_may_have_it(
    share: Share, consent: Consent, category: Category
) -> None:
    told = replace(share, sections=[Section("a", category, text="x", words_checked=True)])
    grant = replace(consent, categories=[category], ticked=TICKED)
    assert seen(told, grant) == (["a"], {})
    assert seen(told, grant, ALL - {category}) == ([], {"/sections/0": Why.NOT_FOR_SERVICE})
    # and a tick without the category is none
    assert seen(told, replace(grant, categories=[])) == ([], {"/sections/0": Why.TICK_BY_ITSELF})


def test_r72_no_article_10_condition_no_offending(share: Share, consent: Consent) -> None:
    told = replace(share, sections=[Section("a", Category.OFFENDING, {"order_type": "x"})])
    grant = replace(consent, categories=[Category.OFFENDING], ticked=TICKED)
    # given an agreement whose receiver names no condition, and a service without an agreement
    unnamed = replace(AGREEMENT, receiver=replace(AGREEMENT.receiver, article_10=""))
    for agreement in (unnamed, None):
        view = minimise(told, grant, replace(SERVICE, agreement=agreement), CARRIES_ALL)
        assert (view.sections, view.withheld) == ((), (Withheld("/sections/0", Why.NO_ARTICLE_10),))


def test_r72_only_what_helps_to_help_goes_of_offending(share: Share, consent: Consent) -> None:
    # given a section with allowed fields, and an allegation, a victim and a conviction
    never = ["allegation", "victim_name", "spent_conviction", "mappa_level"]
    fields: dict[str, Value] = dict.fromkeys([*sorted(OFFENDING_FIELDS), *never], "x")
    told = replace(share, sections=[Section("a", Category.OFFENDING, fields, text="Nobody read this.")])
    grant = replace(consent, categories=[Category.OFFENDING], ticked=TICKED)
    # when it is cut, then the allowed go, and words only once they are checked
    view = cut(told, grant)
    helps = sorted(OFFENDING_FIELDS - {"supervising_office"})
    assert (sorted(view.sections[0].fields), view.sections[0].text) == (helps, "")
    assert {w.pointer: w.why for w in view.withheld} == {
        # and where they report each week is a place
        "/sections/0/fields/supervising_office": Why.LOCATION_PRIVATE,
        **{f"/sections/0/fields/{name}": Why.NOT_FOR_SHARING for name in never},
        "/sections/0/text": Why.WORDS_NOT_CHECKED,
    }
    checked = replace(told, sections=[replace(told.sections[0], words_checked=True)])
    assert cut(checked, grant).sections[0].text == "Nobody read this."


@pytest.mark.parametrize(
    ("words", "goes"),
    [
        ("He is on MAPPA level 2.", False),
        ("There is an allegation from May.", False),
        ("She alleges that he hit her.", False),
        ("The Victim is my cousin.", False),
        ("He has a spent conviction.", False),
        ("He sees his officer on Mondays.", True),
        ("I have spent all I had.", True),
    ],
)
def test_r72_words_that_accuse_or_identify_go_nowhere_even_when_they_were_checked(
    share: Share, consent: Consent, words: str, goes: bool
) -> None:
    # given the same words as text and in a field that may be told
    fields: dict[str, Value] = {"appointment": [words], "order_type": "community order"}
    told = replace(share, sections=[Section("a", Category.OFFENDING, fields, text=words, words_checked=True)])
    grant = replace(consent, categories=[Category.OFFENDING], ticked=TICKED)
    # when it is cut, then neither goes, and both are named
    kept = {} if goes else dict.fromkeys(("/sections/0/fields/appointment", "/sections/0/text"), Why.NOT_FOR_SHARING)
    assert seen(told, grant) == (["a"], kept)


def contact(share: Share, **fields: Value) -> Share:
    return replace(share, sections=[Section("c", Category.CONTACT, fields)])


def test_r62_a_section_that_was_only_a_place_leaves_nothing_behind(share: Share, consent: Consent) -> None:
    assert seen(contact(share, postcode="x"), consent) == ([], {"/sections/0/fields/postcode": Why.LOCATION_PRIVATE})


@pytest.mark.parametrize(
    "value",
    [
        "CB1 2AB",
        "ask at cb1 2ab",
        ["no", "52.2053, 0.1218"],
        "TL 458 583",
        "filled.count.soap",
        "01632 960001",
        "12 Mill Road",
    ],
)
def test_r62_a_value_that_shows_where_is_withheld_under_any_name(share: Share, consent: Consent, value: Value) -> None:
    told = replace(share, sections=[Section("h", Category.HOUSING, {"reason": "x", "note": value})])
    assert seen(told, consent) == (["h"], {"/sections/0/fields/note": Why.LOCATION_PRIVATE})
    assert seen(told, replace(consent, location_ok=True)) == (["h"], {})


def words(share: Share, text: str, *, checked: bool = False, said: Said | None = None) -> Share:
    told = Section("w", Category.IN_THEIR_WORDS, text=text, words_checked=checked, said=said)
    return replace(share, sections=[Section("i", Category.IDENTITY, {"given_name": "Sam"}), told])


@pytest.mark.parametrize(
    ("text", "checked", "types"),
    [
        ("I want a door that locks.", False, []),
        ("I sleep near the train station.", False, ["check-words"]),
        ("I sleep near the train station.", True, []),
        ("I am at CB1 2AB.", False, ["check-words", "place-in-words"]),
        ("I am at CB1 2AB.", True, ["place-in-words"]),
        ("Ring 07700 900123.", True, ["place-in-words"]),
        ("I sleep at 12 Mill Road.", True, ["place-in-words"]),
    ],
)
def test_r18_words_that_may_show_a_place_stop_the_service_until_somebody_looks(
    share: Share, consent: Consent, text: str, checked: bool, types: list[str]
) -> None:
    told = words(share, text, checked=checked)
    assert refused(cut(told, consent)) == [(each, "/sections/1/text") for each in types]
    # and a service that may know where they are is stopped only until somebody looks; one that sees no words is not
    unread = [each for each in types if each == "check-words"]
    assert refused(cut(told, replace(consent, location_ok=True))) == [(each, "/sections/1/text") for each in unread]
    assert refused(cut(told, replace(consent, categories=[Category.IDENTITY]))) == []


def test_r18_every_part_to_look_at_is_named_at_once(share: Share, consent: Consent) -> None:
    said = Said("the night worker at Mill Road", "passed_on", date(2026, 11, 18))
    told = words(share, "We live in Leeds.", said=said)
    note = Section("h", Category.HOUSING, {"note": "sleeps near the train station", "kind": "hostel"})
    told = replace(told, sections=[*told.sections, note])
    assert refused(cut(told, consent)) == [
        ("check-words", "/sections/1/text"),
        ("check-words", "/sections/1/said/by"),
        ("check-words", "/sections/2/fields/note"),
    ]


def test_r62_a_place_in_what_makes_contact_safe_is_refused_and_not_dropped(share: Share, consent: Consent) -> None:
    told = contact(share, not_safe_to_talk_to=["my brother, 07700 900123"], safe_to_call="no")
    view = cut(told, consent)
    assert view.withheld == ()
    pointer = "/sections/0/fields/not_safe_to_talk_to"
    assert refused(view) == [("check-words", pointer), ("place-in-words", pointer)]


def test_r62_a_role_that_names_its_place_is_refused(share: Share, consent: Consent) -> None:
    one = replace(share.trusted_person, contact=replace(share.trusted_person.contact, role="Front desk, CB1 2AB"))
    told = replace(share, trusted_person=one)
    assert refused(cut(told, consent)) == [("place-in-words", "/trusted_person/contact/role")]
    assert refused(cut(told, replace(consent, location_ok=True))) == []


@pytest.mark.parametrize("category", [Category.DOMESTIC_ABUSE, Category.SAFETY, Category.HOUSING])
def test_r66_sections_about_abuse_go_only_where_every_line_is_carried(
    share: Share, consent: Consent, category: Category
) -> None:
    told = replace(share, sections=[Section("a", category, text="x")])
    grant = replace(consent, categories=[category])
    view = cut(told, grant, handling_lines=frozenset([HandlingLine.HIDE_FROM_ONLINE_RECORD]))
    about_abuse = category is not Category.HOUSING
    assert [w.why for w in view.withheld] == ([Why.HANDLING_NOT_CARRIED] if about_abuse else [])
    # and a share with no other line than that may go
    fewer = replace(told, handling=[HandlingLine.HIDE_FROM_ONLINE_RECORD])
    assert cut(fewer, grant, handling_lines=frozenset([HandlingLine.HIDE_FROM_ONLINE_RECORD])).withheld == ()


def test_th02_who_must_not_see_it_is_carried_or_nothing_goes(share: Share, consent: Consent) -> None:
    told = replace(share, keep_from=["Alex Rivers"])
    assert refused(cut(told, consent)) == []
    assert refused(cut(told, consent, keeps_from=False)) == [("keep-from-not-carried", "/keep_from")]
    assert refused(cut(share, consent, keeps_from=False)) == []


@pytest.mark.parametrize(
    "name",
    [
        *PLACES, "Address", "homeAddress", "post_code", "postcode2", "house_number", "flat_no", "where_they_stay",
        "staying_at", "latitude", "lat", "what3words", "grid_reference", "workplace", "street_name", "previous_town_1",
        "worker_base", "worker_office", "meeting_place", "district", "college", "nursery_name",
    ],
)  # fmt: skip
def test_r62_names_that_say_where(name: str) -> None:
    assert says_where(name)


@pytest.mark.parametrize(
    "name",
    [
        *STATEMENTS, *POINTS, "email_address", "e_mail_address", "given_name", "family_name", "birth_date", "reason",
        "nhs_number", "last_settled", "substances", "route", "goal", "consent_to_refer", "long_term_plan", "pronouns",
        "line_manager", "platform", "house_rules", "somewhere_else", "relationship", "translator", "preferred_language",
    ],
)  # fmt: skip
def test_r62_names_that_do_not_say_where(name: str) -> None:
    assert not says_where(name)


@pytest.mark.parametrize(
    ("kind", "name", "location_ok", "private"),
    [
        ("place", "The Day Centre", False, True),
        ("place", "The Day Centre", True, False),
        ("person", "Jo", False, False),
        ("person", "Jo at St Anne's hostel", False, True),
        ("person", "Jo at St Anne's hostel", True, False),
    ],
)
def test_r62_a_name_that_shows_where_somebody_goes_is_kept_back(
    share: Share, consent: Consent, kind: Any, name: str, location_ok: bool, private: bool
) -> None:
    one = replace(share.trusted_person, kind=kind, name=name)
    told = replace(share, trusted_person=one)
    assert keeps_location_private(told, replace(consent, location_ok=location_ok)) is private
