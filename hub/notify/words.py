"""The words of every e-mail: a reference, how long, a link and what to do next; no name, need, service or place (R45).

Written for a reading age of nine, and never blaming anyone (R61).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

AlertKind = Literal["no_answer", "not_delivered"]


@dataclass(frozen=True, slots=True)
class Words:
    """Subject and plain text of one e-mail."""

    subject: str
    text: str


#: Per kind of alert: the subject, what happened (with `{waited}`), what to do next.
_ALERTS: Final[dict[AlertKind, tuple[str, str, str]]] = {
    "no_answer": (
        "No answer yet",
        "It was sent {waited} ago. Nobody has answered yet.",
        "Ring the team that sent it and say the reference. They can see who has it, and who to ring.",
    ),
    "not_delivered": (
        "Not sent yet",
        "It has waited {waited}. We could not hand it over, so nobody has seen it.",
        "Ring the team that sent it and say the reference. They can see who to ring. We keep trying.",
    ),
}

_WHY: Final = (
    "This e-mail tells you nothing about anyone on purpose, and nor does the link.\n"
    "Nobody reads replies to this address."
)


def alert(kind: AlertKind, reference: str, waited: timedelta, link: str) -> Words:
    """Tell a champion that something needs them; `reference` is the speakable one, `link` says what to do next."""
    subject, happened, next_step = _ALERTS[kind]
    lines = [f"Reference {reference}", happened.format(waited=age(waited)), next_step, link, _WHY]
    return _words(f"{subject}: {reference}", lines, link)


def heard_copy(reference: str) -> Words:
    """Tell a service that what it said another way was written down, so that it can put it right (R64)."""
    lines = [
        f"Reference {reference}",
        "Thank you for answering. What you said was written down as your answer.",
        "If that is not right, send your answer again, or ring the team that sent it to you.",
        "This e-mail tells you nothing about anyone on purpose.\nNobody reads replies to this address.",
    ]
    return Words(f"We wrote down your answer: {reference}", "\n\n".join(lines) + "\n")


def connection_held(connection_id: str) -> Words:
    """Tell the operator, once, that a connection stopped and everything for it waits."""
    lines = [
        f"The connection {connection_id} is held. What is for it waits, and nothing is lost.",
        f"Run: hub connection ls, then mend it and run: hub connection resume {connection_id}",
    ]
    return Words(f"A connection is held: {connection_id}", "\n\n".join(lines) + "\n")


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
    return Words(subject, "\n\n".join(lines) + "\n")
