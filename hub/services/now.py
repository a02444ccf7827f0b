"""Now: wall time drives leases and tokens, business time clocks and consent; only the demo's profile parts them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Now(Protocol):
    """Where the time comes from; handed to everything that needs it."""

    def wall(self) -> datetime:
        """The machine's time, UTC."""

    def business(self) -> datetime:
        """The time that working days are counted in, UTC."""


class SystemNow:
    """Both times are the machine's, until the demo moves business time ahead."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def wall(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)

    def business(self) -> datetime:
        """Return the machine's time, moved by the offset."""
        return datetime.now(UTC) + self.offset

    def move_to(self, instant: datetime) -> None:
        """Let business time be `instant` now; raises `ValueError` when that would turn it back."""
        if instant < self.business():
            raise ValueError("business time only moves forward")
        self.offset = instant - self.wall()
