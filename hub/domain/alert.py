"""When silence becomes an alert, what it is called, and who is told of it (R43, R44)."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from hub.domain.answer import Level
from hub.domain.delivery import DeliveryState

Who = TypeVar("Who")


class AlertState(StrEnum):
    """An alert is open until someone takes it or the service answers."""

    OPEN = "open"
    CLOSED = "closed"


class AlertKind(StrEnum):
    """Two different silences: it never arrived, or it arrived and nobody said anything; and what needs a hand.

    `early` is a heads-up before anything is late (R49); `signposted` a service that said where else to go (R34).
    `uncollected` is an answer that nobody has fetched, `away` and `left` one whose trusted person is (R07, R08).
    """

    UNDELIVERED = "undelivered"
    UNANSWERED = "unanswered"
    EARLY = "early"
    SIGNPOSTED = "signposted"
    UNCOLLECTED = "uncollected"
    AWAY = "away"
    LEFT = "left"


#: Nothing more will arrive at these: what had to be said of a dead letter was said when it died.
_OVER = frozenset({DeliveryState.CANCELLED, DeliveryState.DEAD_LETTERED})


def kind_of(level: Level) -> AlertKind:
    """Return the kind of alert that the clock of this rung raises: L1 is about arriving, all above about answering."""
    return AlertKind.UNDELIVERED if level <= Level.L1 else AlertKind.UNANSWERED


def should_raise(reached: Level, clock_level: Level, state: DeliveryState) -> AlertKind | None:
    """Return the alert to raise now that the clock of `clock_level` is due; None when there is nothing to say.

    What has not arrived is never called unanswered, whichever clock runs out. A cancelled delivery is owed nothing; a
    dead letter raises the alert about arriving and no later one.
    """
    if clock_level <= reached or state is DeliveryState.CANCELLED:
        return None
    if clock_level > Level.L1 and state in _OVER and reached is Level.L0:
        return None
    arrived = reached > Level.L0 or state is DeliveryState.DELIVERED
    if clock_level <= Level.L1 and arrived:
        return None
    return AlertKind.UNANSWERED if arrived else AlertKind.UNDELIVERED


_TITLES = {
    Level.L2: "Delivered, but nobody has opened it",
    Level.L3: "Delivered, but nobody has answered",
    Level.L4: "Answered, but nobody has said how it ended",
}


def title(kind: AlertKind, clock_level: Level) -> str:
    """Return the alert's title: no name, need, service or place (R45)."""
    if kind is AlertKind.UNDELIVERED:
        return "Could not be delivered"
    return _TITLES[max(clock_level, Level.L2)]


def recipients(  # noqa: PLR0913 - one name for each who may be told
    kind: AlertKind,
    level: Level | None = None,
    *,
    sender_champion: Who | None,
    receiver_champion: Who | None,
    operator: Who,
    author: Who | None = None,
    late: bool = False,
    about: Who | None = None,
) -> tuple[Who, ...]:
    """Return who is told, the one who leads first, each once.

    Undelivered: the operator at once; once it is `late` (`undelivered_notice_at`, a dead letter, or a rung above L1)
    also the sending side: champion and author. Unanswered: the sending organisation's champion, who leads, and the
    receiver's. `about` is the one whose answer is missing: nobody is alerted about themselves (R44), and an alert that
    would then reach nobody goes to the operator (R50: no orphans).
    """
    if kind is AlertKind.UNANSWERED:
        chosen = [sender_champion, receiver_champion]
    elif late or (level is not None and level > Level.L1):
        chosen = [operator, sender_champion, author]
    else:
        chosen = [operator]
    told = tuple(dict.fromkeys(who for who in chosen if who is not None and who != about))
    return told or (operator,)
