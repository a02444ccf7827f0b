"""Holds what arrived on the wire against the parcel that was agreed: its bytes, or every text of it on a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

from hub.conformance.gateway import Seen
from hub.sdk import Parcel


def altered(seen: Sequence[Seen], parcel: Parcel, arrives_as: str) -> str:
    """Return what is not as it was agreed, or an empty text; `seen` are the parcel's requests, oldest first."""
    came = content_of(seen)
    if arrives_as == "bytes":
        return "" if came == parcel.body else "what is on the wire is not the parcel's bytes"
    shown = text_of(came)
    missing = sum(text not in shown for text in _texts(json.loads(parcel.body)))
    return f"{missing} texts of the parcel do not stand on the page that arrived" if missing else ""


def content_of(seen: Sequence[Seen]) -> bytes:
    """Return what a parcel's requests carried, unpacked: all the pieces of a MESH message, else the first request."""
    if "mex-chunk-range" not in seen[0].headers:
        return seen[0].content
    return b"".join(each.content for each in seen)


def key_of(seen: Seen, where: str) -> str:
    """Return the key that a request carries in a header, or in its JSON body where `where` is a pointer (`/ourRef`)."""
    if not where.startswith("/"):
        return seen.headers.get(where.lower(), "")
    try:
        found = json.loads(seen.content)
        for name in where[1:].split("/"):
            found = found[name]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def text_of(page: bytes) -> str:
    """Return what a person reads on a page of HTML."""
    reading = _Reading()
    reading.feed(page.decode("utf-8", "replace"))
    reading.close()
    return "".join(reading.read)


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.read: list[str] = []

    def handle_data(self, data: str) -> None:
        self.read.append(data)


def _texts(document: Any, name: str = "") -> Iterator[str]:
    """Yield every text of a document; the heading of a part without lines is shown nowhere."""
    match document:
        case str() if name != "heading":
            yield document
        case dict():
            if "heading" not in document or document.get("lines"):
                for key, value in document.items():
                    yield from _texts(value, key)
        case list():
            for value in document:
                yield from _texts(value)
