"""What waits to be told and to be read: the states of notices and of the inbox."""

from __future__ import annotations

from enum import StrEnum


class NoticeState(StrEnum):
    """A notice's life: the same shape as a delivery's, but it never carries a story."""

    QUEUED = "queued"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    DEAD_LETTERED = "dead_lettered"
    CANCELLED = "cancelled"


class InboxState(StrEnum):
    """A message from a partner: kept before it is understood, and kept when it cannot be."""

    PENDING = "pending"
    READ = "read"
    REFUSED = "refused"
