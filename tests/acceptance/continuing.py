"""What follows a share, for tests: delivered shares, the calls about them, and what a partner acted on."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance.house import House, until_true


def delivered(house: House, share: dict[str, Any], *services: str) -> dict[str, Any]:
    """Send a share, and return its receipt once each service has it."""
    receipt = house.cases.send(share)
    for service in services:
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    return receipt


def call(house: House, receipt: dict[str, Any], which: str, status: int = 202, **body: Any) -> dict[str, Any]:
    """Make a call about a share, which must end so, and return what it says."""
    reply = house.cases.post(f"/v1/shares/{receipt['id']}/{which}", body)
    assert reply.status_code == status, reply.text
    said: dict[str, Any] = reply.json()
    return said


def following(house: House, receipt: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The deliveries of one kind that a share has, by service, as its sender reads them."""
    report = house.cases.read(receipt["id"])
    return {each["service"]: each for each in report["deliveries"] if each["kind"] == kind}


def arrived(house: House, receipt: dict[str, Any], kind: str, number: int) -> dict[str, dict[str, Any]]:
    """Wait until so many services have what followed, and return it."""

    def there() -> dict[str, dict[str, Any]] | None:
        found = following(house, receipt, kind)
        done = len(found) == number and all(each["state"] == "delivered" for each in found.values())
        return found if done else None

    found: dict[str, dict[str, Any]] = until_true(f"each {kind} to arrive", there)
    return found


def documents(sandbox: Any, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """What a partner acted on of one share, oldest first."""
    entries = [each for each in sandbox.entries() if each.effect and receipt["reference"].encode() in each.body]
    return [json.loads(each.body) for each in entries]


def section(identity: str, category: str, text: str, **more: Any) -> dict[str, Any]:
    """A section that the person themselves said, on the demo's day."""
    said = {"by": "the person", "how": "heard_directly", "on": "2026-11-18"}
    return {"id": identity, "category": category, "text": text, "said": said, "words_checked": True, **more}
