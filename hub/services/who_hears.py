"""Who hears that a share goes, once: who convenes a meeting (R71), and who looks why nobody helps (R33)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from hub.domain.route import Directory
from hub.services.before import SENT_ON
from hub.services.plan import Plan
from hub.services.tell import notice_row

#: The topic of the e-mail that asks somebody to convene.
CONVENE: Final = "share.convene"


def who_hears(planned: Plan, directory: Directory, wall: datetime) -> list[dict[str, Any]]:
    """Return the notices of a share that goes now; while it waits for the champion nobody else hears of it."""
    if planned.held:
        return []
    sent_on = planned.before.champion_hears
    champion = planned.sender.partner.champion.id
    told = [dict(notice_row("email", SENT_ON, champion, wall, share_id=planned.ids.share))] if sent_on else []
    return [*_convening(planned, directory, wall), *told]


def _convening(planned: Plan, directory: Directory, wall: datetime) -> list[dict[str, Any]]:
    """The coordinator is asked to convene, or the sender's champion where there is none."""
    if planned.share.ask != "meet":
        return []
    convener = directory.coordinator or planned.sender.partner.champion
    return [dict(notice_row("email", CONVENE, convener.id, wall, share_id=planned.ids.share))]
