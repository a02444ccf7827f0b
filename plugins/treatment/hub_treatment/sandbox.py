"""A provider behind a MESH of its own to try the connector on: whoever opens its mailbox reads a page, sends a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hub.sdk.testing.mesh import Post, PostOffice, Written
from hub.sdk.testing.sandbox import Sandbox
from hub.sdk.testing.serve import Surroundings, run
from hub.sdk.transports.table import write_table

#: Where a page gives the key that an answer must name.
_KEY = re.compile(r"<dt>hub_key</dt><dd><bdi>([0-9a-f-]{36})</bdi></dd>")
_COLUMNS = ("hub_key", "status", "reason", "owner", "note", "next_step", "next_date")


def keys_on(page: str) -> list[str]:
    """Return the keys that a page asks to be answered under."""
    return _KEY.findall(page)


def write_line(said: Mapping[str, str]) -> bytes:
    """Return an answer as its staff write it: a line of names, and one of what they say."""
    return write_table(_COLUMNS, [{name: said.get(name, "") for name in _COLUMNS}]).encode()


def answer(post: Post, said: dict[str, Any]) -> Written:
    """Read the page as staff do, and answer under the key that stands on it."""
    (key,) = keys_on(post.body.decode())
    return Written(write_line(said | {"hub_key": key}), "text/csv; charset=utf-8", "answer.csv")


def make(around: Surroundings) -> Sandbox:
    """Make the post office with the provider behind it."""
    return PostOffice(around, answer).sandbox


if __name__ == "__main__":
    run(make)
