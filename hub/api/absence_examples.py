"""Example replies of what is said of trusted people who are away or leave, for /openapi.json."""

from __future__ import annotations

from typing import Any, Final

from hub.api.examples import SHARES

AWAY: Final[dict[str, Any]] = {
    "trusted_person": "tp-77",
    "words": "We have kept this. Their open shares go to nobody else.",
}
BACK: Final[dict[str, Any]] = AWAY | {"words": "We have kept this. What waited for them can be read again."}
STAYS: Final[dict[str, Any]] = AWAY | {"words": "We have kept this. They stay."}
HANDOVER: Final[dict[str, Any]] = {
    "trusted_person": "tp-77",
    "last_day": "2026-12-18",
    "words": "Ask each person whom they trust now. Write that down for their share, with lasts: from_now_on.",
    "shares": SHARES["shares"],
}
COVER: Final[dict[str, Any]] = {
    "share": "7e3c771a8b9f4898a291abc59e680f8d",
    "trusted_person": "tp-78",
    "lasts": "from_now_on",
}
