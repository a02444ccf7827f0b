"""A hub that is only asked what it would send: parcels and reasons, over HTTP, by service."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from tests.acceptance.house import House


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview, by service: each parcel read, each reason with its pointer."""

    body: dict[str, Any]

    def parcel(self, service: str) -> dict[str, Any]:
        """The document that one service would get."""
        found = next(each for each in self.body["deliveries"] if each["service"] == service)
        parcel: dict[str, Any] = json.loads(found["parcel"])
        return parcel

    def text(self, service: str) -> str:
        """The same as text, no character of it escaped."""
        return json.dumps(self.parcel(service), ensure_ascii=False)

    def refused(self, service: str) -> list[tuple[str, str]]:
        """Why one service would get nothing: types and pointers."""
        return [(each["type"], each["pointer"]) for each in self.body["refused"] if each["service"] == service]

    def withheld(self, service: str) -> dict[str, str]:
        """What one service would not see: pointers and why."""
        return {each["pointer"]: each["why"] for each in self.body["withheld"] if each["service"] == service}


def preview(house: House, share: dict[str, Any]) -> Shown:
    """Ask what would be sent; a share that no service may have is told by a preview just so."""
    reply = house.cases.post("/v1/shares/preview", share, key=secrets.token_hex(8))
    assert reply.status_code == 200, reply.text
    return Shown(reply.json())


def section(category: str | None, **parts: Any) -> dict[str, Any]:
    """A section with an id of its own; what it says was said by the person unless told otherwise."""
    return {"id": secrets.token_hex(4), "category": category, **parts}


SAID = {"by": "the person", "how": "heard_directly", "on": "2026-11-18"}
