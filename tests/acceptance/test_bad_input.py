"""Bad bodies: whatever is broken or hostile gets a problem with a next step, and leaves nothing behind.

A canary stands in every value and in every unknown name that is sent, and must not come back.
"""

from __future__ import annotations

import json
import random
import socket
from typing import Any

import httpx
import pytest

from tests.acceptance.caller import LEFT_OUT, as_json
from tests.acceptance.house import House
from tests.acceptance.refusals import (
    CANARY,
    SHARES,
    Path,
    canaried,
    part_of,
    places,
    put,
    refused,
)
from tests.acceptance.telling import HOUSING, a_share, consent_of

pytestmark = pytest.mark.usefixtures("nothing_stored")

#: The share, whose group that may see it is then spoilt.
NAMING = as_json(canaried())
assert b"front-desk-team" in NAMING

RAW = {
    "empty": (b"", 400),
    "not-json": (f"hello {CANARY}".encode(), 400),
    "cut-short": (as_json(canaried())[:-20], 400),
    "two-documents": (b"{} {}", 400),
    "an-array": (f'["{CANARY}"]'.encode(), 422),
    "a-word": (f'"{CANARY}"'.encode(), 422),
    "null": (b"null", 422),
    "fifty-levels": (b'{"a":' * 50 + f'"{CANARY}"'.encode() + b"}" * 50, 422),
    "a-hundred-thousand-levels": (b"[" * 100_000 + b"]" * 100_000, 422),
    "unclosed-levels": (b"[" * 100_000, 422),
    "nan": (as_json(canaried()).replace(b'"urgent": false', b'"urgent": NaN'), 400),
    "infinity": (as_json(canaried()).replace(b'"urgent": false', b'"urgent": -Infinity'), 400),
    "doubled-name": (as_json(canaried()).replace(b'"ask": "act"', f'"ask": "act", "ask": "{CANARY}"'.encode()), 400),
    "doubled-unknown-name": (f'{{"{CANARY}": 1, "{CANARY}": 2}}'.encode(), 400),
    "lone-surrogate": (NAMING.replace(b"front-desk-team", rb"\ud800"), 400),
    "raw-surrogate-bytes": (NAMING.replace(b"front-desk-team", b"\xed\xa0\x80"), 400),
    "not-utf-8": (NAMING.replace(b"front-desk-team", b"\xff\xfe"), 400),
    "utf-16": (json.dumps(canaried()).encode("utf-16"), 400),
    "nul": (NAMING.replace(b"front-desk-team", rb"\u0000"), 422),
    "huge-number": (as_json(canaried()).replace(b'"act"', b"9" * 5_000), (400, 422)),
    "byte-order-mark": (b"\xef\xbb\xbf" + as_json(canaried()), 400),
}


@pytest.mark.parametrize("name", RAW)
def test_a_body_that_is_no_share_is_refused(house: House, name: str) -> None:
    # given a body that no reader should believe, signed by its author as if it were good
    body, status = RAW[name]
    # when it is sent and previewed
    for path in (SHARES, "/v1/shares/preview"):
        # then it is a problem with a next step
        refused(house.cases.post(path, body), *(status if isinstance(status, tuple) else (status,)))


def test_ten_megabytes_are_refused_with_and_without_their_length(house: House) -> None:
    # given ten megabytes, once declared and once in pieces without a length
    body = as_json(canaried() | {"reference": "x" * 10_000_000})
    pieces = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
    # when each is sent; the hub may hang up before it has read what it does not want
    declared = house.cases.post(SHARES, body)
    assert refused(declared, 413)["type"] == "/problems/body-too-large"
    try:
        chunked = house.cases.http.post(SHARES, content=pieces, headers=house.cases.headers(body))
    except httpx.TransportError:
        return
    assert refused(chunked, 413)["type"] == "/problems/body-too-large"


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999"])
def test_a_length_that_is_no_length_is_refused(house: House, length: str) -> None:
    # given a head whose Content-Length is not one
    head = f"POST {SHARES} HTTP/1.1\r\nhost: h\r\ncontent-length: {length}\r\n\r\n{CANARY}"
    # when it is sent over a bare socket
    with socket.create_connection(("127.0.0.1", house.port), timeout=10) as bare:
        bare.sendall(head.encode())
        first = bare.recv(4096)
    # then it is a refusal of the sender's, without the canary
    assert b" 4" in first.split(b"\r\n")[0]
    assert CANARY.encode() not in first


WRONG: tuple[Any, ...] = (CANARY, "", 17, 1.5, True, None, [CANARY], {CANARY: CANARY}, [], {})


def test_a_wrong_type_in_any_place_is_refused_by_its_pointer(house: House) -> None:
    # given every place of a share, and a value of another type in it
    share = canaried()
    chance = random.Random(7)
    tried = 0
    for path in places(share):
        here: Any = share
        for step in path:
            here = here[step]
        others = [wrong for wrong in WRONG if type(wrong) is not type(here)]
        for wrong in chance.sample(others, 2):
            if _may_stand(path, wrong):
                continue
            # when it is sent
            problem = refused(house.cases.post(SHARES, put(share, path, wrong)), 422, 403)
            # then a fault points at the place or at what holds it, and every pointer is a place that was sent
            tried += 1
            if problem["status"] == 422 and path:
                pointers = [fault["pointer"] for fault in problem["faults"]]
                at = "/" + "/".join(map(str, path))
                assert any(at.startswith(each) or each.startswith(at) for each in pointers), (path, wrong, pointers)
    assert tried > 150


def _may_stand(path: Path, wrong: Any) -> bool:
    """Whether a value of this type is good here: fields hold several types, and some parts may be left empty."""
    if wrong is None:
        return path[-2:-1] == ("sections",) or path[-1:] in {("category",), ("said",), ("services",)}
    return "fields" in path[:-1] or "facts" in path[:-1] or (wrong in ([], {}) and len(path) > 0) or wrong == ""


@pytest.mark.parametrize("name", ["sam_rivers", f"{CANARY} lives at number nine"])
def test_an_unknown_name_on_any_level_is_refused_and_not_repeated(house: House, name: str) -> None:
    # given every object of a share, with one more name in it that is somebody's, also where names are free
    share = canaried()
    objects = [path for path in places(share) if isinstance(part_of(share, path), dict)]
    assert len(objects) > 25
    for path in objects:
        free = path[-1:] in {("fields",), ("facts",)}
        # when it is sent
        more = put(share, path, part_of(share, path) | {name: None if free else CANARY})
        reply = house.cases.post(SHARES, more)
        # then it is refused at what holds the name, and the name does not come back
        assert name not in reply.text
        assert refused(reply, 422)["faults"] == [
            {
                "pointer": "".join(f"/{part}" for part in path),
                "detail": "must be text, a whole number, true or false, or a list of text"
                if free
                else "holds a name that is not in the schema at /openapi.json",
            }
        ]


def test_whatever_must_be_there_is_missed_by_its_name(house: House) -> None:
    # given a share that lacks one required part after another
    share = canaried()
    for path in (("reference",), ("person",), ("trusted_person", "contact"), ("sections",), ("consents",), ("choice",)):
        holder = {name: value for name, value in part_of(share, path[:-1]).items() if name != path[-1]}
        # when it is sent
        problem = refused(house.cases.post(SHARES, put(share, path[:-1], holder)), 422)
        # then its pointer is named
        assert {"pointer": "/" + "/".join(path), "detail": "is missing"} in problem["faults"]


def test_every_problem_is_told_at_once(house: House) -> None:
    # given a share with faults in four places
    share = canaried()
    share["reference"] = ""
    share["trusted_person"]["name"] = CANARY * 30
    share["sections"][0]["id"] = share["sections"][1]["id"]
    share["consents"][0]["until"] = "1999-01-01"
    # when it is sent
    problem = refused(house.cases.post(SHARES, share), 422)
    # then each is there
    pointers = {fault["pointer"] for fault in problem["faults"]}
    assert pointers == {"/reference", "/trusted_person/name", "/sections/1/id", "/consents/0/until"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", LEFT_OUT])
def test_another_content_type_is_refused(house: House, kind: str) -> None:
    # given a good share that is not declared as JSON
    body = as_json(canaried())
    headers = house.cases.headers(body) | {"content-type": kind}
    # when it is sent
    reply = house.cases.http.post(SHARES, content=body, headers={n: v for n, v in headers.items() if v != LEFT_OUT})
    # then it says so
    assert refused(reply, 415)["type"] == "/problems/body-type"


def test_a_share_for_nobody_is_refused(house: House) -> None:
    # given shares that name no service, or no consent at all
    for share in (a_share(HOUSING) | {"consents": []}, a_share(HOUSING) | {"services": []}):
        assert refused(house.cases.post(SHARES, share), 422)["type"] == "/problems/share-for-nobody"


METHODS = [("PATCH", SHARES), ("DELETE", SHARES), ("PUT", "/v1/services"), ("POST", "/nothing/here"), ("TRACE", SHARES)]


@pytest.mark.parametrize(("method", "path"), METHODS)
def test_methods_and_addresses_that_are_not_there_are_problems_too(house: House, method: str, path: str) -> None:
    # given an address or method that the hub does not have; when it is asked, then it is a problem
    refused(house.cases.http.request(method, f"{path}?q={CANARY}", headers={"x-name": CANARY}), 404, 405)


def test_consents_may_not_be_doubled_for_one_service(house: House) -> None:
    # given two consents for one service, of which one allows more
    share = canaried()
    share["consents"] = [
        consent_of(share, HOUSING),
        consent_of(share, HOUSING) | {"reference": "c-9", "categories": []},
    ]
    # when it is sent, then it is refused, for nobody could say which one counts
    problem = refused(house.cases.post(SHARES, share), 422)
    assert problem["faults"] == [{"pointer": "/consents/1/service", "detail": "must not be used twice in one share"}]
