"""The audit log's form: one way to write an event down, and no two logs with one hash."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.audit import Checkpoint, beginning, canonical, event, link, read_checkpoint
from hub.domain.audit_check import check, read_header, read_line

AT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
details = st.dictionaries(st.text(), values, max_size=4)
CHECKPOINT = Checkpoint(0, "2026-11-20T15:00:00.000000+00:00", "c", "h", "k", 0, "s")


def row(**changed: Any) -> dict[str, Any]:
    """An event's row."""
    return {
        "at": AT, "kept_at": AT, "action": "share.read", "actor": "client:x", "share_id": "a" * 32,
        "delivery_id": None, "detail": {},
    } | changed  # fmt: skip


def test_an_event_is_written_down_just_so() -> None:
    """What a third party goes by: these bytes and hashes never change."""
    written = canonical(event(row(detail={"b": ["ŵ", 1], "a": True}), 1))
    assert written.decode() == (
        '{"action":"share.read","actor":"client:x","at":"2026-11-20T15:00:00.000000+00:00","delivery":null,'
        '"detail":{"a":true,"b":["ŵ",1]},"kept_at":"2026-11-20T15:00:00.000000+00:00","position":1,'
        f'"share":"{"a" * 32}"}}'
    )
    assert beginning("c").hex() == "980eca68194cfe58f2bd216a5c3cf313110d3488c515c66dee9f0034368cf1d1"
    assert link(beginning("c"), written).hex() == "cf66c6976214913fbce11c378f2b154ea5501bd87526f3c0ba29f6e5fa153469"
    assert CHECKPOINT.signed_bytes() == (
        b"trusted-person-hub audit checkpoint 1\n"
        b'{"after":0,"at":"2026-11-20T15:00:00.000000+00:00","chain":"c","hash":"h","kid":"k","position":0}'
    )


@given(details)
def test_whatever_is_written_down_is_read_again_as_it_was(detail: dict[str, Any]) -> None:
    written = canonical(event(row(detail=detail), 1))
    assert json.loads(written)["detail"] == detail
    assert read_line(written) == json.loads(written)


@given(details, details, st.integers(1, 3), st.integers(1, 3))
def test_two_events_have_one_hash_only_when_they_are_the_same(
    one: dict[str, Any], other: dict[str, Any], first: int, second: int
) -> None:
    forms = [canonical(event(row(detail=detail), at)) for detail, at in ((one, first), (other, second))]
    hashes = [link(beginning("c"), form) for form in forms]
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True) and first == second
    assert (hashes[0] == hashes[1]) is same


@pytest.mark.parametrize(
    "line",
    [b'{"a":1,"a":2}', b'{"a": 1}', b'{"b":1,"a":2}', b"[1]", b"", b"{", b'{"a":1} ', b'{"a":"\\u0041"}',
     b"[" * 100_000, b'{"a":1e400}', b"\xff", b'{"a":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_line_in_any_other_form_is_no_line(line: bytes) -> None:
    assert read_line(line) is None


@given(st.lists(st.binary(max_size=60) | values.map(lambda each: canonical({"event": each, "hash": each})), max_size=4))
def test_no_file_stops_the_check(lines: list[bytes]) -> None:
    header = canonical({"log": {"chain": "c", "form": 1, "keys": []}})
    verdict = check(header, lines, lambda *_: True, [CHECKPOINT])
    assert not verdict.verified
    assert verdict.findings


@pytest.mark.parametrize(
    "header",
    [b"", b"{}", b'{"log":{}}', b'{"log":{"chain":"c","form":2,"keys":[]}}', b'{"log":{"chain":1,"form":1,"keys":[]}}'],
)
def test_a_file_that_names_no_log_is_none(header: bytes) -> None:
    assert read_header(header) is None
    assert [each.code for each in check(header, [], lambda *_: True).findings] == ["no-log"]


def test_a_checkpoint_is_read_alone_and_from_a_receipt() -> None:
    document = CHECKPOINT.document()
    assert read_checkpoint(document) == read_checkpoint({"id": "x", "checkpoint": document}) == CHECKPOINT
    wrong: list[Any] = [None, [], {}, {"checkpoint": None}, document | {"more": 1}, document | {"position": "1"}]
    wrong += [document | {"position": True}, document | {"position": -1}, document | {"hash": 1}]
    assert [each for each in wrong if read_checkpoint(each) is not None] == []


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9999)))
def test_instants_are_told_apart_to_the_microsecond(later: timedelta) -> None:
    forms = {canonical(event(row(kept_at=AT + each), 1)) for each in (later, later + timedelta(microseconds=1))}
    assert len(forms) == 2
