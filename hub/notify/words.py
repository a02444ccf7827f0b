"""The words of every e-mail: a reference, how long, a link and what to do next; no name, need, service or place (R45).

Written for a reading age of nine, and never blaming anyone (R61).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

AlertKind = Literal["no_answer", "not_delivered", "not_started", "half_way", "passed_on"]


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
        "Open the link to see who to ring. You can send a nudge from there too.",
    ),
    "not_delivered": (
        "Not sent yet",
        "It has waited {waited}. We could not hand it over, so nobody has seen it.",
        "Open the link to see who to ring. Our support team knows, and we keep trying.",
    ),
    "not_started": (
        "Said yes, not started yet",
        "They said yes {waited} ago. We have heard no more since then.",
        "Open the link to see who to ring and ask how it is going.",
    ),
    "half_way": (
        "An early heads-up",
        "It was sent {waited} ago. There is still time to answer, and a hand was asked for.",
        "Nothing is late. Open the link if you want to help now.",
    ),
    "passed_on": (
        "Passed on to you",
        "It has waited {waited}, and has been passed on to you to follow up.",
        "Open the link to see what was tried, and what you can do.",
    ),
}

_WHY: Final = (
    "This e-mail tells you nothing about anyone on purpose. You will be asked to sign in.\n"
    "Nobody reads replies to this address."
)


def alert(kind: AlertKind, reference: str, waited: timedelta, link: str) -> Words:
    """Tell a champion that something needs them; `reference` is the speakable one, `link` opens after sign-in."""
    subject, happened, next_step = _ALERTS[kind]
    lines = [f"Reference {reference}", happened.format(waited=age(waited)), next_step, link, _WHY]
    return _words(f"{subject}: {reference}", lines, link)


def invite(reference: str, link: str, days: int) -> Words:
    """Ask a service without a system of its own to look and answer; the link works for `days` days."""
    lines = [
        f"Reference {reference}",
        "Somebody agreed to share something with your team, and would like an answer.",
        f"Open the link to read it and to answer. It works for {_count(days, 'day')}.",
        link,
        "Please do not pass this e-mail on: the link is for your team only.\nNobody reads replies to this address.",
    ]
    return _words(f"Something for your team to answer: {reference}", lines, link)


def sign_in(link: str, minutes: int) -> Words:
    """Give the sign-in link that its reader has just asked for; it works once, for `minutes` minutes."""
    lines = [
        "Here is your link to sign in.",
        f"It works once, for {_count(minutes, 'minute')}.",
        link,
        "If you did not ask for it, you need do nothing.\nNobody reads replies to this address.",
    ]
    return _words("Your link to sign in", lines, link)


def digest(references: Sequence[str], oldest: timedelta, link: str) -> Words:
    """Tell a champion in one e-mail of everything that still waits for them, oldest first."""
    total = len(references)
    waiting = "1 thing still waits" if total == 1 else f"{total} things still wait"
    lines = [
        f"{waiting} for you. The oldest came {age(oldest)} ago.",
        "\n".join(references),
        "Open the link to see your list.",
        link,
        _WHY,
    ]
    return _words(f"Your list to follow up: {total}", lines, link)


def heard_copy(reference: str) -> Words:
    """Tell a service that what it said another way was written down, so that it can put it right (R64)."""
    lines = [
        f"Reference {reference}",
        "Thank you for answering. What you said was written down as your answer.",
        "If that is not right, send your answer again in your own system, or ring the team that sent it to you.",
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
