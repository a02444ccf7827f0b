"""What the domain's tests share: the shipped calendar, and a valid share to change."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import settings

from hub.domain.calendar import WorkingCalendar, england_and_wales
from hub.domain.share import (
    Agreed,
    Category,
    Choice,
    Consent,
    Person,
    RoleContact,
    Section,
    Share,
    TrustedPerson,
)

# Wall-clock deadlines of single examples say more about a busy machine than about the rules.
settings.register_profile("domain", deadline=timedelta(seconds=5), max_examples=100, database=None)
settings.load_profile("domain")


@pytest.fixture(scope="session")
def calendar() -> WorkingCalendar:
    """The calendar as it ships."""
    return england_and_wales()


@pytest.fixture(scope="session")
def consent() -> Consent:
    """A consent for housing, good until 18 February 2027."""
    agreed = Agreed(on=date(2026, 11, 18), how="spoken", able_to_decide="yes", duties_explained=True, notice="v3")
    return Consent(
        reference="c-1",
        service="city-housing-options",
        categories=[Category.IDENTITY, Category.CONTACT, Category.HOUSING, Category.IN_THEIR_WORDS],
        purpose="find-somewhere-to-live",
        agreed=agreed,
        until=date(2027, 2, 18),
        returns=["state"],
    )


@pytest.fixture(scope="session")
def share(consent: Consent) -> Share:
    """A share with nothing wrong with it."""
    return Share(
        at_risk_now=False,
        reference="DC-2026-0412",
        person=Person("P-1001"),
        trusted_person=TrustedPerson("tp-77", "place", "Riverside day centre", RoleContact("Front desk")),
        choice=Choice("outreach", nothing_suggests_unsafe=True),
        sections=[
            Section("s1", Category.IDENTITY, {"given_name": "Sam"}),
            Section("s2", Category.IN_THEIR_WORDS, text="I want a door that locks.", words_checked=True),
        ],
        consents=[consent],
    )
