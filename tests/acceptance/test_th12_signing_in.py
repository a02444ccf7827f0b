"""TH12: nobody sees the console who has not proved who they are, and every sign-in is written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.services.account import Disable, disable_account
from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.signing import HARBOUR, PASSWORD, RIVERSIDE, Browser, email_of, give_link, signed_in


@pytest.fixture(scope="module")
def house(troupe: Troupe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub that asks for no app's code."""
    with open_house(tmp_path_factory.mktemp("signing") / "hub", troupe) as opened:
        yield opened


def test_th12_nobody_sees_a_screen_who_is_not_signed_in(house: House) -> None:
    # given a browser that nobody signed in with
    browser = Browser(house.url)

    # when it asks for a screen
    reply = browser.get("/console/me")

    # then it is led to the sign-in page, and from there back; nothing is kept by it or by anything between
    assert (reply.status_code, reply.headers["location"]) == (303, "/console/sign-in?next=/console/me")
    assert reply.headers["cache-control"] == "no-store"
    page = browser.get(reply.headers["location"])
    assert page.status_code == 200
    assert 'value="/console/me"' in page.text
    assert page.headers["cache-control"] == "no-store"


def test_th12_a_person_sets_a_password_by_a_link_that_works_once(house: House) -> None:
    # given a link that the operator gave
    link, browser = give_link(house, HARBOUR), Browser(house.url)

    # when it is only looked at, twice, then used / then its person is signed in
    assert browser.get(link).status_code == 200
    assert browser.get(link).status_code == 200
    reply = browser.post(link, password=PASSWORD)
    assert (reply.status_code, reply.headers["location"]) == (303, "/console")
    assert browser.get("/console/me").status_code == 200

    # and the link is like any that never was
    again, never = browser.get(link), browser.get("/console/password/" + "0" * 48)
    assert (again.status_code, never.status_code) == (404, 404)
    assert again.content == never.content

    # and who signed in, and how, is written down
    theirs = "SELECT action FROM audit_events WHERE actor = 'person:champion-harbour' ORDER BY id DESC LIMIT 2"
    assert [row["action"] for row in house.rows(theirs)] == ["session.began", "account.password_set"]


@pytest.mark.parametrize(
    "password", ["short", "Password1234!", "aaaaaaaaaaaaaaaa", "123456789012345", "champion-harbour"]
)
def test_th12_an_easy_password_is_refused_in_words_that_help(house: House, password: str) -> None:
    link, browser = give_link(house, HARBOUR), Browser(house.url)
    reply = browser.post(link, password=password)
    assert reply.status_code == 422
    assert "There is a problem" in reply.text
    assert password not in reply.text


def test_th12_a_session_ends_at_sign_out_and_its_cookie_opens_nothing(house: House) -> None:
    # given somebody who is signed in on two devices
    first, second = signed_in(house, RIVERSIDE), Browser(house.url)
    second.post("/console/sign-in", name=email_of(house, RIVERSIDE), password=PASSWORD)
    cookie = dict(second.http.cookies)

    # when they sign out on one / then that one is out, whoever kept its cookie, and the other is in
    assert second.send("/console/sign-out").headers["location"] == "/console/signed-out"
    second.http.cookies.update(cookie)
    assert second.get("/console/me").status_code == 303
    assert first.get("/console/me").status_code == 200

    # when they sign out everywhere / then all are out
    second.post("/console/sign-in", name=email_of(house, RIVERSIDE), password=PASSWORD)
    first.send("/console/sign-out", everywhere="yes")
    assert [first.get("/console/me").status_code, second.get("/console/me").status_code] == [303, 303]


def test_th12_a_disabled_account_is_out_at_once(house: House) -> None:
    # given somebody who is signed in
    browser = signed_in(house, RIVERSIDE)

    # when the operator disables the account
    disable = Disable(RIVERSIDE, "operator:test", house.hub.now.wall())
    assert house.hub.writer.submit(disable_account, disable).result(30) is None

    # then the session is over, and the right password lets nobody in
    assert browser.get("/console/me").status_code == 303
    reply = browser.post("/console/sign-in", name=email_of(house, RIVERSIDE), password=PASSWORD)
    assert reply.status_code == 403
    again = Disable(RIVERSIDE, "operator:test", house.hub.now.wall(), again=True)
    house.hub.writer.submit(disable_account, again).result(30)


def test_th12_no_password_opens_anything_where_people_sign_in_elsewhere_alone(house: House) -> None:
    # given a hub that names no provider / then its page of one is not there
    assert Browser(house.url).get("/console/sign-in/elsewhere").status_code == 404
