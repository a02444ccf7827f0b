"""Who hears that a share goes, once: who convenes it (R71), who looks why nobody helps (R33), whose it is (R47)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from hub.domain.route import Directory
from hub.services.before import SENT_ON
from hub.services.plan import Plan
from hub.services.tell import notice_row

#: The topic of the e-mail that asks somebody to convene.
CONVENE: Final = "share.convene"
#: The topic of the webhook that tells a trusted person's own system that their champion has sent something for them.
SENT_FOR_YOU: Final = "share.sent_by_champion"
#: The role that a partner attests of a worker who follows up.
_CHAMPION: Final = "champion"


def who_hears(planned: Plan, directory: Directory, wall: datetime) -> list[dict[str, Any]]:
    """Return the notices of a share that goes now; while it waits for the champion nobody else hears of it."""
    if planned.held:
        return []
    sent_on = planned.before.champion_hears
    champion = planned.sender.partner.champion.id
    told = [dict(notice_row("email", SENT_ON, champion, wall, share_id=planned.ids.share))] if sent_on else []
    return [*_convening(planned, directory, wall), *told, *_for_another(planned, wall)]


def _for_another(planned: Plan, wall: datetime) -> list[dict[str, Any]]:
    """What a champion sends, because the trusted person cannot, is told to the trusted person's system (R47)."""
    sender = planned.sender
    if sender.role.casefold() != _CHAMPION:
        return []
    return [dict(notice_row("webhook", SENT_FOR_YOU, sender.client_id, wall, share_id=planned.ids.share))]


def _convening(planned: Plan, directory: Directory, wall: datetime) -> list[dict[str, Any]]:
    """The coordinator is asked to convene, or the sender's champion where there is none."""
    if planned.share.ask != "meet":
        return []
    convener = directory.coordinator or planned.sender.partner.champion
    return [dict(notice_row("email", CONVENE, convener.id, wall, share_id=planned.ids.share))]
