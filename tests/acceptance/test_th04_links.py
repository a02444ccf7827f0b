"""TH04: whoever tries links or codes learns nothing, by bytes or by time, and is soon stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import text

from tests.acceptance.house import House, Troupe, open_house
from tests.acceptance.paging import Browser, a_share_for_the_team, invited, run_out, with_a_team


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with the team in it, shared by this module."""
    with open_house(tmp_path_factory.mktemp("probed") / "instance", troupe, edit=with_a_team) as opened:
        yield opened


def test_th04_a_link_that_is_none_looks_like_any_other(house: House) -> None:
    # given a link, one that was never made, and one that ran out
    receipt = house.cases.send(a_share_for_the_team())
    real, forged = invited(house, receipt), "/answer/" + "0" * 48
    ended = invited(house, house.cases.send(a_share_for_the_team()))
    run_out(house, ended)

    def door(link: str, **fields: str) -> tuple[int, str, Any]:
        fresh = Browser(house.url)
        page = fresh.post(link, **fields) if fields else fresh.get(link)
        fresh.http.close()
        headers = {name: value for name, value in page.reply.headers.items() if name != "date"}
        return page.status, page.reply.text.replace(link, "LINK"), headers

    # when somebody looks, types a wrong code, or asks for a new link, then each is the same, byte for byte
    assert door(real) == door(forged) == door(ended)
    assert door(real, code="wrong-code-1") == door(forged, code="wrong-code-1") == door(ended, code="wrong-code-1")
    for each in (real, forged, ended):
        assert door(each + "/renew", x="") == door(real + "/renew", x="")


def test_th04_guessing_a_team_s_code_on_many_links_ends_for_an_hour(new_house: Callable[..., House]) -> None:
    # given somebody who reads a team's mail, and so has many links, and guesses on all of them
    house = new_house(edit=with_a_team)
    links = [invited(house, house.cases.send(a_share_for_the_team())) for _ in range(5)]
    mallory, team = Browser(house.url), Browser(house.url)
    assert team.enter(links[4]).heading == "Shared with your team"
    for link in links[:4]:
        for number in range(5):
            assert mallory.enter(link, f"guess-number-{number}").status == 403
    # when the right code comes now, then even that opens no link, and no byte says why
    fresh = mallory.enter(links[4])
    assert fresh.status == 403
    assert fresh.reply.text.replace(links[4], "") == mallory.enter(links[0]).reply.text.replace(links[0], "")
    # and a device that proved the code before reads on
    assert team.get(links[4]).heading == "Shared with your team"
    # when an hour has gone by, then it opens again
    forget_tries(house)
    assert mallory.enter(links[4]).heading == "Shared with your team"
    for each in (mallory, team):
        each.http.close()


def forget_tries(house: House) -> None:
    """Let the wrong codes have been an hour ago: the wall's clock is the machine's own, so the rows are made older."""

    def age(tx: Any, hours: list[int]) -> list[int]:
        statement = text("UPDATE invites SET tried_at = tried_at - :past").bindparams(past=hours[0] * 3600 * 1_000_000)
        return [tx._connection.execute(statement).rowcount]

    assert house.hub.writer.submit(age, 1).result() == 5


def test_th04_how_long_it_takes_tells_no_link_from_none(house: House) -> None:
    # given a link of a share that holds a long story, and one that was never made
    real, forged = invited(house, house.cases.send(a_share_for_the_team())), "/answer/" + "0" * 48

    def took(link: str, **fields: str) -> float:
        begun = perf_counter()
        stranger.post(link, **fields) if fields else stranger.get(link)
        return perf_counter() - begun

    stranger = Browser(house.url)
    took(forged)
    # when each is looked at again and again, in turn
    pairs = [(took(real), took(forged)) for _ in range(60)]
    # then neither is told from the other by time: which is slower is as good as a coin
    slower = sum(one > other for one, _ in pairs for _, other in pairs) / len(pairs) ** 2
    assert 0.25 < slower < 0.75
    # and a wrong code, or asking for a new link, is answered at its time, and never sooner for having found nothing
    for path, fields in (("", {"code": "wrong-code-1"}), ("/renew", {"x": ""})):
        assert min(took(link + path, **fields) for link in (real, forged)) >= 0.25
    stranger.http.close()
