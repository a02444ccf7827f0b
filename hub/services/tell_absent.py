"""Tell of absences: a champion hears where nobody is there for a person; a handover is offered in time (R07, R08)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.domain.absence import Absence, offered_from
from hub.domain.alert import AlertKind
from hub.domain.answer import Level
from hub.domain.calendar import london_date
from hub.services.keep_absence import close_told
from hub.services.ports import Row, Transaction, audited
from hub.services.raise_alerts import Cause, Hands, raise_alerts
from hub.services.tell import notice_row

#: The topic of what a case system hears of each open share, and the sender's champion once.
HANDOVER: Final = "share.handover"


def tell_absent(tx: Transaction, who: Hands, wall: datetime, limit: int) -> int:
    """Look at who is away or leaves; returns of how many shares somebody was told.

    One alert a share: the delivery that was made first bears it. What comes back waits, and goes to nobody else (R07).
    """
    today = london_date(who.now).isoformat()
    for row in tx.past_absences(today, limit):
        tx.drop_absence(row["partner_id"], row["trusted_person"], row["person"], row["kind"])
        close_told(tx, row, who.now)
    rows = list({row["share_id"]: row for row in reversed(tx.of_absent(today, limit))}.values())
    raise_alerts(tx, [_cause(row, who.now) for row in rows], who, wall)
    return len(rows) + _offer(tx, who, wall, limit)


def _cause(row: Row, now: datetime) -> Cause:
    kind = AlertKind.LEFT if row["kind"] == Absence.LEFT else AlertKind.AWAY
    return Cause(row, Level.L4, kind, now)


def _offer(tx: Transaction, who: Hands, wall: datetime, limit: int) -> int:
    """Offer the open shares of whoever leaves soon: to the case system each, to the champion one word (R08)."""
    told = 0
    for row in tx.leaving(offered_from(who.now, who.calendar).isoformat(), limit):
        shares = tx.open_shares_of(row)
        tx.mark_offered(row, who.now)
        if not shares:
            continue
        notices = [notice_row("webhook", HANDOVER, each["client_id"], wall, share_id=each["id"]) for each in shares]
        step, _ = who.first(row["partner_id"], "", urgent=False)
        notices.append(notice_row("email", HANDOVER, step.person.id, wall, share_id=shares[0]["id"]))
        tx.insert("notices", notices)
        events = [audited(who.now, "share.handover_offered", "hub:clock", each["id"]) for each in shares]
        tx.insert("audit_events", events)
        tx.nudge_notices()
        told += len(shares)
    return told
