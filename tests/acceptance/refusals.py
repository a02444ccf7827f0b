"""How a refusal must look, and the share with a canary in every value that bad input is made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

CANARY = "Zz9Canary"

SHARES = "/v1/shares"

Path = tuple[str | int, ...]


def refused(reply: httpx.Response, *statuses: int) -> dict[str, Any]:
    """A refusal as it must look: problem+json, a type, a title, a next step, whose fault it is, and no canary."""
    assert reply.status_code in statuses, (reply.status_code, reply.text[:300])
    assert reply.headers["content-type"] == "application/problem+json"
    assert CANARY.lower() not in reply.text.lower()
    assert CANARY.lower() not in str(reply.headers).lower()
    problem: dict[str, Any] = reply.json()
    assert problem["type"].startswith("/problems/")
    assert problem["status"] == reply.status_code
    assert problem["title"]
    assert problem["next_step"]
    assert problem["origin"] in {"sender", "hub", "receiver"}
    return problem


def canaried() -> dict[str, Any]:
    """A share with the canary in every text that may be free."""
    share = a_share(HOUSING, TREATMENT)
    share["trusted_person"]["can_see"] = ["front-desk-team"]
    share["trusted_person"]["name"] = share["choice"]["discussed_with"] = CANARY
    for section in share["sections"]:
        section["text"] = CANARY
        section.setdefault("fields", {})["note"] = CANARY
    return share


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a document, the whole of it first."""
    yield path
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in inner:
        yield from places(value, (*path, name))


def put(document: Any, path: Path, value: Any) -> Any:
    """A copy of a document with one place replaced."""
    if not path:
        return value
    copied = dict(document) if isinstance(document, dict) else list(document)
    copied[path[0]] = put(document[path[0]], path[1:], value)
    return copied


def part_of(document: Any, path: Path) -> Any:
    """Return the part of a document at a path."""
    for step in path:
        document = document[step]
    return document


def heard(**changes: Any) -> dict[str, Any]:
    """Return what was heard, good but for the canary in a name; `changes` spoil it."""
    return {"state": "accepted", "how": "phone", "on": "2026-11-20", "told_to": CANARY, **changes}


def known_delivery(house: House) -> str:
    """Return the id of a delivery that is there."""
    return str(house.rows("SELECT id FROM deliveries")[0]["id"])
