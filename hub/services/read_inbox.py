"""Read the inbox: take a connection's unread messages, and settle those that could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.services.pack import pack, place, unpack
from hub.services.ports import DataKey, Transaction, audited
from hub.services.tell import notice_row

#: The connector read it and it is not meant for this hub: another try would say the same.
_NOT_THEIRS = "not-theirs"
#: An answer may overtake the reply that says what the partner calls the delivery.
UNKNOWN_DELIVERY = "unknown-delivery"
#: So often what answers an unknown delivery is read; so often anything is tried before the operator is told.
_TRIES = 8
#: The first wait; each is four times the one before, and none is longer than the longest.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=1)
_LONGER_EVERY = 8
#: Whatever else is wrong is likely to be mended: a message is tried for so long after it came.
_PATIENCE = timedelta(days=30)
_TOLD_EVERY = timedelta(days=1)


def pack_message(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a message as it is sealed: the headers a connector may need, then the body byte for byte."""
    head = pack(dict(headers))
    return len(head).to_bytes(4) + head + body


@dataclass(frozen=True, slots=True)
class ReadInbox:
    """Take at most `limit` unread messages of a connection, under a lease."""

    connection_id: str
    limit: int
    wall: datetime
    lease: timedelta


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that could not be read, and when to look again; None for never."""

    id: str
    connection_id: str
    reason: str
    again: datetime | None
    at: datetime
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Unread:
    """One unread message, still sealed."""

    id: str
    connection_id: str
    attempt: int
    data_key: bytes
    message: bytes
    received: datetime

    def open(self, data_key: DataKey) -> tuple[dict[str, str], bytes]:
        """Return the message's headers and body."""
        plain = data_key.open(self.message, place("inbox", "message", self.id))
        size = int.from_bytes(plain[:4])
        return unpack(plain[4 : 4 + size]), plain[4 + size :]

    def failed(self, code: str, wall: datetime) -> Unreadable:
        """Return what to settle when the host could not read it."""
        again = look_again(code, self.attempt, self.received, wall)
        return Unreadable(self.id, self.connection_id, code, again, wall, self.attempt)


def look_again(code: str, attempt: int, received: datetime, wall: datetime) -> datetime | None:
    """Return when to read a message again that could not be read at this attempt, counted from 1; None for never."""
    if code == _NOT_THEIRS or (code == UNKNOWN_DELIVERY and attempt >= _TRIES):
        return None
    wait = min(_FIRST_WAIT * 4 ** min(attempt - 1, _LONGER_EVERY), _LONGEST_WAIT)
    return wall + wait if wall + wait <= received + _PATIENCE else None


def read_inbox(tx: Transaction, items: Sequence[ReadInbox]) -> list[list[Unread]]:
    """Take unread messages for each item, oldest first."""
    return [
        [
            Unread(
                row["id"],
                row["connection_id"],
                row["attempt"] + 1,
                row["data_key"],
                row["message"],
                row["received_at"],
            )
            for row in tx.claim_inbox(item.connection_id, item.limit, item.wall, item.wall + item.lease)
        ]
        for item in items
    ]


def give_up_reading(tx: Transaction, items: Sequence[Unreadable]) -> list[None]:
    """Keep unreadable messages, refused and visible, or due again; none is thrown away (R35).

    The operator is told of a connection's refused messages, and of those tried often in vain, once a day.
    """
    tx.update_inbox(
        [
            {
                "id": item.id,
                "state": "refused" if item.again is None else "pending",
                "reason": item.reason,
                "due_at": item.again or item.at,
                "share_id": None,
            }
            for item in items
        ]
    )
    tx.insert(
        "audit_events",
        [
            audited(item.at, "message.unreadable", f"connection:{item.connection_id}", detail={"reason": item.reason})
            for item in items
        ],
    )
    for item in items:
        if item.again is None or item.attempt >= _TRIES:
            tell_operator(tx, item.connection_id, item.at)
    return [None for _ in items]


@dataclass(frozen=True, slots=True)
class Looked:
    """A message that only said that something changed at the partner, which has been looked at since."""

    id: str
    wall: datetime


def looked(tx: Transaction, items: Sequence[Looked]) -> list[None]:
    """Settle messages that were read by looking: they belong to no share, and hold nothing."""
    tx.update_inbox(
        [{"id": item.id, "state": "read", "reason": None, "due_at": item.wall, "share_id": None} for item in items]
    )
    tx.forget_messages([item.id for item in items])
    return [None for _ in items]


def tell_operator(tx: Transaction, connection_id: str, wall: datetime) -> None:
    """Tell the operator, once a day and connection, that a message could not be read; nobody else could mend it."""
    if tx.first_of_late("refused", connection_id, wall, wall + _TOLD_EVERY):
        tx.insert("notices", [notice_row("email", "message_refused", "operator", wall, connection_id=connection_id)])
        tx.nudge_notices()
