"""R54: what a month publishes is codes, places and ranges, from which no sum across its files finds a small count."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.calendar import england_and_wales
from hub.domain.disclosure import SMALL, Span, told
from hub.domain.learning import (
    BY_NONE,
    BY_PARTNER,
    NAMES,
    Counted,
    Figure,
    Level,
    Measure,
    band,
    bounds,
    check,
    figures,
    is_month,
    known,
    median,
    opens_on,
    settled,
)
from tests.unit.domain.test_disclosure import possible

M = Measure
SERVICES = {"advice": "city", "homes": "city", "beds": "city", "clinic": "county", "school": "county"}
PARTNERS = ("centre", "city", "county")
#: A refuge, and a service that is gone: neither is listed.
UNLISTED = ("refuge", "gone")


def places(measure: Measure) -> list[str]:
    if measure in BY_NONE:
        return [""]
    return list(PARTNERS if measure in BY_PARTNER else (*SERVICES, *UNLISTED))


KEYS = [(measure, name, place) for measure in M for name in sorted(NAMES[measure])[:4] for place in places(measure)]
MONTH = st.dictionaries(st.sampled_from(KEYS), st.one_of(st.integers(0, 6), st.integers(0, 60)), max_size=60)


def counted(month: dict[tuple[Measure, str, str], int]) -> list[Counted]:
    return [Counted(*key, number) for key, number in month.items()]


def sums(published: list[Figure], keys: list[tuple[Measure, str, str]]) -> list[tuple[list[int], Span]]:
    """Every figure of every file as a sum over the month's counts, as an attacker writes them down."""
    found = []
    for each in published:
        of = [
            at
            for at, (measure, name, place) in enumerate(keys)
            if (measure, name) == (each.measure, each.name)
            and (each.level is Level.PARTNERSHIP or place == each.place or SERVICES.get(place) == each.place)
        ]
        found.append((of, each.span))
    return found


@given(MONTH)
def test_r54_an_attacker_with_every_file_of_a_month_fixes_no_small_count(month) -> None:
    # given a month, all its files, and an attacker who adds that no count is below nothing
    published = figures(counted(month), SERVICES, PARTNERS)
    keys = [key for key in KEYS if key in month or key[2] in SERVICES or key[2] in PARTNERS or not key[2]]
    known_sums = sums(published, keys)
    # then every figure is true
    for members, span in known_sums:
        assert span.low <= sum(month.get(keys[each], 0) for each in members) <= span.high
    # and every small count may still be any from 0 to 4, and of what is not listed nothing finer is known
    for key, span in zip(keys, possible(known_sums, len(keys)), strict=True):
        if month.get(key, 0) < SMALL:
            assert (span.low, span.high >= SMALL - 1) == (0, True), key


@given(MONTH, MONTH)
def test_r54_two_months_share_no_count_so_that_nothing_follows_from_both(first, second) -> None:
    # given two months of which one is published after the other, by a partnership that changed in between
    moved = {**SERVICES, "beds": "county"}
    one, two = figures(counted(first), SERVICES, PARTNERS), figures(counted(second), moved, PARTNERS)
    # then each is what it would be alone: the next month says nothing of the last
    assert one == figures(counted(first), SERVICES, PARTNERS)
    assert {each.place for each in one} <= {"", *SERVICES, *PARTNERS}
    assert two == figures(counted(second), moved, PARTNERS)


@cache
def publications(counts: tuple[int, ...]) -> tuple[Span, ...]:
    """What is published of two services of one partner."""
    of = [Counted(M.WINS, "helped", place, number) for place, number in zip(("advice", "homes"), counts, strict=True)]
    listed = {"advice": "city", "homes": "city"}
    return tuple(each.span for each in figures(of, listed, ["city"]) if each.name == "helped")


@pytest.mark.parametrize("late_only", [True, False], ids=["late-only", "any-correction"])
def test_r54_whoever_knows_the_rule_and_has_both_versions_of_a_month_fixes_no_small_count(late_only: bool) -> None:
    # given every month there could be, and every way in which late answers or a correction could change it
    worlds = defaultdict(set)
    for first, later in product(product(range(13), repeat=2), repeat=2):
        if late_only and any(new < old for old, new in zip(first, later, strict=True)):
            continue
        kept = settled(
            [Counted(M.WINS, "helped", str(at), number) for at, number in enumerate(first)],
            [Counted(M.WINS, "helped", str(at), number) for at, number in enumerate(later)],
        )
        second = tuple(each.number for each in sorted(kept, key=lambda each: each.place))
        worlds[publications(first), publications(second)].add((*first, *later))
    # then with both versions in hand no small count, old or new, is one number
    assert len(worlds) > 30
    for months in worlds.values():
        for place in range(4):
            values = {month[place] for month in months}
            assert min(values) >= SMALL or len(values) > 1


def test_a_version_that_puts_a_month_right_moves_a_count_only_where_it_is_five_away() -> None:
    before = [Counted(M.WINS, "helped", "a", 4), Counted(M.WINS, "helped", "b", 4), Counted(M.WINS, "helped", "c", 9)]
    after = [Counted(M.WINS, "helped", "a", 5), Counted(M.WINS, "helped", "b", 9)]
    assert [(each.place, each.number) for each in settled(before, after)] == [("a", 4), ("b", 9), ("c", 0)]


def test_what_is_not_listed_is_in_the_partnerships_figure_alone() -> None:
    # given a refuge that was met often
    found = figures([Counted(M.WINS, "helped", "refuge", 40)], SERVICES, PARTNERS)
    # then no row names it, and no partner's figure holds it
    assert not [each for each in found if each.place == "refuge"]
    assert {each.span.low for each in found if each.name == "helped" and each.level is Level.PARTNER} == {0}
    (whole,) = [each.span for each in found if each.name == "helped" and each.level is Level.PARTNERSHIP]
    assert whole.low <= 40 <= whole.high


def test_rows_that_are_there_say_nothing_that_those_that_are_not_keep_to_themselves() -> None:
    # given a door that was met four times, and one that never was
    met = figures([Counted(M.DOORS, "door/declined/no-room-now", "homes", 4)], SERVICES, PARTNERS)
    never = figures([], SERVICES, PARTNERS)
    # then what is published is the same; and from 5 on it is told
    assert met == never
    told_of = figures([Counted(M.DOORS, "door/declined/no-room-now", "homes", 6)], SERVICES, PARTNERS)
    assert next((each.level, each.span.figure) for each in told_of if each.measure is M.DOORS) == (Level.SERVICE, 5)


@pytest.mark.parametrize(
    ("measure", "name", "published"),
    [
        (M.DOORS, "door/declined/too-old", "door/declined/too-old"),
        (M.DOORS, "door/declined/Sam Rivers", "door/another"),
        (M.DOORS, "gate/gate-age", "gate/gate-age"),
        (M.DOORS, "gate/gate-that-is-gone", "gate/another"),
        (M.GAPS, "find-somewhere-to-live", "find-somewhere-to-live"),
        (M.GAPS, "sam-rivers", "another"),
        (M.WINS, "thank you Sam", "another"),
    ],
)
def test_r54_no_name_but_a_code_that_was_agreed_on_is_published(measure: Measure, name: str, published: str) -> None:
    assert known(measure, name, {"gate/gate-age", "find-somewhere-to-live", "Sam Rivers"}) == published


@pytest.mark.parametrize(
    "wrong",
    [
        Figure(M.WINS, "Sam", Level.PARTNERSHIP, "", told(9)),
        Figure(M.WINS, "helped", Level.SERVICE, "K7M-4QX", told(9)),
        Figure(M.WINS, "helped", Level.PARTNERSHIP, "homes", told(9)),
        Figure(M.WINS, "helped", Level.SERVICE, "homes", Span(9, 5)),
    ],
    ids=["name", "place", "level", "range"],
)
def test_r54_a_figure_that_could_hold_anything_else_is_refused(wrong: Figure) -> None:
    check([Figure(M.WINS, "helped", Level.SERVICE, "homes", told(9))], (), SERVICES)
    with pytest.raises(ValueError, match="a code of its measure"):
        check([wrong], (), SERVICES)


def test_a_month_is_londons_and_everyones_ten_working_days_after_it() -> None:
    assert [is_month(text) for text in ("2026-11", "2026-13", "2026-1", "26-11", "2026-11-01")] == [True] + [False] * 4
    assert bounds("2026-06") == (datetime(2026, 5, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 23, tzinfo=UTC))
    assert opens_on("2026-11", england_and_wales()) == date(2026, 12, 15)
    assert opens_on("2026-12", england_and_wales()) == date(2027, 1, 15), "New Year's Day is no working day"


def test_the_middle_answer_is_found_in_what_is_published_or_not_at_all() -> None:
    assert [band(hours) for hours in (0, 24, 24.1, 72, 500)] == ["day", "day", "3_days", "3_days", "longer"]
    wide = Span(0, 4)
    assert median({"day": told(20), "3_days": told(6), "longer": wide}) == "day"
    assert median({"day": told(8), "3_days": told(20), "longer": told(9)}) == "3_days"
    assert median({"day": wide, "3_days": wide, "longer": told(30)}) == "longer"
    assert median({"day": told(10), "3_days": told(10), "longer": wide}) is None
    assert median({"day": wide, "3_days": wide, "longer": wide}) is None
