"""Marked values, and a share with one in every string that somebody could fill with somebody's life."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from typing import Any

from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share

_LETTERS = "bcdfghjkmnpqrstvwxz"


class Canaries:
    """Marked values by the place they stand in; each is unguessable, so that a hit is no accident."""

    def __init__(self) -> None:
        self.by_place: dict[str, str] = {}

    def __getitem__(self, place: str) -> str:
        # Letters alone: digits can happen to look like a telephone number, which would be refused for that.
        return self.by_place.setdefault(place, "Cnry" + "".join(secrets.choice(_LETTERS) for _ in range(14)))

    def within(self, content: bytes) -> list[str]:
        """The places whose mark stands in some bytes: plainly, in base64 or hex, as UTF-16, or in other letters."""
        lowered = content.lower()
        return [place for place, mark in self.by_place.items() if any(form in lowered for form in _forms(mark))]


def _forms(mark: str) -> Iterator[bytes]:
    raw = mark.encode()
    yield raw.lower()
    yield raw.hex().encode()
    yield mark.lower().encode("utf-16-le")
    for shift in range(3):
        # The middle of the base64 text, whatever stands before and after.
        yield base64.b64encode(b"\0" * shift + raw)[4:-4].lower()


def planted_share(of: Canaries, *services: str) -> dict[str, Any]:
    """A share with a mark in every string that somebody could fill with somebody's life."""
    share = a_share(*(services or (HOUSING, SUPPORTED, TREATMENT)))
    # One telling each: the same need of the same person is not sent twice while it is open (R32).
    share["person"]["reference"] = f"{of['person reference']}-{secrets.token_hex(4)}"
    share["choice"]["discussed_with"] = of["discussed with"]
    trusted = {"reference": of["trusted person reference"], "name": of["trusted person"]}
    contact = {"role": of["role"], "email": f"{of['email']}@example.org", "phone": of["phone"]}
    share["trusted_person"] |= trusted | {"contact": contact, "can_see": [of["group"]]}
    for section in share["sections"]:
        category = section["category"]
        if section.get("text"):
            section["text"] = of[f"{category} words"]
        if section.get("said"):
            section["said"]["by"] = of[f"{category} said by"]
    identity, way, *_ = share["sections"]
    identity["fields"] = {name: of[name] for name in ("given_name", "family_name", "birth_date", "nhs_number")}
    way["fields"] |= {name: of[f"contact {name}"] for name in ("phone", "email", "times", "code_phrase")}
    way["fields"]["not_safe_to_talk_to"] = [of["not safe to talk to"]]
    share["sections"] += [
        {"id": "u1", "text": of["unlabelled"], "fields": {}},
        {"id": "u2", "category": "location", "text": of["location words"], "fields": {"address": of["address"]}},
        {"id": "u3", "category": "about_someone_else", "text": of["somebody else"], "fields": {}},
        {"id": "u4", "category": "offending", "text": of["offending"], "fields": {}},
    ]
    for consent in share["consents"]:
        consent["facts"]["remark"] = of["fact"]
        consent["returns"] = ["state", "owner", "next_step", "reason", "text"]
    return share
