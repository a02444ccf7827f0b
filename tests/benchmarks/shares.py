"""The shares of a run: 3 KB each, each its own person's, signed beforehand as a case system would sign them."""

from __future__ import annotations

import copy
import itertools
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from wire import request

from hub.sandbox import instance
from hub.sandbox.case_system import load_share
from hub.security.assertions import ClientKey, author_assertion

SERVICE = "supported-housing"
BYTES = 3000
_NUMBERS = itertools.count(1)
_WORDS = "I can be out in the day but I need somebody to say where I go next, and to say it plainly. "


def template() -> dict[str, Any]:
    """Return a share for one housing service, dated around today, made up to 3,000 bytes on the wire."""
    share = load_share("no_answer")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    for section in share["sections"]:
        if "said" in section:
            section["said"]["on"] = yesterday.isoformat()
    consent = share["consents"][0]
    assert consent["service"] == SERVICE
    consent["agreed"]["on"] = yesterday.isoformat()
    consent["until"] = (yesterday + timedelta(days=90)).isoformat()
    words = next(section for section in share["sections"] if section["category"] == "in_their_words")
    words["text"] += _WORDS * ((BYTES - len(orjson.dumps(share))) // len(_WORDS) + 1)
    words["text"] = words["text"][: len(words["text"]) - (len(orjson.dumps(share)) - BYTES)]
    return share


def bodies(count: int) -> list[bytes]:
    """Return different shares, as bytes: no two calls tell of the same person, whose need may be sent once (R32)."""
    share = copy.deepcopy(template())
    made = []
    for number in itertools.islice(_NUMBERS, count):
        share["reference"] = f"DC-{number:09}"
        share["person"]["reference"] = f"P-{number:06}"
        made.append(orjson.dumps(share))
    return made


def signed(count: int, address: str, access_token: str, key: ClientKey) -> list[bytes]:
    """Return whole requests, each with its own Idempotency-Key and its author's assertion (good for five minutes)."""
    url = f"http://{address}"
    made = []
    for body in bodies(count):
        proof = author_assertion(
            instance.CLIENT, url, key, datetime.now(UTC), subject="worker-7", role="key worker", body=body
        )
        headers = {
            "authorization": f"Bearer {access_token}",
            "author-assertion": proof,
            "content-type": "application/json",
            "idempotency-key": str(uuid.uuid4()),
        }
        made.append(request("POST", "/v1/shares", address, headers, body))
    return made
