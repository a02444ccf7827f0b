"""What a follow-up list is asked for, page by page: whose alerts, which of them, and from where it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from hub.domain.alert import AlertKind
from hub.domain.answer import Level
from hub.domain.ladder import Priority, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Shown(StrEnum):
    """Which alerts a list shows: those to act on, those put off, or those that are closed."""

    OPEN = "open"
    SNOOZED = "snoozed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What narrows a list; nothing given is everything that its reader may see.

    `mine` are those that the reader holds, `unclaimed` those of which nobody has said that they have them.
    `organisation` is the partner that sent the share.
    """

    shown: Shown = Shown.OPEN
    mine: bool = False
    unclaimed: bool = False
    organisation: str = ""
    service: str = ""
    level: Level | None = None
    kind: AlertKind | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The last line of a page: the next one starts behind it. Closed alerts have no priority in their order."""

    priority: int
    at: datetime
    alert_id: str

    def __str__(self) -> str:
        """Return it as one word of letters and digits that fits in a URL."""
        return f"{self.priority}.{(self.at - _EPOCH) // timedelta(microseconds=1)}.{self.alert_id}"

    @classmethod
    def read(cls, word: str) -> Place:
        """Read what `str` made; raises `ValueError` for anything else."""
        priority, at, alert_id = word.split(".")
        if len(alert_id) != 32 or not alert_id.isalnum() or not alert_id.isascii():
            raise ValueError("not a place in the list")
        number = int(at)
        if not 0 <= number < 253_402_300_800_000_000:
            raise ValueError("not a place in the list")
        return cls(int(Priority(int(priority))), _EPOCH + timedelta(microseconds=number), alert_id)


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert as a list shows it: ids and codes, no story, person or need (R45)."""

    id: str
    reference: str
    level: Level
    kind: AlertKind
    priority: Priority
    state: str
    due_at: datetime
    raised_at: datetime
    sent_at: datetime
    partner_id: str
    service_id: str
    share_id: str
    delivery_id: str
    delivery_state: str
    answer_state: str
    holder: str
    role: Role
    held_since: datetime
    opened_at: datetime | None
    taken_by: str | None
    taken_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None
    delivery_kind: str = "share"
    made_at: datetime | None = None  #: since when it waits: what follows a share was made later than that was sent
    do_not_tell_yet: bool = False  #: of its newest answer (R21)

    @property
    def place(self) -> Place:
        """Where it stands in its list."""
        if self.closed_at is not None:
            return Place(0, self.closed_at, self.id)
        return Place(int(self.priority), self.due_at, self.id)


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A page of the list, and where the next one starts; None at the end."""

    lines: tuple[AlertLine, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened, as codes: when, what (an audit event's action), who did it, and its coded details."""

    at: datetime
    action: str
    actor: str
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One of the delivery's clocks."""

    level: Level
    due_at: datetime
    state: str
    agreed_by: str
    agreed_on: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert with all that its screen shows: no story (R45).

    `attempt` is how often sending was tried, `reason` a code of how the last try ended; `frame` is sealed under
    `data_key`, and holds how to reach the trusted person (see `hub.services.contact_of`). `withdrawn` is what was
    agreed for this service, or all of the share.
    """

    line: AlertLine
    attempt: int
    reason: str | None
    delivered_at: datetime | None
    clocks: tuple[ClockLine, ...]
    timeline: tuple[TimelineEntry, ...]
    frame: bytes
    data_key: bytes | None
    died: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class DaysOff:
    """One stretch of days on which somebody is away, as London's days (2026-11-20)."""

    person: str
    first: str
    last: str
