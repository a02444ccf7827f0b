"""When a mail server says no for good: its reader counts as away, what they hold passes on, the operator hears once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.services.ports import Row, Transaction, audited
from hub.services.tell import INVITE, LOOK_TOGETHER, OPERATOR, RING_IN_PRIVATE, UNREADABLE, notice_row

#: What a mail server says for good: of a reader, or of what was to be told them.
REFUSED: Final = frozenset({"recipient-refused", "message-refused", "address-unsupported"})
#: How long nothing is handed to somebody whose mail is refused; then it is tried once more [P].
FOR: Final = timedelta(days=1)
#: Somebody waits to be rung, or for a link: as with an alert, it must not end in silence.
MUST_REACH: Final = frozenset({INVITE, LOOK_TOGETHER, RING_IN_PRIVATE})


def note_mail(tx: Transaction, notice: Row, state: str, reason: str | None, at: datetime) -> list[Row]:
    """Note whether one reader's mail is taken or refused; returns what the operator is told of it, once a reader."""
    reader = notice["recipient"]
    if notice["channel"] != "email" or reader == OPERATOR or ":" in reader:
        return []
    since = tx.refused_since(reader)
    if state == "sent" and since is not None:
        tx.change_reader(reader, refused_since=None)
    if state != "dead_lettered" or reason not in REFUSED or since is not None:
        return []
    tx.change_reader(reader, refused_since=at)
    tx.insert("audit_events", [audited(at, UNREADABLE, "hub:notifier", detail={"reader": reader, "reason": reason})])
    return [notice_row("email", UNREADABLE, OPERATOR, at)]


def passes_on(notice: Row, reason: str | None) -> bool:
    """Tell whether an alert whose mail is refused goes to the next, so that the operator need not hear of it."""
    return reason in REFUSED and notice["topic"] not in MUST_REACH and ":" not in notice["recipient"]


def try_again(tx: Transaction, wall: datetime) -> None:
    """Hand alerts again to those whose mail has been refused for long enough."""
    tx.forget_refused(wall - FOR)
