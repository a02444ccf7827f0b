"""What arrived on the wire is held against where the manifest says that the idempotency key travels."""

from __future__ import annotations

import gzip

import pytest

from hub.conformance.arrived import key_of
from hub.conformance.gateway import Seen

BODY = b'{"ourRef": "k-1", "about": {"ref": "k-1"}, "refs": ["k-1"], "count": 1}'


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("Idempotency-Key", "k-2"),
        ("X-Other", ""),
        ("", ""),
        ("/ourRef", "k-1"),
        ("/about/ref", "k-1"),
        ("/about", ""),
        ("/refs/0", ""),
        ("/count", ""),
        ("/count/0", ""),
        ("/missing", ""),
    ],
)
def test_a_key_is_found_in_a_header_or_at_its_place_in_the_body(where: str, key: str) -> None:
    seen = Seen("POST", "/cases", {"idempotency-key": "k-2"}, BODY, b"")
    assert key_of(seen, where) == key


def test_a_packed_body_is_read_and_one_that_is_no_json_holds_no_key() -> None:
    packed = Seen("POST", "/cases", {"content-encoding": "gzip"}, gzip.compress(BODY), b"")
    assert key_of(packed, "/ourRef") == "k-1"
    assert key_of(Seen("POST", "/cases", {}, b"ourRef=k-1", b""), "/ourRef") == ""
