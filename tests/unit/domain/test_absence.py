"""Who finds a share and who reads what came back, by whether its trusted person is there (R07, R08)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from hub.domain.absence import HERE, Absence, Presence, finds, offered_from, presence, reads, waiting_words
from hub.domain.calendar import england_and_wales

AWAY = {"kind": "away", "first": "2026-11-20", "last": "2026-11-27"}
GONE = {"kind": "left", "first": "2026-11-24", "last": None}


@pytest.mark.parametrize(
    ("rows", "day", "why"),
    [
        ((), "2026-11-20", None),
        ((AWAY,), "2026-11-19", None),
        ((AWAY,), "2026-11-20", Absence.AWAY),
        ((AWAY,), "2026-11-27", Absence.AWAY),
        ((AWAY,), "2026-11-28", None),
        (({**AWAY, "last": None},), "2027-11-28", Absence.AWAY),
        ((GONE,), "2026-11-23", None),
        ((GONE,), "2026-11-24", Absence.LEFT),
        ((AWAY, GONE), "2026-11-25", Absence.LEFT),
    ],
)
def test_both_days_count_and_to_have_left_comes_first(rows: tuple[dict, ...], day: str, why: Absence | None) -> None:
    assert presence(rows, "cover", date.fromisoformat(day)).why is why


@pytest.mark.parametrize(
    ("there", "reader", "found", "read"),
    [
        (HERE, None, True, True),
        (HERE, "own", True, True),
        (HERE, "cover", False, True),
        (Presence(Absence.AWAY, "cover"), None, True, False),
        (Presence(Absence.AWAY, "cover"), "own", True, True),
        (Presence(Absence.AWAY, "cover"), "cover", True, True),
        (Presence(Absence.AWAY, "cover"), "else", False, False),
        (Presence(Absence.AWAY), "", False, False),  # nobody is named by no name
        (Presence(Absence.LEFT, "cover"), None, True, False),
        (Presence(Absence.LEFT, "cover"), "own", True, False),
        (Presence(Absence.LEFT, "cover"), "cover", False, False),
    ],
)
def test_who_finds_a_share_and_who_reads_it(there: Presence, reader: str | None, found: bool, read: bool) -> None:
    assert finds(there, "own", reader) is found
    assert reads(there, "own", reader) is read


def test_what_everybody_else_is_told_says_whom_it_waits_for() -> None:
    told = {waiting_words(Presence(why, cover), answered=True) for why in Absence for cover in ("", "cover")}
    assert len(told) == 3
    assert waiting_words(Presence(Absence.AWAY), answered=False).startswith("There is no answer yet.")


def test_ten_working_days_pass_over_weekends() -> None:
    friday = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert offered_from(friday, england_and_wales()) == date(2026, 12, 5)
