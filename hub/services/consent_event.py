"""A consent event: what became of a consent, when, through which client and, as a keyed hash, by whom (R12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.domain.consent import ConsentState


def consent_event(
    consent_id: str, state: ConsentState, at: datetime, client_id: str, author: str = ""
) -> dict[str, Any]:
    """Return one event's row, `at` in business time; `author` is empty where no person did it."""
    return {"consent_id": consent_id, "state": state, "at": at, "client_id": client_id, "author": author}
