"""A body that does not fit its shape: each fault by its place in our own words, and no name that may be somebody's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from hub.api import body
from hub.api.consents import WithdrawRequest
from hub.api.deliveries import HeardRequest
from hub.domain.errors import Malformed
from hub.domain.share import Consent, Section

HEARD = {"state": "accepted", "how": "phone", "on": "2026-11-20", "told_to": "the desk"}
UNKNOWN = "holds a name that is not in the schema at /openapi.json"
SEVERAL = "must be text, a whole number, true or false, or a list of text"


def faults(shape: type, document: Any) -> list[tuple[str, str]]:
    """Return what is wrong with a document, by place."""
    with pytest.raises(Malformed) as refused:
        body.parse(json.dumps(document).encode(), TypeAdapter(shape))
    assert refused.value.refusal.type == "body-malformed"
    return [(fault.pointer, fault.detail) for fault in refused.value.faults]


@pytest.mark.parametrize(("shape", "good"), [(HeardRequest, HEARD), (WithdrawRequest, {})])
def test_a_misspelt_name_is_pointed_at_by_what_holds_it(shape, good) -> None:
    assert faults(shape, good | {"sam_rivers": "x", "sam_rivers_too": 1}) == [("", UNKNOWN)]


@pytest.mark.parametrize("wrong", [None, 1.5, {}, {"a": 1}, [1], [[]], ["fine", None]])
def test_a_field_that_is_of_none_of_its_types_is_one_fault_that_names_them_all(wrong) -> None:
    assert faults(Section, {"id": "s", "fields": {"sam_rivers": wrong, "good": "x"}}) == [("/fields", SEVERAL)]


def test_a_value_with_one_type_is_told_that_type() -> None:
    assert faults(HeardRequest, HEARD | {"owner": 3, "next_date": 5}) == [
        ("/owner", "must be text"),
        ("/next_date", "must be a date such as 2026-11-18"),
    ]


def test_what_is_missing_is_named() -> None:
    missing = {pointer for pointer, detail in faults(Consent, {"reference": "c-1"}) if detail == "is missing"}
    assert {"/service", "/agreed", "/until"} <= missing
