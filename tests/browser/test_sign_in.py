"""Signing in, in a real browser without JavaScript: a link, a password and an app, a lock-out, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from hub.security import app_codes
from hub.services.session import NAME_TRIES
from tests.acceptance.house import House, Troupe, append_to, open_house
from tests.acceptance.signing import COORDINATOR, PASSWORD, RIVERSIDE, code_for, email_of, give_link
from tests.browser.conftest import Look

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def house(troupe: Troupe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A hub that asks for the code of an app, as the service profile does."""
    folder = tmp_path_factory.mktemp("sign-in") / "instance"
    edit = lambda folder: append_to(folder / "hub.toml", "\n[sign_in]\napp_code = true\n")  # noqa: E731 - one line
    with open_house(folder, troupe, edit=edit) as opened:
        yield opened


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_th12_a_link_sets_a_password_and_ties_an_app_by_keyboard_alone(
    house: House, new_page: NewPage, look: Look
) -> None:
    # given a link that the operator gave, in a browser without JavaScript
    page = new_page(java_script_enabled=False)
    page.goto(house.url + give_link(house, RIVERSIDE))
    assert heading(page) == "Choose a password"
    assert page.locator(".hub-picture svg").is_visible()
    assert len(page.content()) < 50_000

    # when the form is sent too early / then what is wrong is said, and the app's letters are the same as before
    letters = page.locator(".hub-reference").inner_text()
    page.locator("#password").press("Enter")
    assert page.title().startswith("Error: ")
    assert page.locator(".hub-reference").inner_text() == letters

    # when it is filled in by keyboard / then they are signed in
    page.locator("#password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(code_for(app_codes.secret_bytes(letters))["code"])
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out", exact=True).wait_for()
    page.goto(f"{house.url}/console/me")
    assert heading(page) == "My account"

    # and out again by keyboard
    page.get_by_role("button", name="Sign out", exact=True).press("Enter")
    page.get_by_role("link", name="Sign in again").wait_for()
    assert heading(page) == "You are signed out"
    page.goto(f"{house.url}/console/me")
    assert heading(page) == "Sign in"


def test_th12_the_pages_of_signing_in_are_for_everybody(house: House, new_page: NewPage, look: Look) -> None:
    # given a browser in which axe may run / when each page is looked at / then nothing is wrong with any
    page = new_page()
    page.goto(f"{house.url}/console/sign-in")
    look(page, "console-sign-in")
    page.locator("#name").fill("nobody@riverside.example")
    page.get_by_role("button", name="Sign in").click()
    assert "Something you typed is not right" in page.locator(".govuk-error-summary").inner_text()
    look(page, "console-sign-in-wrong")
    page.goto(house.url + give_link(house, RIVERSIDE))
    look(page, "console-password")
    page.locator("#password").fill(PASSWORD)
    letters = page.locator(".hub-reference").inner_text()
    page.locator("#code").fill(code_for(app_codes.secret_bytes(letters))["code"])
    page.get_by_role("button", name="Keep it and sign in").click()
    page.goto(f"{house.url}/console/me")
    look(page, "console-me")
    page.get_by_role("button", name="Sign out everywhere").click()
    look(page, "console-signed-out")


def test_th12_too_many_tries_are_told_with_how_long_to_wait(house: House, new_page: NewPage, look: Look) -> None:
    # given a name that was guessed at until nobody may
    page = new_page()
    for number in range(NAME_TRIES + 1):
        page.goto(f"{house.url}/console/sign-in")
        page.locator("#name").fill(email_of(house, COORDINATOR))
        page.locator("#password").fill(f"wrong {number}")
        page.locator("#password").press("Enter")

    # then the page says how long it takes
    assert "Wait a quarter of an hour" in page.locator(".govuk-error-summary").inner_text()
    look(page, "console-sign-in-locked")
