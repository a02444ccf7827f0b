"""TH04: no refusal tells whether the hub knows a person, a trusted person, or what another organisation sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, consent_of
from tests.acceptance.trusting import keep_link

_DRAWN = re.compile(r"\b[0-9a-f]{32}\b|\b[0-9A-Z]{3}-[0-9A-Z]{3}\b")
REFERENCE = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:/-]{0,40}\Z")


@pytest.fixture(scope="module")
def known(house: House) -> dict[str, Any]:
    """A share that another organisation sent, and a choice that it keeps."""
    share = a_share(HOUSING) | {"reference": "DC-known", "person": {"reference": "P-known"}}
    share["trusted_person"]["reference"] = "tp-known"
    keep_link(house.cases, share, topics=["find-somewhere-to-live"], until="2026-11-25")
    house.cases.send(share, key="key-known")
    return share


def _refused(share: dict[str, Any]) -> dict[str, Any]:
    """The share in which the only consent has run out: it is refused whoever it is about."""
    consent_of(share, HOUSING)["until"] = "2026-11-19"
    return share


def _said(reply: Any) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """A reply's status, its bytes with what is drawn made alike, and its headers."""
    body = reply.json()
    body.pop("checkpoint", None)
    headers = tuple((name, value) for name, value in reply.headers.items() if name not in ("date", "content-length"))
    return reply.status_code, _DRAWN.sub("x", json.dumps(body)), headers


def _length(reply: Any) -> int:
    """How many bytes a reply has without the checkpoint, whose count of all entries grows by itself."""
    body = reply.json()
    return len(reply.content) - len(json.dumps(body.get("checkpoint"), separators=(",", ":"), ensure_ascii=False))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(person=REFERENCE, trusted_person=REFERENCE)
def test_th04_a_refusal_is_the_same_bytes_for_the_known_and_the_unknown(
    house: House, known: dict[str, Any], person: str, trusted_person: str
) -> None:
    # given refused shares of another organisation's: about whoever, by whoever, with references that are known or not
    said = set()
    lengths = set()
    for of, by in (
        (person, trusted_person),
        ("P-known", trusted_person),
        (person, "tp-known"),
        ("P-known", "tp-known"),
    ):
        share = _refused(a_share(HOUSING)) | {"person": {"reference": of}}
        share["trusted_person"] = known["trusted_person"] | {"reference": by}
        reply = house.other.post("/v1/shares", share)
        assert reply.status_code == 403
        said.add(_said(reply))
        lengths.add(_length(reply))
    # then all are the same bytes, and so the same length
    assert (len(said), len(lengths)) == (1, 1)


def test_th04_what_goes_is_answered_alike_whether_or_not_another_organisation_sent_the_same(
    house: House, known: dict[str, Any]
) -> None:
    # given the very share, key and references that one organisation sent, and others that nobody did
    fresh = a_share(HOUSING) | {"reference": "DC-known"}
    fresh["person"], fresh["trusted_person"] = {"reference": "P-new"}, known["trusted_person"] | {"reference": "tp-new"}
    # when another organisation sends both
    replies = [
        house.other.post("/v1/shares", known, key="key-known"),
        house.other.post("/v1/shares", fresh, key="key-fresh"),
    ]
    # then both are kept as new, in the same words: neither key, agreement nor link of the other is known to it
    assert [each.status_code for each in replies] == [202, 202]
    said = [re.sub(r"\d{4}-\d\d-\d\dT[^\"]+", "t", _said(each)[1]) for each in replies]
    assert said[0] == said[1]
    assert _length(replies[0]) == _length(replies[1])


def test_th04_one_organisation_s_choice_stops_nothing_of_another_s(house: House, known: dict[str, Any]) -> None:
    # given a choice that one organisation marked as not safe
    keep_link(house.cases, known, not_safe=True)
    # when another sends by the same references, then it goes: nothing crosses
    mine = a_share(SUPPORTED) | {"person": known["person"], "trusted_person": known["trusted_person"]}
    assert house.other.send(mine)["status"] == "open"
    # and to keep a link is answered alike, whether it was known or is new
    replies = {house.other.send_as("PUT", "/v1/trusted-people/tp-known", _link(mine)).content for _ in range(2)}
    assert len(replies) == 1


def _link(share: dict[str, Any]) -> dict[str, Any]:
    one = share["trusted_person"]
    said = {name: one[name] for name in ("kind", "name", "contact")}
    return {"person": share["person"], "chosen_by_person": True, **said}
