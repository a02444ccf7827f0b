"""Remind of held shares: one that nobody has looked at in a day is said again, to its champion and to the operator."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.services.hold_share import HELD
from hub.services.ports import Transaction, audited
from hub.services.tell import OPERATOR, champion_of, notice_row

STILL_HELD = "share.still_held"
#: How long a champion has before it is said again [P]: they were asked to look on the same day (R04).
_LOOKED_AT_WITHIN = timedelta(days=1)
#: By then the story is forgotten, whatever became of it.
_REMEMBERED = timedelta(days=100)


def remind_held(tx: Transaction, business: datetime, wall: datetime, limit: int) -> int:
    """Say once more of each share that still waits that it does; returns of how many it was said."""
    waiting = tx.held_since(business - _LOOKED_AT_WITHIN, limit)
    known = tx.known_tokens([(HELD, row["id"]) for row in waiting])
    late = [row for row in waiting if (HELD, row["id"]) not in known]
    if not late:
        return 0
    for row in late:
        tx.first_of_late(HELD, row["id"], wall, wall + _REMEMBERED)
        told = ((HELD, champion_of(row["partner_id"])), (STILL_HELD, OPERATOR))
        tx.insert("notices", [notice_row("email", topic, to, wall, share_id=row["id"]) for topic, to in told])
    tx.insert("audit_events", [audited(business, "hold.reminded", "hub:sweep", row["id"]) for row in late])
    tx.nudge_notices()
    return len(late)
