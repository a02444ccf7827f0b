"""TH15: a reader asks for one mail a day, by one click or on a page, sees what still comes, and takes it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx

from hub.services.choose_mail import links_of, token_of
from tests.acceptance.house import House, append_to, replace_in

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
_COORDINATOR = """
[coordinator]
id = "coordinator"
name = "Coordinator"
email = "coordinator@partnership.example"
"""


def gathers(folder: Any) -> None:
    """Let mail be gathered, and let somebody stand behind each champion."""
    replace_in(folder / "hub.toml", "digest_minutes = 0", "digest_minutes = 15")
    (named,) = (folder / "partnerships").glob("*.toml")
    if "[coordinator]" not in named.read_text(encoding="utf-8"):
        append_to(named, _COORDINATOR)


def champion_of(house: House) -> str:
    return next(each.id for each in house.hub.directory.people() if each.email == "champion@daycentre.example")


def daily(house: House, person: str) -> bool:
    found = house.rows("SELECT daily_since FROM readers WHERE person = :person", person=person)
    return bool(found and found[0]["daily_since"] is not None)


def test_th15_one_click_turns_mail_into_one_a_day_and_a_page_turns_it_back(new_house: Callable[..., House]) -> None:
    # given a mail to a champion
    house = new_house(edit=gathers)
    person = champion_of(house)
    link = links_of(house.hub.directory, house.hub.vault, house.url)[person]
    fetch = partial(httpx.get, timeout=10, trust_env=False)
    post = partial(httpx.post, timeout=10, trust_env=False)

    # when the link is only opened, as a scanner of mail does, then nothing changes
    shown = fetch(link)
    assert shown.status_code == 200
    assert "You get an email as things come up." in shown.text
    assert "what is urgent, and what is about safety" in shown.text
    assert person not in shown.text
    assert not daily(house, person)

    # when a mail program posts the one click (RFC 8058), as a form or in parts, twice over
    for how in ({"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}):
        reply = post(link, **how)
        assert reply.status_code == 200
        assert "You get one email a day, at 9am." in reply.text
    # then it is one a day, and written down once
    assert daily(house, person)
    assert len(house.rows("SELECT position FROM audit_events WHERE action = 'mail.daily'")) == 1

    # when another site posts the page's form, then it is refused
    assert post(link, data={"how": "each"}, headers={"origin": "https://evil.example"}).status_code == 403
    assert post(link, data={"how": "each"}).status_code == 403
    assert daily(house, person)
    # when they take it back on the page, then it is as before
    taken = post(link, data={"how": "each"}, headers={"origin": house.url})
    assert taken.status_code == 303
    assert not daily(house, person)


def test_th15_the_operator_cannot_be_made_to_hear_less(new_house: Callable[..., House]) -> None:
    # given the operator, who is the last to hear
    house = new_house(edit=gathers)
    link = f"{house.url}/mail/{token_of(house.hub.vault, 'operator')}"
    # when somebody clicks for them, then the page says why not, and nothing changes
    reply = httpx.post(link, data=ONE_CLICK, timeout=10, trust_env=False)
    assert "These emails cannot be made fewer." in reply.text
    assert not daily(house, "operator")
    # and no mail to them offers it, while one to a champion does
    assert "operator" not in links_of(house.hub.directory, house.hub.vault, house.url)


def test_th15_a_link_that_is_nobody_s_tells_nothing(house: House) -> None:
    reply = httpx.get(f"{house.url}/mail/{'0' * 40}", timeout=10, trust_env=False)
    assert reply.status_code == 404
    assert "Check that you have the whole link from the email." in reply.text
