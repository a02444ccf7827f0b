"""The words of e-mails about who has an alert: passed on, handed up, put off, asked again; they name nobody (R45)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hub.notify.words import NAMES_NOBODY, NO_REPLY, Words, age, linked

_OPEN: Final = "Open the link to see what was tried, and to say that you have this."

#: By topic: the subject, what happened, what to do.
_TOLD: Final = {
    "alert.passed_on": ("This is with you now", "Nobody did anything about this in time, so it comes to you.", _OPEN),
    "alert.escalated": ("This was handed up to you", "Somebody asks you to move this on.", _OPEN),
    "alert.informed": (
        "This has gone to somebody else",
        "This was with your team, and somebody further up has it now.",
        "There is nothing you must do. Open the link to see who has it.",
    ),
    "alert.taken_over": (
        "Somebody else has this now",
        "You said that you had this. Somebody has taken it over from you.",
        "There is nothing you must do. Open the link to see who has it.",
    ),
    "alert.woken": ("This is due again", "You put this off until today.", "Open the link to see if it has moved."),
    "alert.still_open": (
        "This is still open",
        "You have this, and nothing was done for five of your working days.",
        "Open the link, and ring the service or close it.",
    ),
    "alert.early": (
        "An early word",
        "Nothing is late. The team that sent this would like a hand, and half of the time has gone.",
        "Ring the team that sent it and say the reference. Ask how you can help.",
    ),
    "alert.signposted": (
        "Still needs somebody",
        "A service has said where else may help, and has not helped itself. So this stays open.",
        "See together who will help, and who will make the call. Open the link to see more.",
    ),
    "alert.uncollected": (
        "Nobody has fetched an answer",
        "An answer came, and nobody in the team that asked has read it for a working day.",
        "Find out who is there for the person today. Open the link to see more.",
    ),
    "alert.away": (
        "An answer waits for somebody who is away",
        "The one whom the person trusts is away, and an answer waits for them.",
        "Ask the person who may hear it. Until they say, it waits. Open the link to see more.",
    ),
    "alert.left": (
        "Somebody has left: who is next?",
        "The one whom the person trusts has left. This stays with you until the person says who is next.",
        "Ask the person whom they trust now. Then your team writes that down in its own system.",
    ),
}


def of(topic: str, reference: str, waited: timedelta, link: str) -> Words | None:
    """Return the words of an e-mail about who has an alert; None for any other topic."""
    if topic == "alert.nudge":
        return nudge(reference, waited)
    if topic not in _TOLD:
        return None
    subject, happened, next_step = _TOLD[topic]
    lines = [
        f"Reference {reference}",
        f"It was sent {age(waited)} ago. {happened}",
        next_step,
        link,
        f"{NAMES_NOBODY}\n{NO_REPLY}",
    ]
    return linked(f"{subject}: {reference}", lines, link)


def nudge(reference: str, waited: timedelta) -> Words:
    """Ask a team, or its champion, for the answer that it owes; with no link, for not everyone may open it."""
    lines = [
        f"Reference {reference}",
        f"We sent this to your team {age(waited)} ago, and have heard nothing yet.",
        "Please answer in your own system. Or ring the team that sent it, and say the reference.",
        f"To keep people's stories private, this email names nobody.\n{NO_REPLY}",
    ]
    return Words(f"Please answer: {reference}", "\n\n".join(lines) + "\n")
