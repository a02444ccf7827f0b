"""Working days and hours: holidays, both clock changes, and what "within n working days" means."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import (
    LONDON,
    WorkingCalendar,
    day_ends,
    england_and_wales,
    load_holidays,
    london_date,
    shipped_holidays,
)

CALENDAR = england_and_wales()
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 11, 1), timezones=st.just(UTC))


def london(text: str) -> datetime:
    """An instant given as London's clock shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-11-20 15:00", 1, "2026-11-23 17:00"),  # Friday afternoon: Monday
        ("2026-11-20 17:00", 1, "2026-11-24 17:00"),  # closing time itself counts as the next working day
        ("2026-11-21 10:00", 1, "2026-11-24 17:00"),  # Saturday counts as received on Monday
        ("2026-11-23 07:00", 1, "2026-11-24 17:00"),  # before opening is still that day
        ("2026-11-23 07:00", 0, "2026-11-23 17:00"),
        ("2026-12-22 12:00", 5, "2026-12-31 17:00"),  # Boxing Day is a Saturday, so Monday 28th is off
        ("2026-12-24 18:00", 1, "2026-12-30 17:00"),
        ("2027-12-24 12:00", 1, "2027-12-29 17:00"),  # substitute days on the 27th and 28th
        ("2027-12-31 16:59", 1, "2028-01-04 17:00"),  # New Year's Day is a Saturday, substitute on the 3rd
        ("2028-04-13 12:00", 1, "2028-04-18 17:00"),  # Good Friday to Easter Monday
        ("2026-03-27 12:00", 1, "2026-03-30 17:00"),  # over the spring change
        ("2026-10-23 12:00", 1, "2026-10-26 17:00"),  # over the autumn change
    ],
)
def test_r43_within_n_working_days_excludes_the_day_of_receipt(received: str, days: int, due: str) -> None:
    assert CALENDAR.add_working_days(london(received), days) == london(due)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20 15:00", 4, "2026-11-23 11:00"),
        ("2026-11-20 13:00", 4, "2026-11-20 17:00"),
        ("2026-11-20 17:00", 4, "2026-11-23 13:00"),
        ("2026-11-20 03:00", 4, "2026-11-20 13:00"),
        ("2026-11-22 12:00", 8, "2026-11-23 17:00"),
        ("2026-12-24 16:00", 2, "2026-12-29 10:00"),
        ("2026-03-27 16:00", 2, "2026-03-30 10:00"),
        ("2026-10-23 16:00", 2, "2026-10-26 10:00"),
        ("2026-11-20 10:00", 0.5, "2026-11-20 10:30"),
    ],
)
def test_r43_working_hours_pause_outside_opening(start: str, hours: float, end: str) -> None:
    assert CALENDAR.add_working_hours(london(start), hours) == london(end)


def test_r43_the_same_london_hour_is_another_utc_hour_after_the_clocks_change() -> None:
    # given the Fridays before and the Mondays after both changes
    # then closing time is 17:00 in London, whichever offset holds
    assert CALENDAR.end_of_working_day(date(2026, 3, 27)).time() == time(17)
    assert CALENDAR.end_of_working_day(date(2026, 3, 30)).time() == time(16)
    assert CALENDAR.end_of_working_day(date(2026, 10, 23)).time() == time(16)
    assert CALENDAR.end_of_working_day(date(2026, 10, 26)).time() == time(17)


def test_shifts_around_midnight_use_londons_date_in_summer() -> None:
    # given 23:30 UTC on a Thursday in June, which is already Friday in London
    late = datetime(2026, 6, 11, 23, 30, tzinfo=UTC)
    # then it is received on Friday, and one working day later is Monday
    assert london_date(late) == date(2026, 6, 12)
    assert CALENDAR.add_working_days(late, 1) == london("2026-06-15 17:00")


def test_a_local_closure_is_not_a_working_day() -> None:
    # given a partnership closed on a Monday
    closed = england_and_wales(frozenset({date(2026, 11, 23)}))
    # then Friday's answer is due on Tuesday
    assert closed.add_working_days(london("2026-11-20 15:00"), 1) == london("2026-11-24 17:00")
    assert closed.end_of_working_day(date(2026, 11, 22)) == london("2026-11-24 17:00")


def test_the_shipped_data_is_whole_and_warns_in_time() -> None:
    # given the shipped holidays, which end on Boxing Day 2028
    assert max(shipped_holidays()) == date(2028, 12, 26)
    assert {date(2026, 12, 25), date(2026, 12, 28), date(2022, 9, 19)} <= shipped_holidays()
    assert date(2026, 11, 30) not in shipped_holidays()  # St Andrew's Day is Scotland's
    # then the warning begins when twelve months ahead passes the end
    assert CALENDAR.covers(london("2027-12-26 12:00"))
    assert not CALENDAR.covers(london("2027-12-27 12:00"))
    assert not WorkingCalendar(frozenset()).covers(london("2026-01-01 12:00"))
    assert CALENDAR.covers(london("2024-02-29 12:00"))


@pytest.mark.parametrize("text", ["{}", "[]", '{"england-and-wales": {"events": []}}', "not json", "null"])
def test_a_document_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_holidays(text)


def test_the_document_reads_as_json_of_three_divisions() -> None:
    document = json.loads(files("hub.domain").joinpath("bank-holidays.json").read_text(encoding="utf-8"))
    assert set(document) == {"england-and-wales", "scotland", "northern-ireland"}


def test_what_cannot_be_counted_is_refused() -> None:
    naive = datetime(2026, 1, 1)
    for wrong in (
        lambda: CALENDAR.add_working_days(naive, 1),
        lambda: CALENDAR.add_working_days(london("2026-01-05 10:00"), -1),
        lambda: CALENDAR.add_working_hours(london("2026-01-05 10:00"), -1),
        lambda: WorkingCalendar(frozenset(), opens=time(17), closes=time(9)),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()


def test_a_calendar_with_no_working_day_says_so_instead_of_searching_for_ever() -> None:
    start = date(2026, 1, 1)
    shut = WorkingCalendar(frozenset(), frozenset(start + timedelta(days=n) for n in range(400)))
    with pytest.raises(ValueError, match="no working day"):
        shut.end_of_working_day(start)


@given(instants, st.integers(0, 30))
def test_a_due_day_is_a_working_day_at_closing_after_exactly_n_working_days(start: datetime, n: int) -> None:
    # when n working days are added
    due = CALENDAR.add_working_days(start, n)
    # then it is closing time of a working day, later than the start
    local = due.astimezone(LONDON)
    assert CALENDAR.is_working_day(local.date())
    assert local.time() == CALENDAR.closes
    assert due > start
    # and a naive count of the days between agrees
    received = start.astimezone(LONDON)
    first = received.date() + timedelta(days=1 if received.time() >= CALENDAR.closes else 0)
    span = [first + timedelta(days=k) for k in range((local.date() - first).days + 1)]
    assert sum(CALENDAR.is_working_day(day) for day in span) == n + 1


@given(instants, st.integers(0, 400), st.integers(1, 400))
def test_working_hours_add_up_and_end_inside_opening_time(start: datetime, a: int, b: int) -> None:
    # when quarter hours are added in two steps or in one
    once = CALENDAR.add_working_hours(start, (a + b) / 4)
    twice = CALENDAR.add_working_hours(CALENDAR.add_working_hours(start, a / 4), b / 4)
    # then it is the same instant, inside opening time
    assert once == twice
    local = once.astimezone(LONDON)
    assert CALENDAR.is_working_day(local.date())
    assert CALENDAR.opens < local.time() <= CALENDAR.closes


@given(instants, instants, st.integers(0, 12))
def test_sent_later_is_never_due_earlier(one: datetime, other: datetime, n: int) -> None:
    first, second = sorted((one, other))
    assert CALENDAR.add_working_days(first, n) <= CALENDAR.add_working_days(second, n)
    assert CALENDAR.add_working_hours(first, n) <= CALENDAR.add_working_hours(second, n)


@given(st.dates())
def test_every_day_ends_the_last_one_too(day: date) -> None:
    assert day_ends(day) > datetime.combine(day, time(22), tzinfo=UTC)


def test_a_day_ends_at_midnight_in_london() -> None:
    assert day_ends(date(2026, 7, 1)) == datetime(2026, 7, 1, 23, tzinfo=UTC)
    assert day_ends(date.max) == datetime.max.replace(tzinfo=UTC)
