"""The words of every email: a reference, how long, a link and what to do next; no name, need, service or place (R45).

Written for a reading age of nine, and never blaming anyone (R61).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.domain.wording import moment

AlertKind = Literal["no_answer", "not_there", "in_doubt", "given_up"]


@dataclass(frozen=True, slots=True)
class Words:
    """Subject and plain text of one email."""

    subject: str
    text: str


#: Also on the page behind the link.
IN_DOUBT: Final = "We are not sure that it arrived. We are checking."
GIVEN_UP: Final = "We could not send this, and have stopped trying."

_RING: Final = "Ring the team that sent it and say the reference. They can see who to ring."

#: Per kind of alert: the subject, what happened (with `{waited}`), what to do next.
_ALERTS: Final[dict[AlertKind, tuple[str, str, str]]] = {
    "no_answer": (
        "No answer yet",
        "It was sent {waited} ago. Nobody has answered yet.",
        "Ring the team that sent it and say the reference. They can see who has it, and who to ring.",
    ),
    "not_there": (
        "Not there yet",
        "It has waited {waited}. We have not got it to the service yet, or cannot be sure that we have.",
        f"{_RING} We keep trying.",
    ),
    "in_doubt": ("Not sure if it is there", f"It has waited {{waited}}. {IN_DOUBT}", _RING),
    "given_up": ("Could not be sent", f"It has waited {{waited}}. {GIVEN_UP}", _RING),
}

_NAMES_NOBODY: Final = "To keep people's stories private, this email and its link name nobody."
_NO_REPLY: Final = "Please do not reply: nobody would see it."


def alert(kind: AlertKind, reference: str, waited: timedelta, link: str) -> Words:
    """Tell a champion that something needs them; `reference` is the speakable one, `link` says what to do next."""
    subject, happened, next_step = _ALERTS[kind]
    footer = f"{_NAMES_NOBODY}\n{_NO_REPLY}"
    lines = [f"Reference {reference}", happened.format(waited=age(waited)), next_step, link, footer]
    return _words(f"{subject}: {reference}", lines, link)


def stopped(reference: str, waited: timedelta) -> Words:
    """Tell the operator that a parcel came to its end without arriving, and how to see why."""
    lines = [
        f"We tried for {age(waited)} and have stopped. It has not been taken.",
        f"Run `hub trace {reference}`. The team that sent it has been told.",
        _NO_REPLY,
    ]
    return Words(f"Could not be sent: {reference}", _paragraphs(lines))


def heard_copy(reference: str) -> Words:
    """Tell a service that what it said another way was written down, so that it can put it right (R64)."""
    lines = [
        f"Reference {reference}",
        "Thank you for answering. What you said was written down as your answer.",
        "To hear it, or to put it right, ring the team that sent this to you and say the reference.",
        f"{_NAMES_NOBODY.replace(' and its link name', ' names')}\n{_NO_REPLY}",
    ]
    return Words(f"We wrote down your answer: {reference}", _paragraphs(lines))


def connection_held(connection_id: str, reason: str, since: datetime | None) -> Words:
    """Tell the operator, once, that a connection stopped and everything for it waits; no `since`: it goes on again."""
    if since is None:
        lines = [f"The connection {connection_id} was held, and goes on again. There is nothing to do."]
    else:
        lines = [
            f"The connection {connection_id} has been held since {moment(since)}. The reason is: {reason}.",
            "What is for it waits, and nothing is lost.",
            f"Put it right, and run `hub connection resume {connection_id}`. To see them all: `hub connection ls`.",
        ]
    return Words(f"A connection is held: {connection_id}", _paragraphs(lines))


def message_refused(connection_id: str) -> Words:
    """Tell the operator, once a day and connection, that what a partner sent could not be read."""
    lines = [
        f"A message from {connection_id} could not be read. It is kept.",
        f"Run `hub connection check {connection_id}`.",
        f"Once that works, run `hub connection resume {connection_id}`: what was refused is read again.",
    ]
    return Words(f"A message could not be read: {connection_id}", "\n\n".join(lines) + "\n")


def age(waited: timedelta) -> str:
    """A length of time in the one unit that people would say it in: minutes, hours up to two days, then days."""
    minutes = max(1, int(waited.total_seconds() // 60))
    if minutes < 120:
        return _count(minutes, "minute")
    if minutes < 48 * 60:
        return _count(minutes // 60, "hour")
    return _count(minutes // (24 * 60), "day")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _words(subject: str, lines: Sequence[str], link: str) -> Words:
    if any(character.isspace() for character in link) or not link.startswith(("https://", "http://")):
        raise ValueError("a link is one http or https address")
    return Words(subject, _paragraphs(lines))


def _paragraphs(lines: Sequence[str]) -> str:
    return "\n\n".join(lines) + "\n"
