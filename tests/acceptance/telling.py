"""Shares to tell: the demo's, cut to the services and dates that a test is about."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Iterator
from datetime import date
from typing import Any

from hub.sandbox.case_system import load_share

HOUSING, SUPPORTED, TREATMENT = "city-housing-options", "supported-housing", "county-treatment"


def a_share(*services: str, **changes: Any) -> dict[str, Any]:
    """Return the demo's share with a consent for each of `services` (default: housing alone)."""
    share = load_share("told_once")
    by_service = {consent["service"]: consent for consent in share["consents"]}
    by_service[SUPPORTED] = copy.deepcopy(by_service[HOUSING]) | {"reference": "c-3", "service": SUPPORTED}
    share["consents"] = [by_service[service] for service in services or (HOUSING,)]
    # Each telling is another person's: the same need of one is sent once (R32).
    share["person"]["reference"] = f"P-{secrets.token_hex(6)}"
    for consent in share["consents"]:
        # Each telling is agreed anew: what was withdrawn with one is not known again with the next.
        consent["reference"] = f"c-{secrets.token_hex(6)}"
    return share | changes


def told_on(share: dict[str, Any], day: date, until: date) -> dict[str, Any]:
    """Return the share as if everything in it was said and agreed on `day`, until `until`."""
    dated = copy.deepcopy(share)
    for section in dated["sections"]:
        if section.get("said"):
            section["said"]["on"] = day.isoformat()
    for consent in dated["consents"]:
        consent["agreed"]["on"] = day.isoformat()
        consent["until"] = until.isoformat()
    return dated


def consent_of(share: dict[str, Any], service: str) -> dict[str, Any]:
    """Return the share's consent for a service, to be changed in place."""
    found: dict[str, Any] = next(each for each in share["consents"] if each["service"] == service)
    return found


#: Words of the schema, which are nobody's.
_CODED = frozenset({"id", "category", "how", "kind", "reason"})


def strings(document: Any) -> Iterator[str]:
    """Every string that somebody wrote: names and coded words left out."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for name, value in document.items():
            if name not in _CODED:
                yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)


def told_strings(share: dict[str, Any]) -> set[str]:
    """What of a share is somebody's: everything in its sections, its trusted person and how they were chosen."""
    personal = [share["sections"], share["trusted_person"], share["choice"], share["person"]]
    return {text for text in strings(personal) if len(text) > 5}


def story_of(share: dict[str, Any]) -> set[str]:
    """What of a share is its story: the words and fields of its sections, short codes left out."""
    parts = [[section.get("text"), section.get("fields")] for section in share["sections"]]
    return {text for text in strings(parts) if len(text) > 3}


def copy_of(share: dict[str, Any]) -> dict[str, Any]:
    """Return a copy that shares nothing with its original."""
    copied: dict[str, Any] = json.loads(json.dumps(share))
    return copied
