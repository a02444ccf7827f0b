"""TH22: marked words are put into every operation there is, and into a team's own page, and no sink keeps them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from tests.acceptance.canaries import Canaries
from tests.acceptance.house import House, Troupe, open_house, until_true
from tests.acceptance.paging import TEAM, Browser, a_share_for_the_team, invited, with_a_team


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with a team that answers on the page, so that every face is open."""
    with open_house(tmp_path_factory.mktemp("sprayed") / "instance", troupe, edit=with_a_team) as opened:
        yield opened


#: A page's own address, which its forms post to.
OWN = "the path of"
#: Pages whose forms post back to them, and what a case system calls somebody itself.
_LEADS_BACK = tuple(f"{OWN} {each}" for each in ("/answer/", "/console/", "/alerts/", "/v1/trusted-people/"))


def operations(house: House) -> list[tuple[str, str]]:
    """Every method and path that this hub serves, pages too."""
    app: Any = house._serving[-1][1].config.app
    routers = [each.original_router for each in app.routes if hasattr(each, "original_router")]
    found = [route for router in [app, *routers] for route in router.routes if isinstance(route, Route)]
    return sorted({(method, route.path) for route in found for method in route.methods or ()})


def ways(house: House, of: Canaries, operation: tuple[str, str]) -> Iterator[httpx.Response]:
    """The replies to one operation with a mark in path, query, headers and body, as each kind of caller sends it."""
    method, path = operation
    mark = of[f"{method} {path}"]
    marked = re.sub(r"\{[^}]+\}", of[f"{OWN} {path}"], path) + f"?{mark}={mark}"
    headers = {"idempotency-key": f"{mark} {mark}", "user-agent": mark, "referer": mark, "cookie": mark}
    form = {"form_token": mark, mark: mark, "code": mark, "email": mark, "password": mark}
    bodies: list[dict[str, Any]] = [{"json": {mark: mark}}, {"content": mark}, {"data": form}]
    with httpx.Client(base_url=house.url, timeout=30, trust_env=False, headers=headers) as nobody:
        nobody.headers["origin"] = house.url
        for body in bodies if method in {"POST", "PUT", "DELETE"} else [{}]:
            yield nobody.request(method, marked, **body)
    if path.startswith("/v1/"):
        raw = json.dumps({mark: mark}).encode() if method != "GET" else b""
        yield house.cases.http.request(method, marked, content=raw, headers=house.cases.headers(raw))


def sinks(house: House, printed: str) -> dict[str, bytes]:
    """Everything that this hub leaves behind, or tells to anybody but who asked."""
    entries = [*house.troupe.webhooks.entries(), *house.troupe.housing.entries(), *house.troupe.health.entries()]
    files = {str(each): each.read_bytes() for each in house.folder.rglob("*") if each.is_file()}
    told = {
        "printed": printed.encode(),
        "mails": json.dumps(house.troupe.mails()).encode(),
        "webhooks and partners": b"".join(each.body + str(each.headers).encode() for each in entries),
    }
    return files | told


def test_th22_no_operation_keeps_or_repeats_what_it_could_not_use(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    # given a mark for each operation
    of, asked = Canaries(), operations(house)
    assert len(asked) >= 50
    # when it stands everywhere in a request, from somebody unknown and from a case system
    replies = [(each, reply) for each in asked for reply in ways(house, of, each)]
    house.settled()
    # then nothing broke, no reply repeats it but to its sender its own address, and no sink holds it
    assert [(each, reply.status_code) for each, reply in replies if reply.status_code >= 500] == []
    told = [place for _, reply in replies for place in of.within(reply.content + str(reply.headers).encode())]
    assert [place for place in told if not place.startswith(_LEADS_BACK)] == []
    written = sinks(house, "".join(capfd.readouterr()))
    assert {name: found for name, content in written.items() if (found := of.within(content))} == {}
    assert sum(len(content) for name, content in written.items() if "hub.db" in name) > 100_000


def test_th22_what_a_team_writes_on_its_page_is_told_to_the_sender_alone(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    # given a team at its page, and marks for all that it writes there
    of, browser = Canaries(), Browser(house.url)
    receipt = house.cases.send(a_share_for_the_team())
    link = invited(house, receipt)
    door = browser.enter(link, of["a wrong code"])
    page = browser.enter(link)
    # when it asks for what it may, says what it did, and slips with the form
    browser.say(link, "yes", owner=of["owner"], words=of["words"])
    browser.post(f"{link}/forward", to=of["a mailbox that is not theirs"])
    browser.get(f"{link}/{of['a page that is not there']}")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], TEAM)["answer"] == "accepted")
    house.settled()
    browser.http.close()
    # then the sender reads it, and no sink holds it
    assert (door.status, page.status) == (403, 200)
    assert "owner" in of.within(house.cases.get(f"/v1/shares/{receipt['id']}").content)
    written = sinks(house, "".join(capfd.readouterr()))
    assert {name: found for name, content in written.items() if (found := of.within(content))} == {}
