"""R06 and TH02: whoever asks by an id that is not theirs is told the same, byte for byte, as by one that never was."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.api.app import create_app
from tests.acceptance.caller import as_json
from tests.acceptance.house import House
from tests.acceptance.refusals import heard, refused
from tests.acceptance.telling import HOUSING, TREATMENT, a_share
from tests.acceptance.trusting import NAMED, SAFE, unsaid

#: A quick sweep in `make test`; `SWEEP_PROBES=10000` asks by ten thousand.
PROBES = int(os.environ.get("SWEEP_PROBES", "2000"))
AT_ONCE = 64

_MORE = {"id": "s-more", "category": "housing", "text": "More.", "words_checked": True}
#: What is sent to each address that takes an id of a share, a consent or a delivery; a new one must be added here.
BODIES: dict[tuple[str, str], dict[str, Any] | None] = {
    ("get", "/v1/shares/{share_id}"): None,
    ("get", "/v1/shares/{share_id}/for-the-person"): None,
    ("get", "/v1/shares/{share_id}/subject-access"): None,
    ("post", "/v1/shares/{share_id}/choice"): SAFE,
    ("post", "/v1/shares/{share_id}/addenda"): {"sections": [_MORE]},
    ("post", "/v1/shares/{share_id}/addenda/preview"): {"sections": [_MORE]},
    ("post", "/v1/shares/{share_id}/corrections"): {"corrects": "s1"},
    ("post", "/v1/shares/{share_id}/corrections/preview"): {"corrects": "s1"},
    ("post", "/v1/shares/{share_id}/replies"): {"delivery": "0" * 32, "sections": [_MORE]},
    ("post", "/v1/shares/{share_id}/replies/preview"): {"delivery": "0" * 32, "sections": [_MORE]},
    ("post", "/v1/shares/{share_id}/pauses"): {"section": "s1"},
    ("post", "/v1/shares/{share_id}/person-told"): {"told": "yes", "on": "2026-11-20"},
    ("post", "/v1/shares/{share_id}/death"): {},
    ("post", "/v1/shares/{share_id}/cover"): NAMED,
    ("get", "/v1/consents/{record_id}"): None,
    ("post", "/v1/consents/{record_id}/withdraw"): {},
    ("post", "/v1/deliveries/{delivery_id}/heard"): heard(),
    ("post", "/v1/deliveries/{delivery_id}/helped"): {"how": "kept_in_touch"},
    ("post", "/v1/deliveries/{delivery_id}/acknowledge"): {"attempt": 1},
    ("post", "/v1/deliveries/{delivery_id}/answers"): {"state": "accepted"},
}
#: Ids that are no person's: a partner's connection, and requests to be rung, which hold nothing about anybody.
OTHERS = ("/v1/callbacks/", "/fhir/", "/v1/please-ring-me/", "/v1/gaps/", "/v1/safety-lane/", "/v1/trusted-people/")


def theirs(house: House) -> Iterator[str]:
    """Every id of the other organisation's, of whatever kind, and what else is said of a share."""
    for table, column in (("shares", "id"), ("shares", "reference"), ("consents", "record_id"), ("deliveries", "id")):
        for row in house.rows(f"SELECT DISTINCT {column} AS value FROM {table}"):
            yield row["value"]


@pytest.fixture(scope="module")
def lived(house: House) -> House:
    """A hub that holds shares of one organisation in several states: sent, waiting, withdrawn."""
    sent = [house.cases.send(a_share(HOUSING, TREATMENT)) for _ in range(3)]
    house.cases.send(unsaid(a_share(HOUSING)))
    house.cases.post(f"/v1/consents/{sent[0]['consent']}/withdraw", {}).raise_for_status()
    house.settled()
    return house


def test_r06_every_address_that_takes_an_id_is_swept(house: House) -> None:
    paths = house.cases.http.get("/openapi.json").json()["paths"]
    takes = {(method, path) for path, methods in paths.items() if "{" in path for method in methods}
    assert {each for each in takes if not each[1].startswith(OTHERS)} == set(BODIES)


def test_th02_and_r06_thousands_of_ids_of_another_organisation_tell_nothing(lived: House) -> None:
    # given every id that one organisation holds, and as many again that nobody does
    known = list(theirs(lived))
    assert len(known) > 12
    routes = list(BODIES)
    share_of = {each: PROBES // 10 // (len(routes) - 1) for each in routes[1:]} | {routes[0]: PROBES * 9 // 10}
    # when another organisation asks by them at every address
    replies = asyncio.run(_sweep(lived, known, share_of))
    # then all are told the same for one address, known or not, byte for byte, and nothing changed
    assert sum(len(each) for each in replies.values()) >= PROBES - len(routes)
    for route, told in replies.items():
        answers = {(status, headers, body) for status, headers, body in told}
        assert len(answers) == 1, route
        assert next(iter(answers))[0] == 404, route


async def _sweep(house: House, known: list[str], shares: dict[tuple[str, str], int]) -> dict[Any, list[Any]]:
    caller = house.other
    house.other.token()
    limits, told = asyncio.Semaphore(AT_ONCE), {route: [] for route in shares}
    transport = httpx.ASGITransport(app=create_app(house.hub))
    async with httpx.AsyncClient(transport=transport, base_url=house.url) as client:

        async def probe(route: tuple[str, str], name: str) -> None:
            method, path = route
            body = BODIES[route]
            raw = b"" if body is None else as_json(body)
            headers = {"authorization": f"Bearer {caller.token()}"} if body is None else caller.headers(raw)
            address = path.replace(path[path.index("{") : path.index("}") + 1], name)
            async with limits:
                reply = await client.request(method.upper(), address, content=raw, headers=headers)
            told[route].append((reply.status_code, tuple(sorted(reply.headers.items())), reply.content))

        names = {
            route: [known[n // 2 % len(known)] if n % 2 else secrets.token_hex(16) for n in range(count)]
            for route, count in shares.items()
        }
        await asyncio.gather(*(probe(route, name) for route, those in names.items() for name in those))
    return told


def test_r06_a_list_shows_one_trusted_person_s_own_newest_first_page_by_page(house: House) -> None:
    # given more shares of one trusted person than a page shows, and some of another's
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = "tp-of-many"
    sent = []
    for number in range(53):
        told = a_share(HOUSING) | {"trusted_person": share["trusted_person"], "person": {"reference": f"P-{number}"}}
        sent.append(house.cases.send(told)["id"])
    house.cases.send(a_share(HOUSING))
    # when they are listed
    first = house.cases.get("/v1/shares?trusted_person=tp-of-many").json()
    rest = house.cases.get(f"/v1/shares?trusted_person=tp-of-many&after={first['next']}").json()
    # then each stands there once, the newest first
    assert [each["id"] for each in first["shares"] + rest["shares"]] == sent[::-1]
    assert rest["next"] is None
    # and a page of somebody else's is not to be had by its id, nor by another organisation
    for caller, query in ((house.cases, f"tp-77&after={sent[0]}"), (house.other, f"tp-of-many&after={sent[0]}")):
        unknown = caller.get(f"/v1/shares?trusted_person=tp-77&after={secrets.token_hex(16)}")
        reply = caller.get(f"/v1/shares?trusted_person={query}")
        assert (reply.status_code, reply.content) == (404, unknown.content)
    assert house.other.get("/v1/shares?trusted_person=tp-of-many").json() == {"shares": [], "next": None}
    refused(house.cases.get("/v1/shares"), 422)
