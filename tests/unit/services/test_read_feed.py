"""Feeds of Open Referral UK as they really come: read as far as they can be, and never obeyed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.listing import STALE_AFTER, Listing
from hub.services.read_feed import FeedError, read_page, read_service

WHOLE: dict[str, Any] = {
    "id": "ac148810-d857-441c-9679-408f346de14b",
    "name": "Community counselling",
    "status": "active",
    "minimum_age": 18,
    "maximum_age": 65.0,
    "assured_date": "2026-05-01",
    "last_modified": "2026-08-02T10:00:00Z",
    "eligibility_description": "Anyone who lives here.",
    "url": "https://charity.example/counselling",
    "organization": {"id": "o", "name": "A charity", "email": "someone@charity.example"},
    "service_areas": [{"id": "a", "name": "Cambridge", "extent": "E07000008"}, {"extent": "E07000012"}],
    "contacts": [{"name": "Pat Smith"}],
}


def test_a_whole_service_keeps_what_eligibility_and_staleness_are_judged_by() -> None:
    assert read_service(WHOLE) == Listing(
        id=WHOLE["id"],
        name="Community counselling",
        organisation="A charity",
        status="active",
        minimum_age=18,
        maximum_age=65,
        areas=("Cambridge", "E07000012"),
        eligibility="Anyone who lives here.",
        url="https://charity.example/counselling",
        checked_on=date(2026, 8, 2),
    )


@pytest.mark.parametrize(
    ("field", "value", "kept", "expected"),
    [
        ("minimum_age", "16", "minimum_age", 16),
        ("minimum_age", "from 16", "minimum_age", None),
        ("maximum_age", 1e400, "maximum_age", None),
        ("status", "OPEN!", "status", "unknown"),
        ("status", "Temporarily Closed", "status", "temporarily closed"),
        ("organization", "A charity", "organisation", "A charity"),
        ("service_areas", "everywhere", "areas", ()),
        ("service_areas", ["E07000008", 7, None], "areas", ("E07000008", "7")),
        ("url", "javascript:alert(1)", "url", ""),
        ("name", "Help\x1b[2J\u202egnp\r\nnow", "name", "Help[2Jgnp now"),
        ("eligibility_description", "x" * 5000, "eligibility", "x" * 300),
    ],
)
def test_what_is_misspelt_is_read_as_far_as_it_can_be(field: str, value: Any, kept: str, expected: Any) -> None:
    found = read_service(WHOLE | {field: value})
    assert found is not None
    assert getattr(found, kept) == expected


@pytest.mark.parametrize("envelope", ["contents", "content", "services", None])
def test_any_envelope_is_opened_and_what_has_no_name_is_counted(envelope: str | None) -> None:
    services = [WHOLE, {"id": "x"}, None, "service"]
    page = read_page(services if envelope is None else {envelope: services, "last_page": False})
    assert (len(page.listings), page.unreadable, page.last) == (1, 3, envelope is None)


@pytest.mark.parametrize("document", [None, 7, "x", {}, {"contents": "none"}])
def test_what_is_no_feed_is_said(document: Any) -> None:
    with pytest.raises(FeedError):
        read_page(document)


_LEAVES = st.none() | st.booleans() | st.floats() | st.text()
_NAMES = st.sampled_from([*WHOLE, "extent"])


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner), max_leaves=20))
def test_no_service_can_break_the_reading(service: Any) -> None:
    page = read_page([service])
    assert len(page.listings) + page.unreadable == 1
    json.dumps([each.name for each in page.listings])


def test_a_listing_is_stale_when_nobody_looked_in_half_a_year_or_nobody_says() -> None:
    listing, today = Listing("i", "n", checked_on=date(2026, 5, 1)), date(2026, 5, 1) + STALE_AFTER
    assert not listing.is_stale(today)
    assert listing.is_stale(today + timedelta(days=1))
    assert Listing("i", "n").is_stale(today)


@pytest.mark.parametrize(
    ("age", "area", "suits"),
    [(17, "", False), (18, "", True), (66, "", False), (None, "cambridge", True), (30, "E07000099", False)],
)
def test_only_what_rules_somebody_out_does(age: int | None, area: str, suits: bool) -> None:
    found = read_service(WHOLE)
    assert found is not None
    assert found.may_suit(age, area) is suits
    assert Listing("i", "n").may_suit(age, area)
    assert not Listing("i", "n", status="defunct").may_suit()
