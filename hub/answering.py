"""The answer page of a service with no system of its own: its table in the service's file, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Mailbox = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=320)]

#: A team's code is told by telephone and typed by hand: this long, five tries a link find out nothing.
SHORTEST_CODE = 8


class AnswerPageTable(BaseModel):
    """`[answer_page]`: how a team proves that a link reached it, and how long a link and a remembered device last.

    The code is the team's own standing one. The operator makes it, tells it by telephone to the person who follows up
    there, and never sends it by e-mail: a link and its code never go the same way. To change it ends every remembered
    device. `coded_only` takes free words off the page, for a service that may say no more than codes (R72).
    `mailboxes` are other mailboxes of the same team, to which it may have a link sent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    code: Annotated[str, StringConstraints(pattern=r"^(file|env):.+$")]
    link_days: int = Field(default=14, ge=1, le=60)
    shift_hours: int = Field(default=12, ge=1, le=12)
    coded_only: bool = False
    mailboxes: tuple[Mailbox, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """One service's answer page: the keyed hash of its code, and how long a link and a remembered device last.

    `owner` is what stands for whoever has it where no names may be given (R72); `mailboxes` are the team's others.
    """

    code: str
    link_lasts: timedelta
    shift: timedelta
    coded_only: bool
    owner: str
    mailboxes: tuple[str, ...] = ()


def plain_code(typed: str) -> str:
    """Return a code as it is compared: a team may type it in capitals, and with spaces or hyphens or without."""
    return "".join(each for each in typed.casefold() if each.isalnum())


def made_page(table: AnswerPageTable, code: str, owner: str) -> AnswerPage:
    """Return a service's page; `code` is the keyed hash of its plain code."""
    days, hours = timedelta(days=table.link_days), timedelta(hours=table.shift_hours)
    return AnswerPage(code, days, hours, table.coded_only, owner, table.mailboxes)


def fault_of_code(value: str) -> str:
    """Say what is wrong with a team's code, or nothing; never what it is."""
    if len(plain_code(value)) < SHORTEST_CODE:
        return f"which is too short for a team's code: {SHORTEST_CODE} letters and digits or more"
    return ""


def missing(page: AnswerPageTable | None, answers: tuple[str, ...]) -> tuple[str, ...]:
    """Name what a service leaves out that is answered through the page."""
    return ("answer_page.code",) if "page" in answers and page is None else ()


def agreed_addresses(*found: str, settings: Mapping[str, Any]) -> frozenset[str]:
    """Return every text that a partnership wrote down for a service: an invite goes to one of these or to nobody."""
    return frozenset(each for each in (*found, *_texts(settings)) if each)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
