"""Callers: what cannot be an id of ours is not found, on whichever database the hub runs."""

from __future__ import annotations

import pytest
from fastapi import Request

from hub.api.callers import refuse_nul
from hub.domain.errors import NotFound


def asked(path: dict[str, str], query: bytes = b"") -> Request:
    """A request with these ids in its path."""
    return Request({"type": "http", "path_params": path, "query_string": query, "headers": []})


@pytest.mark.parametrize(
    "request_", [asked({"share_id": "\x00"}), asked({"share_id": "a\x00b"}), asked({}, b"trusted_person=a&after=%00")]
)
def test_a_nul_in_an_id_or_a_query_is_not_found(request_: Request) -> None:
    with pytest.raises(NotFound):
        refuse_nul(request_)


def test_any_other_id_is_looked_for() -> None:
    refuse_nul(asked({"share_id": "0" * 32}, b"after=%EF%BF%BD"))
