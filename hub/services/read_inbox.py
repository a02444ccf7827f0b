"""Read the inbox: take a connection's unread messages, and settle those that could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.services.pack import pack, place, unpack
from hub.services.ports import DataKey, Transaction, audited

#: A host that died may live again; a message that the connector refuses will be refused again.
_FINAL = frozenset({"not-theirs", "connector-error"})
_TRIES = 8
#: The first wait; each is four times the one before, so that the last try comes about three hours after the first.
_FIRST_WAIT = timedelta(seconds=2)


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


@dataclass(frozen=True, slots=True)
class Unread:
    """One unread message, still sealed."""

    id: str
    connection_id: str
    attempt: int
    data_key: bytes
    message: bytes

    def open(self, data_key: DataKey) -> tuple[dict[str, str], bytes]:
        """Return the message's headers and body."""
        plain = data_key.open(self.message, place("inbox", "message", self.id))
        size = int.from_bytes(plain[:4])
        return unpack(plain[4 : 4 + size]), plain[4 + size :]

    def failed(self, code: str, wall: datetime) -> Unreadable:
        """Return what to settle when the host could not read it."""
        over = code in _FINAL or self.attempt >= _TRIES
        again = wall + _FIRST_WAIT * 4 ** (self.attempt - 1)
        return Unreadable(self.id, self.connection_id, code, None if over else again, wall)


def read_inbox(tx: Transaction, items: Sequence[ReadInbox]) -> list[list[Unread]]:
    """Take unread messages for each item, oldest first."""
    return [
        [
            Unread(row["id"], row["connection_id"], row["attempt"] + 1, row["data_key"], row["message"])
            for row in tx.claim_inbox(item.connection_id, item.limit, item.wall, item.wall + item.lease)
        ]
        for item in items
    ]


def give_up_reading(tx: Transaction, items: Sequence[Unreadable]) -> list[None]:
    """Keep unreadable messages, refused and visible, or due again; none is thrown away (R35)."""
    tx.update_inbox(
        [
            {
                "id": item.id,
                "state": "refused" if item.again is None else "pending",
                "reason": item.reason,
                "due_at": item.again or item.at,
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
    return [None for _ in items]
