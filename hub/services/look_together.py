"""Look together: a worker is not sure that someone could decide, and their champion hears it, once a share (R12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.domain.consent import NOT_SURE
from hub.services.plan import Plan
from hub.services.ports import Transaction, Vault
from hub.services.tell import LOOK_TOGETHER, notice_row

#: Sent again with something put right, it is the same share still.
_ONCE_WITHIN: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Unsure:
    """Whose champion to tell, by id, of the share that `token`, a keyed hash of its sender's reference, stands for."""

    champion: str
    token: str
    wall: datetime


def unsure(planned: Plan, vault: Vault, wall: datetime) -> Unsure | None:
    """Return whom to tell; None where nobody doubted that they could decide."""
    if not any(refusal.type == NOT_SURE.type for verdict in planned.refused for refusal in verdict.refusals):
        return None
    partner = planned.sender.partner
    return Unsure(partner.champion.id, vault.digest("look-together", f"{partner.id}|{planned.share.reference}"), wall)


def tell_champion(tx: Transaction, item: Unsure, share_id: str | None) -> None:
    """Tell the champion, unless they were told of this share before; `share_id` only where something of it is kept."""
    if not tx.first_of_late(LOOK_TOGETHER, item.token, item.wall, item.wall + _ONCE_WITHIN):
        return
    tx.insert("notices", [notice_row("email", LOOK_TOGETHER, item.champion, item.wall, share_id=share_id)])
    tx.nudge_notices()
