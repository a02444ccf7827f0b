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

NAMES_NOBODY: Final = "To keep people's stories private, this email and its link name nobody."
NO_REPLY: Final = "Please do not reply: nobody would see it."


def alert(kind: AlertKind, reference: str, waited: timedelta, link: str) -> Words:
    """Tell a champion that something needs them; `reference` is the speakable one, `link` says what to do next."""
    subject, happened, next_step = _ALERTS[kind]
    footer = f"{NAMES_NOBODY}\n{NO_REPLY}"
    lines = [f"Reference {reference}", happened.format(waited=age(waited)), next_step, link, footer]
    return linked(f"{subject}: {reference}", lines, link)


def look_first(reference: str) -> Words:
    """Tell a champion that something waits until they and its worker have looked at it together (R04)."""
    lines = [
        f"Reference {reference}",
        "Something that your team wants to send waits for you. Nothing has gone yet.",
        "Please look at it today, with the worker who wrote it. If it is right, they let it go from their own system. "
        "If it is not, they take it back.",
        _footer(),
    ]
    return Words(f"Please look at this first: {reference}", _paragraphs(lines))


def still_held(reference: str) -> Words:
    """Tell the operator that a share has waited a day for its champion, who is asked again (R04)."""
    lines = [
        f"Reference {reference}",
        "This waits for its champion, who was told a day ago and again now. Nobody has looked at it yet.",
        "Ring the champion. If they are away, ring whoever stands in for them.",
        f"To see whose it is, run `hub trace {reference}`.",
        NO_REPLY,
    ]
    return Words(f"Nobody has looked at this yet: {reference}", _paragraphs(lines))


def not_safe(reference: str) -> Words:
    """Tell the safeguarding contact that a choice marked as not safe was used, and that nothing went (R04)."""
    lines = [
        f"Reference {reference}",
        "Someone has tried to send this by a way that was marked as not safe. Nothing has gone.",
        "Ring the champion of the team that wrote it, and say the reference. Do not write about it to anyone else.",
        _footer(),
    ]
    return Words(f"Please look at this now: {reference}", _paragraphs(lines))


def stopped(reference: str, waited: timedelta) -> Words:
    """Tell the operator that a parcel came to its end without arriving, and how to see why."""
    lines = [
        f"We tried for {age(waited)} and have stopped. It has not been taken.",
        f"Run `hub trace {reference}`. The team that sent it has been told.",
        NO_REPLY,
    ]
    return Words(f"Could not be sent: {reference}", _paragraphs(lines))


def heard_copy(reference: str) -> Words:
    """Tell a service that what it said another way was written down, so that it can put it right (R64)."""
    lines = [
        f"Reference {reference}",
        "Thank you for answering. What you said was written down as your answer.",
        "To hear it, or to put it right, ring the team that sent this to you and say the reference.",
        _footer(),
    ]
    return Words(f"We wrote down your answer: {reference}", _paragraphs(lines))


def about_answer(reference: str, said: str) -> Words:
    """Tell a service what its answer lacks and what was held back: fields by their names alone (R21, R35)."""
    lines = [
        f"Reference {reference}",
        said,
        "To answer again, or to ask about this, ring the team that sent it to you. Say the reference.",
        _footer(),
    ]
    return Words(f"About your answer: {reference}", _paragraphs(lines))


def invite(reference: str, until: datetime, link: str) -> Words:
    """Tell a team with no system of its own that something waits for it to read; the code never goes this way (R64)."""
    lines = [
        f"Reference {reference}",
        "Something was sent to your team to read and answer.",
        "Open the link and type your team's code. The code is never sent by email. If you do not know it, ask in your "
        "team.",
        link,
        f"The link works until {moment(until)}. After that, it can send your team a new one.",
        "You may pass this email on to anyone in your team.",
        f"{NAMES_NOBODY}\n{NO_REPLY}",
    ]
    return linked(f"For your team to answer: {reference}", lines, link)


def look_together(reference: str) -> Words:
    """Tell a champion that a worker is not sure if a person could decide today; no `reference`: nothing went (R12)."""
    happened = "A worker in your team is not sure if someone could make a choice today."
    asked = "That part was not sent." if reference else "Nothing was sent."
    lines = [
        *([f"Reference {reference}"] if reference else []),
        f"{happened} {asked} They were asked to ring you.",
        "Look at it together. If nobody has rung you by tomorrow, ask your team who it was.",
        _footer(),
    ]
    return Words(f"Look at it together{f': {reference}' if reference else ''}", _paragraphs(lines))


def ring_in_private(reference: str) -> Words:
    """Ask the senior contact to ring a worker alone; not even this mail says why (R15, R45)."""
    lines = [
        f"Reference {reference}",
        "Sharing was stopped. The worker who wrote that down asks you to ring them.",
        "Ring the team that sent it and say the reference. Ask for that worker, and talk with them alone. "
        "Do not say to anyone else why you ring.",
        _footer(),
    ]
    return Words(f"Please ring a worker in private: {reference}", _paragraphs(lines))


def override_used(reference: str) -> Words:
    """Tell the senior contact at once that something went without a yes, by the partnership's policy (R23)."""
    lines = [
        f"Reference {reference}",
        "Someone may be at risk. Two workers sent something without a yes from the person.",
        "Ring the team that sent it today, and say the reference. Ask what was sent and why, and who rang whom.",
        _footer(),
    ]
    return Words(f"Sent without a yes: {reference}", _paragraphs(lines))


def death(reference: str) -> Words:
    """Tell one person, kindly and once, that somebody the team supported has died (R69)."""
    lines = [
        f"Reference {reference}",
        "We are so sorry. We have been told that the person this is about has died.",
        "We have stopped everything. Nobody will be asked for anything, and nothing more will be sent.",
        "Please look after each other. There is nothing you need to do here.",
        _footer(),
    ]
    return Words(f"We are sorry: {reference}", _paragraphs(lines))


def thanks() -> Words:
    """Thank a team: what it did helped; of whom is said nowhere (R53)."""
    lines = [
        "Thank you. Something that your team did helped someone. Those who support them wanted you to know.",
        "It is counted as a win for your team. You need do nothing.",
        _footer(),
    ]
    return Words("Thank you: this helped", _paragraphs(lines))


def handover(reference: str) -> Words:
    """Tell the sender's champion that a trusted person stops soon, and has something open (R08)."""
    lines = [
        f"Reference {reference}",
        "Someone whom people trust stops soon. This is still open with them, and there may be more.",
        "Your team can see all of it in its own system. Ask them to talk with each person: whom do they trust now? "
        "Then your team writes that down. Nobody else can choose.",
        _footer(),
    ]
    return Words(f"Who is next? {reference}", _paragraphs(lines))


def convene(reference: str) -> Words:
    """Ask the coordinator to bring services together with the person, where a meeting is asked for (R71)."""
    lines = [
        f"Reference {reference}",
        "A team asks for a meeting. Each service was asked to say who will come.",
        "Ring the team that sent it and say the reference. Ask who should come, and where the person feels at ease. "
        "Find a time that suits the person first.",
        _footer(),
    ]
    return Words(f"Please bring people together: {reference}", _paragraphs(lines))


def sent_on(reference: str) -> Words:
    """Tell the sender's champion that somebody is sent on from service to service, and nobody has helped (R33)."""
    lines = [
        f"Reference {reference}",
        "Two teams or more have said that someone else may help. No one has helped yet.",
        "Ring the team that sent it and say the reference. Find out who will help, and who will make the call.",
        _footer(),
    ]
    return Words(f"Sent on again: {reference}", _paragraphs(lines))


def connection_held(since: datetime | None) -> Words:
    """Tell the operator, once, that a connection stopped and everything for it waits; no `since`: it goes on again.

    Which one, and why, the command shows: its id may tell what a service does (R45).
    """
    if since is None:
        return Words(
            "A connection goes on again", _paragraphs(["A connection was held, and goes on. There is nothing to do."])
        )
    lines = [
        f"A connection has been held since {moment(since)}.",
        "What is for it waits, and nothing is lost.",
        "To see which and why: `hub connection ls`. Put it right, and then run `hub connection resume` with its id.",
    ]
    return Words("A connection is held", _paragraphs(lines))


def message_refused() -> Words:
    """Tell the operator, once a day and connection, that what a partner sent could not be read."""
    lines = [
        "A message from a partner could not be read. It is kept.",
        "To see which connection it came by: `hub connection ls`. Then run `hub connection check` with its id.",
        "Once that works, run `hub connection resume` with its id. What was refused is read again.",
    ]
    return Words("A message could not be read", _paragraphs(lines))


#: By topic: the subject, what happened, what to do.
_RINGS: Final = {
    "ring.please_ring_me": (
        "Please ring a team",
        "A team asks you to ring them about someone. Nothing about that person was sent.",
        "Open the link to see which team, and to say that you have this.",
    ),
    "ring.gap": (
        "A team can find no service",
        "A team looked for a service that can act, and there is none here. Nothing about any person was sent.",
        "Open the link to see what they looked for and which team, and to say that you have this.",
    ),
    "ring.safety": (
        "Ring now: someone may be at risk",
        "A team says that someone may be at risk. They were told to ring first. Nothing about that person was sent.",
        "Open the link to see which team, ring them, and say that you have this.",
    ),
    "ring.late": (
        "Nobody has picked this up",
        "A team asked to be rung about someone. Nobody has picked it up in time.",
        "Open the link to see which team, ring them, and say that you have this.",
    ),
}


def ring(topic: str, link: str) -> Words:
    """Ask somebody to ring a team (R09), at once where it is about safety (R48), or say that nobody has (R23)."""
    subject, happened, next_step = _RINGS[topic]
    return linked(subject, [happened, next_step, link, f"{NAMES_NOBODY}\n{NO_REPLY}"], link)


def age(waited: timedelta) -> str:
    """A length of time in the one unit that people would say it in: minutes, hours up to two days, then days."""
    minutes = max(1, int(waited.total_seconds() // 60))
    if minutes < 120:
        return _count(minutes, "minute")
    if minutes < 48 * 60:
        return _count(minutes // 60, "hour")
    return _count(minutes // (24 * 60), "day")


def _footer() -> str:
    """What ends a mail that has no link."""
    return f"{NAMES_NOBODY.replace(' and its link name', ' names')}\n{NO_REPLY}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def linked(subject: str, lines: Sequence[str], link: str) -> Words:
    """Return an email with a link in it; raises `ValueError` for what is no address."""
    if any(character.isspace() for character in link) or not link.startswith(("https://", "http://")):
        raise ValueError("a link is one http or https address")
    return Words(subject, _paragraphs(lines))


def _paragraphs(lines: Sequence[str]) -> str:
    return "\n\n".join(lines) + "\n"
