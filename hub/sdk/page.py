"""What the answer page shows, as a document: the shape that the mapping of an e-mail connector must give."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Said = str | int | float | bool | None | list[str]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Through(_Part):
    """The trusted person, and how to reach them."""

    name: str
    role: str = ""
    phone: str = ""
    email: str = ""


class Statement(_Part):
    """Words as they were said, whose they are, and facts by their field's name (`text_ok` is shown as Text ok)."""

    words: str = ""
    origin: str = ""
    facts: dict[str, Said] = Field(default_factory=dict)


class Part(_Part):
    """One labelled part of what was shared."""

    heading: str
    statements: tuple[Statement, ...] = ()


class PageDocument(_Part):
    """One parcel as a team reads it. The page shows `contact` first, then `handling`, whatever their order here (R65).

    `note` says in a sentence what this is, where it is no new share. `contact` holds one set of facts for each way.
    """

    kind: Literal["share", "addendum", "correction", "please_stop_using", "reply"] = "share"
    note: str = ""
    ask: Literal["act", "know", "meet"] = "act"
    urgent: bool = False
    sent_on: date | None = None
    reply_by: date | None = None
    sender: str = ""
    trusted_person: Through | None = None
    contact: tuple[dict[str, Said], ...] = ()
    handling: tuple[str, ...] = ()
    keep_from: tuple[str, ...] = ()
    name: str = ""
    agreed: str = ""
    parts: tuple[Part, ...] = ()


def read_page(body: bytes) -> PageDocument:
    """Read a parcel for the page; raises `ValueError` naming the fields that are wrong, and never what they hold."""
    return PageDocument.model_validate_json(body)
