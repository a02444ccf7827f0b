"""Choices of trusted people: what a partner's system says of one, and what it sends while the champion looks."""

from __future__ import annotations

from typing import Any

import httpx

from tests.acceptance.caller import Caller
from tests.acceptance.telling import copy_of

#: What a person said of a cover for one share.
NAMED = {
    "reference": "tp-cover",
    "chosen_by_person": True,
    "nothing_suggests_unsafe": True,
    "on": "2026-11-20",
    "how": "spoken",
    "lasts": "while_away",
}
SAFE = {"discussed_with": "the champion", "nothing_suggests_unsafe": True}


def unsaid(share: dict[str, Any]) -> dict[str, Any]:
    """Return the share without the statement that nothing suggests the choice is unsafe."""
    changed = copy_of(share)
    changed["choice"]["nothing_suggests_unsafe"] = False
    return changed


def link_of(share: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return what a partner's system says of the choice that a share goes by."""
    one = share["trusted_person"]
    said = {name: one[name] for name in ("kind", "name", "contact")}
    return {"person": share["person"], "chosen_by_person": True, **said, **changes}


def keep_link(caller: Caller, share: dict[str, Any], **changes: Any) -> None:
    """Let a partner's system say so; it must be taken."""
    reply = put(caller, share["trusted_person"]["reference"], link_of(share, **changes))
    assert reply.status_code == 200, reply.text


def put(caller: Caller, reference: str, body: dict[str, Any]) -> httpx.Response:
    """Put what is known of one choice."""
    return caller.send_as("PUT", f"/v1/trusted-people/{reference}", body)


def release(caller: Caller, share_id: str, key: str | None = None) -> httpx.Response:
    """Say of a share that waits that it was looked at together."""
    reply: httpx.Response = caller.post(f"/v1/shares/{share_id}/choice", SAFE, **({"key": key} if key else {}))
    return reply


def put_of(caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Say that a trusted person is away or leaves; it must be taken."""
    reply = caller.send_as("PUT", f"/v1/trusted-people/{path}", body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def delete(caller: Caller, path: str) -> None:
    """Say that they are back, or stay after all; it must be taken."""
    address = f"/v1/trusted-people/{path}"
    reply = caller.http.request("DELETE", address, headers=caller.headers(b"", key="") | {"content-length": "0"})
    assert reply.status_code == 200, reply.text


def cover(caller: Caller, share_id: str, reference: str, **changes: Any) -> httpx.Response:
    """Say whom the person named for one share."""
    said = NAMED | {"reference": reference} | changes
    reply: httpx.Response = caller.post(f"/v1/shares/{share_id}/cover", said)
    return reply
