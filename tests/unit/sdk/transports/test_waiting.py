"""Retry-After in both forms, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Response
from hub.sdk.transports.waiting import retry_after

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Fri, 20 Nov 2026 15:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2026 14:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2026 15:00:10 -0000", 10.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("9999999999", None),
        ("١٢", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(Response(429, {"retry-after": value}), NOW) == seconds


def test_no_header_says_nothing() -> None:
    assert retry_after(Response(503), NOW) is None


@given(st.text(max_size=60))
def test_whatever_a_partner_sends_is_a_number_of_seconds_or_nothing(value: str) -> None:
    seconds = retry_after(Response(429, {"retry-after": value}), NOW)
    assert seconds is None or seconds >= 0
