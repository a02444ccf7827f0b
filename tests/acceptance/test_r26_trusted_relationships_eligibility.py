"""R26: who the Trusted Relationships gate lets by: aged 17 or under on the day, a risk status, open to the service."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import london_date
from hub.domain.precondition import age_on
from tests.gating import TR_FACTS, shipped_gate, types

TR = shipped_gate("trusted-relationships")
ON = date(2026, 11, 20)


def test_r26_everything_in_place_passes() -> None:
    assert types(TR, TR_FACTS, ON) == []


@pytest.mark.parametrize(
    ("born", "on", "passes"),
    [
        ("2008-11-21", date(2026, 11, 20), True),  # 17 years and 364 days
        ("2008-11-20", date(2026, 11, 20), False),  # the 18th birthday
        ("2008-11-19", date(2026, 11, 20), False),
        ("2026-11-20", date(2026, 11, 20), True),  # born today
        ("2008-02-29", date(2026, 2, 28), True),  # born on 29 February: 18 on 1 March of a common year
        ("2008-02-29", date(2026, 3, 1), False),
        ("2010-02-29", date(2026, 3, 1), False),  # a day there never was
        ("2006-02-28", date(2024, 2, 28), False),
        ("2006-03-01", date(2024, 2, 29), True),
        ("2026-11-21", date(2026, 11, 20), False),  # born tomorrow
    ],
)
def test_r26_the_age_is_that_on_the_submission_date(born: str, on: date, passes: bool) -> None:
    # given every step taken long before, so that the age alone decides
    long_ago = {name: "2020-01-01" if name.endswith("_on") else value for name, value in TR_FACTS.items()}

    # when it is sent on that day
    refused = types(TR, long_ago | {"birth_date": born}, on)

    # then the gate that refuses is the age's, and it alone
    assert refused == ([] if passes else ["gate-age"])


@pytest.mark.parametrize(
    ("sent_at", "passes"),
    [
        # Born on 1 July 2008: in summer London's midnight is 23:00 in UTC.
        (datetime(2026, 6, 30, 22, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), False),
    ],
)
def test_r26_the_day_is_londons_in_summer(sent_at: datetime, passes: bool) -> None:
    facts = TR_FACTS | {"birth_date": "2008-07-01"}
    facts |= {name: "2020-01-01" for name in facts if name.endswith("_on")}
    assert (types(TR, facts, london_date(sent_at)) == []) is passes


@pytest.mark.parametrize(
    ("born", "last_of_17", "first_of_18"),
    [
        # The clocks go back on 25 October 2026 and forward on 29 March 2026: midnight before and after each.
        ("2008-10-25", datetime(2026, 10, 24, 22, 59, tzinfo=UTC), datetime(2026, 10, 24, 23, 0, tzinfo=UTC)),
        ("2008-10-26", datetime(2026, 10, 25, 23, 59, tzinfo=UTC), datetime(2026, 10, 26, 0, 0, tzinfo=UTC)),
        ("2008-03-29", datetime(2026, 3, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 29, 0, 0, tzinfo=UTC)),
        ("2008-03-30", datetime(2026, 3, 29, 22, 59, tzinfo=UTC), datetime(2026, 3, 29, 23, 0, tzinfo=UTC)),
    ],
)
def test_r26_midnight_is_londons_on_both_sides_of_a_clock_change(
    born: str, last_of_17: datetime, first_of_18: datetime
) -> None:
    facts = TR_FACTS | {"birth_date": born}
    facts |= {name: "2020-01-01" for name in facts if name.endswith("_on")}
    assert types(TR, facts, london_date(last_of_17)) == []
    assert types(TR, facts, london_date(first_of_18)) == ["gate-age"]


@pytest.mark.parametrize("status", [None, "", "low", "Medium ", "None", "Critical", True, ["Low"], 1])
def test_r26_no_risk_status_or_another_word_is_refused_by_that_gate(status: object) -> None:
    facts = {name: value for name, value in (TR_FACTS | {"risk_status": status}).items() if value is not None}
    assert types(TR, facts, ON) == ["gate-risk-status"]


@pytest.mark.parametrize("status", ["Low", "Medium", "High"])
def test_r26_each_of_the_three_risk_statuses_passes(status: str) -> None:
    assert types(TR, TR_FACTS | {"risk_status": status}, ON) == []


@pytest.mark.parametrize("opened", [None, True, "yes", "2026-11-21", "20260601", "2026-06-31"])
def test_r26_who_is_not_open_is_refused_by_that_gate(opened: object) -> None:
    facts = {name: value for name, value in (TR_FACTS | {"open_on": opened}).items() if value is not None}
    assert types(TR, facts, ON) == ["gate-open-to-children-and-families", "gate-pathway-order"]


@pytest.mark.parametrize("age", [True, -1, "seventeen", "17", ["2010-05-04"], None])
def test_r26_an_age_that_cannot_be_read_never_passes(age: object) -> None:
    facts = {name: value for name, value in (TR_FACTS | {"birth_date": age}).items() if value is not None}
    assert types(TR, facts, ON) == ["gate-age"]


@given(st.dates(date(1990, 1, 1), date(2026, 11, 20)), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_r26_a_year_is_added_on_the_birthday_and_on_no_other_day(born: date, on: date) -> None:
    # given any birth date and day after it, when the ages of that day and the day before are compared
    if on <= born:
        return
    before = date.fromordinal(on.toordinal() - 1)
    birthday = (on.month, on.day) == (born.month, born.day)
    leap = (born.month, born.day) == (2, 29) and (on.month, on.day) == (3, 1) and before.day == 28
    # then it grows by one just on the birthday, which for a leap day is 1 March of a common year
    assert age_on(born, on) - age_on(born, before) == int(birthday or leap)
