"""R50, R51: a person sees who covers for them and whom they cover, and writes down when somebody is away."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.acceptance.following_up import (
    CHAMPION,
    DEPUTY,
    LATE,
    MANAGER,
    SENT,
    at_console,
    late,
    text_of,
    with_a_ladder,
)
from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.signing import Browser

COVER = "/console/cover"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with a whole ladder, shared by this module."""
    with open_house(tmp_path_factory.mktemp("cover") / "instance", troupe, edit=with_a_ladder) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nobody_away(house: House) -> Iterator[None]:
    """Each test begins on that Friday, and leaves nobody away."""
    house.at(SENT)
    yield
    with house.hub.writer._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM days_off")


def add(browser: Browser, first: str, last: str = "", person: str = CHAMPION, once: str = "") -> httpx.Response:
    """Fill in the form: days as "23 11 2026"."""
    fields = {"person": person, "once": once or secrets.token_hex(8)}
    for name, words in (("first", first), ("last", last)):
        for part, value in zip(("day", "month", "year"), words.split() or ("", "", ""), strict=True):
            fields[f"{name}-{part}"] = value
    return browser.send(f"{COVER}/days-off", on=COVER, **fields)


def test_r50_who_covers_for_me_and_whom_i_cover(house: House) -> None:
    # when a champion looks at their cover
    words = text_of(at_console(house).get(COVER))
    # then it says who comes after them, in order, the days that they work, their coordinator, and whom to ring
    after = words.split("Who covers for you")[1].split("Whom you cover")[0]
    names = re.findall(r"(\w+) \((deputy|coordinator|network manager)", after)
    assert names == [("Dee", "deputy"), ("Alex", "coordinator"), ("Nell", "network manager")]
    assert "You cover for nobody." in words
    assert "Monday, Tuesday, Wednesday, Thursday and Friday" in words
    assert "Alex, coordinator@hub.example" in words
    assert "Out of hours 01223 000999" in words
    # and the deputy's says the other way round
    theirs = text_of(at_console(house, DEPUTY).get(COVER))
    assert "Ashley (champion, Riverside day centre)" in theirs.split("Whom you cover")[1]
    # and the network manager's names nobody above
    assert "Nobody is above you here." in text_of(at_console(house, MANAGER).get(COVER))


def test_r50_th14_what_is_late_while_somebody_is_away_goes_to_the_next_at_once(house: House) -> None:
    # given a champion who writes down that they are away on Monday
    ashley = at_console(house)
    assert add(ashley, "23 11 2026").headers["location"] == f"{COVER}?done=kept"
    words = text_of(ashley.get(f"{COVER}?done=kept"))
    assert "You, on Monday 23 November" in words
    assert "Those days are written down." in words
    # when a share becomes late on that Monday
    alert = late(house)
    # then the deputy has it
    assert alert.row["holder"] == DEPUTY
    assert "Away now" in text_of(at_console(house, DEPUTY).get(COVER))


def test_r50_a_colleague_may_be_written_down_and_a_stranger_not(house: House) -> None:
    ashley = at_console(house)
    assert add(ashley, "24 11 2026", "27 11 2026", DEPUTY).status_code == 303
    assert "Dee, from Tuesday 24 November to Friday 27 November" in text_of(ashley.get(COVER))
    assert add(ashley, "24 11 2026", person="champion-trust").status_code == 404
    assert add(ashley, "24 11 2026", person="coordinator").status_code == 404
    assert {row["person"] for row in house.rows("SELECT person FROM days_off")} == {DEPUTY}


def test_r50_days_that_are_not_taken_are_dropped(house: House) -> None:
    ashley = at_console(house)
    add(ashley, "24 11 2026")
    for _ in range(2):  # again, it is away already
        reply = ashley.send(f"{COVER}/days-off/drop", on=COVER, person=CHAMPION, first="2026-11-24")
        assert reply.headers["location"] == f"{COVER}?done=dropped"
    assert house.rows("SELECT person FROM days_off") == []
    assert ashley.send(f"{COVER}/days-off/drop", on=COVER, person=DEPUTY, first="never").status_code == 303


@pytest.mark.parametrize(
    ("first", "last", "place"),
    [
        ("", "", "first-day"),
        ("31 2 2027", "", "first-day"),
        ("1 x 2027", "", "first-day"),
        ("27 11 2026", "24 11 2026", "last-day"),
        ("2 11 2026", "3 11 2026", "last-day"),
        ("23 11 2026", "23 11 2029", "last-day"),
    ],
)
def test_r50_wrong_days_are_said_by_their_field(house: House, first: str, last: str, place: str) -> None:
    reply = add(at_console(house), first, last)
    assert reply.status_code == 422
    assert f'href="#{place}"' in reply.text
    assert f'id="{place}"' in reply.text
    assert "<title>Error: My cover" in reply.text
    assert house.rows("SELECT person FROM days_off") == []


def test_r46_days_that_are_sent_twice_are_kept_once(house: House) -> None:
    ashley = at_console(house)
    for _ in range(2):
        assert add(ashley, "24 11 2026", once="same").status_code == 303
    kept = "SELECT count(*) AS n FROM audit_events WHERE action = 'days_off.kept' AND at >= :at"
    assert len(house.rows("SELECT person FROM days_off")) == 1
    assert house.rows(kept, at=0)[0]["n"] >= 1


def test_r51_a_person_s_own_days_and_no_grade_are_shown(house: House) -> None:
    words = text_of(at_console(house).get(COVER))
    assert not re.search(r"grade|title|senior|junior", words.replace("My cover", ""), re.IGNORECASE)
    assert house.hub.now.business() >= datetime(2026, 11, 20, tzinfo=UTC)
    assert LATE > SENT
