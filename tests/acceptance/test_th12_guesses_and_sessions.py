"""TH12: guesses end, an app's code works once, and a session ends by itself or with its person."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.services.session import ADDRESS_TRIES, NAME_TRIES
from tests.acceptance.house import House, Troupe, append_to, open_house
from tests.acceptance.signing import (
    COORDINATOR,
    HARBOUR,
    PASSWORD,
    RIVERSIDE,
    Browser,
    code_for,
    email_of,
    give_link,
    secret_on,
    signed_in,
)


def _asks_for_app(folder: Path) -> None:
    append_to(folder / "hub.toml", "\n[sign_in]\napp_code = true\n")


@pytest.fixture(scope="module")
def house(troupe: Troupe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub that asks for the code of an app beside a password, as the service profile does."""
    with open_house(tmp_path_factory.mktemp("guessing") / "hub", troupe, edit=_asks_for_app) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nobody_guessed(house: House) -> None:
    """Each test begins as if nobody had guessed."""
    change(house, "DELETE FROM guesses")


def change(house: House, statement: str, **values: Any) -> None:
    """Change a row, as time would have: the wall's clock is the machine's own."""

    def verb(tx: Any, items: list[str]) -> list[None]:
        tx._connection.execute(text(statement), values)
        return [None for _ in items]

    house.hub.writer.submit(verb, "").result(30)


def enrolled(house: House, person: str) -> bytes:
    """Let a person set a password and tie an app; returns its secret, with no code of it used for a while."""
    link, browser = give_link(house, person), Browser(house.url)
    secret = secret_on(browser.get(link).text)
    assert len(secret) == 20
    assert browser.post(link, password=PASSWORD, **code_for(secret)).status_code == 303
    change(house, "UPDATE accounts SET code_step = 0 WHERE person = :person", person=person)
    return secret


def tried(house: House, person: str, **how: str) -> int:
    """Try to sign in; returns the status."""
    fields = {"name": email_of(house, person), "password": PASSWORD} | how
    return Browser(house.url).post("/console/sign-in", **fields).status_code


def test_th12_a_password_needs_the_code_of_an_app_which_works_once(house: House) -> None:
    # given a person with an app
    secret = enrolled(house, RIVERSIDE)

    # when they sign in without its code, with a wrong one, with an old one / then they are not in
    assert tried(house, RIVERSIDE) == 403
    assert tried(house, RIVERSIDE, code="000000" if code_for(secret)["code"] != "000000" else "000001") == 403
    assert tried(house, RIVERSIDE, **code_for(secret, datetime.now(UTC) - timedelta(minutes=5))) == 403

    # when they type it / then they are, and whoever saw them type it is not
    code = code_for(secret)
    assert tried(house, RIVERSIDE, **code) == 303
    assert tried(house, RIVERSIDE, **code) == 403


def test_th12_a_link_is_no_use_without_the_app(house: House) -> None:
    link, browser = give_link(house, HARBOUR), Browser(house.url)
    reply = browser.post(link, password=PASSWORD, code="123")
    assert reply.status_code == 422
    assert "Type the code that your app shows now" in reply.text
    assert browser.get("/console/me").status_code == 303


def test_th12_a_link_ends_by_itself(house: House) -> None:
    link = give_link(house, HARBOUR, lasts=timedelta(seconds=-1))
    assert Browser(house.url).get(link).status_code == 404
    assert Browser(house.url).post(link, password=PASSWORD).status_code == 404


def test_th12_guesses_at_a_name_end_for_a_while_whether_it_is_anybodys_or_not(house: House) -> None:
    # given a person with an app, and a name that is nobody's
    secret, pages = enrolled(house, RIVERSIDE), {}

    # when somebody guesses at both until they may not
    for name in (email_of(house, RIVERSIDE), "nobody@riverside.example"):
        browser = Browser(house.url)
        replies = [
            browser.post("/console/sign-in", name=name, password=f"wrong {n}", code="1") for n in range(NAME_TRIES + 1)
        ]
        assert [each.status_code for each in replies] == [403] * (NAME_TRIES + 1)
        pages[name] = [each.text.replace(name, "NAME") for each in replies]

    # then the pages are the same, to the byte, and the last says how long to wait
    first, second = pages.values()
    assert first == second
    assert "Wait a quarter of an hour" in first[-1]
    assert "Wait a quarter of an hour" not in first[-2]

    # and the right password is not looked at either, until the time is over
    assert tried(house, RIVERSIDE, **code_for(secret)) == 403
    change(house, "UPDATE guesses SET since = since - :quarter", quarter=15 * 60 * 1_000_000)
    assert tried(house, RIVERSIDE, **code_for(secret)) == 303


def test_th12_guesses_from_an_address_end_too_at_whatever_names(house: House) -> None:
    # given somebody who tried one password on many names
    secret = enrolled(house, HARBOUR)
    house.hub.vault.digest("console-address", "127.0.0.1")
    change(house, "DELETE FROM guesses")
    tried(house, RIVERSIDE, password="wrong")
    change(house, "UPDATE guesses SET number = :most WHERE kind = 'address'", most=ADDRESS_TRIES)

    # then from there nobody gets in for a while; and what is kept of the address is a keyed hash
    assert tried(house, HARBOUR, **code_for(secret)) == 403
    kept = house.rows("SELECT token FROM guesses WHERE kind = 'address'")
    assert [each["token"] for each in kept] == [house.hub.vault.digest("console-address", "127.0.0.1")]


def test_th12_a_name_that_is_nobodys_takes_as_long_as_one_that_is(house: House) -> None:
    # given a person, and a name that is nobody's, each tried a few times by turns
    enrolled(house, RIVERSIDE)
    times: dict[str, list[float]] = {email_of(house, RIVERSIDE): [], "nobody@riverside.example": []}
    browser = Browser(house.url)
    for _ in range(4):
        for name, took in times.items():
            began = time.monotonic()
            browser.post("/console/sign-in", name=name, password="wrong", code="1")
            took.append(time.monotonic() - began)

    # then neither is ever quick, and they differ by less than a busy machine does by itself
    assert min(each for took in times.values() for each in took) >= 0.25
    first, second = (statistics.median(took) for took in times.values())
    assert abs(first - second) < max(0.5, 0.5 * min(first, second))


def test_th12_a_session_ends_when_nobody_uses_it_and_after_its_hours_whatever_is_done(house: House) -> None:
    # given two people who are signed in
    enrolled(house, COORDINATOR)
    idle, long = signed_in(house, COORDINATOR), signed_in(house, HARBOUR)
    assert [idle.get("/console/me").status_code, long.get("/console/me").status_code] == [200, 200]

    # when one was not seen for half an hour, and the other's time is over
    minute = 60 * 1_000_000
    change(house, "UPDATE sessions SET seen_at = seen_at - :t WHERE person = :p", t=31 * minute, p=COORDINATOR)
    change(house, "UPDATE sessions SET until = until - :t WHERE person = :p", t=601 * minute, p=HARBOUR)

    # then both are out
    assert [idle.get("/console/me").status_code, long.get("/console/me").status_code] == [303, 303]


def test_th12_a_session_that_is_used_goes_on(house: House) -> None:
    browser, minute = signed_in(house, COORDINATOR), 60 * 1_000_000
    for _ in range(3):
        change(house, "UPDATE sessions SET seen_at = seen_at - :t WHERE person = :p", t=20 * minute, p=COORDINATOR)
        assert browser.get("/console/me").status_code == 200


def test_th12_the_store_holds_nothing_that_signs_anybody_in(house: House) -> None:
    # given a person who is signed in
    link, browser = give_link(house, HARBOUR), Browser(house.url)
    secret = secret_on(browser.get(link).text)
    browser.post(link, password=PASSWORD, **code_for(secret))
    cookie = next(iter(browser.http.cookies.values()))

    # when everything that the hub keeps is looked through / then no cookie, link, password or app's secret is in it
    with suppress(FileNotFoundError):
        kept = b"".join(each.read_bytes() for each in house.folder.joinpath("data").rglob("*") if each.is_file())
        for held in (cookie.encode(), link.rpartition("/")[2].encode(), PASSWORD.encode(), secret):
            assert held not in kept
        assert len(kept) > 100_000


def test_th12_whoever_left_is_out_on_the_day_after_their_last(house: House, troupe: Troupe, tmp_path: Path) -> None:
    # given a hub whose champion's last day is in a week
    last = datetime.fromisoformat(house.start).date() + timedelta(days=7)

    def leaves(folder: Path) -> None:
        file = next((folder / "partnerships").glob("*.toml"))
        file.write_text(file.read_text().replace(f'id = "{HARBOUR}"\n', f'id = "{HARBOUR}"\nuntil = {last}\n'))

    with open_house(tmp_path / "hub", troupe, edit=leaves) as other:
        browser = signed_in(other, HARBOUR)
        other.at(datetime.combine(last, datetime.min.time(), UTC) + timedelta(hours=12))
        assert browser.get("/console/me").status_code == 200

        # when that day is over / then the session is too, and the right password signs nobody in
        other.at(datetime.combine(last, datetime.min.time(), UTC) + timedelta(hours=36))
        assert browser.get("/console/me").status_code == 303
        assert tried(other, HARBOUR) == 403
        why = other.rows("SELECT detail FROM audit_events WHERE action = 'session.ended' ORDER BY id DESC LIMIT 1")
        assert '"why":"left"' in str(why[0]["detail"])
        browser.http.close()
