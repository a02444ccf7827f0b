"""Hold a share: it stays sealed, with no delivery and no clock, until a champion has looked at it too (R04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.route import Directory
from hub.services.pack import pack, place, unpack
from hub.services.plan import Ids, Plan
from hub.services.ports import DataKey, Vault, attested, audited
from hub.services.tell import notice_row

#: What every sender of a held share reads, whatever the cause: nothing in it may tell a choice that was marked as not
#: safe from a statement that is missing (R04, TH01).
HELD_WORDS = "Your champion will look at this with you first. Nothing has gone yet."

HELD = "share.held"
#: Its name says no more than that, for whatever is in a notice's row may be read by many.
NOT_SAFE = "share.look_now"


def held_rows(planned: Plan, data_key: DataKey, directory: Directory, wall: datetime, raw: bytes) -> dict[str, Any]:
    """Return the rows that keep a share waiting: what was sent (`raw`, the request's body), and who is told at once."""
    share_id = planned.ids.share
    body = {"seed": planned.ids.seed, "sent": raw.decode()}
    champion = planned.sender.partner.champion.id
    return {
        "held_shares": [
            {"share_id": share_id, "body": data_key.seal(pack(body), place("held_shares", "body", share_id))}
        ],
        "notices": [
            notice_row("email", HELD, champion, wall, share_id=share_id),
            *not_safe_notices(planned, directory, wall),
        ],
    }


def not_safe_notices(planned: Plan, directory: Directory, wall: datetime) -> list[dict[str, Any]]:
    """Return who else is told when a choice that was marked as not safe is used: the safeguarding contact (R04)."""
    if not planned.link.not_safe or directory.safeguarding is None:
        return []
    contact = directory.safeguarding.contact.id
    return [dict(notice_row("email", NOT_SAFE, contact, wall, share_id=planned.ids.share))]


def share_event(action: str, planned: Plan, directory: Directory, author: str) -> dict[str, Any]:
    """Return the audit event of what was decided of a whole share, by whom; of one that waits it does not say why."""
    sender = planned.sender
    detail = {"config": directory.digest[:12], **attested(sender.partner.id, author, sender.role)}
    return audited(planned.decided_at, action, f"client:{sender.client_id}", planned.ids.share, None, detail)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A held share opened: its ids, when and by which client it was sent, and the body as it was sent."""

    ids: Ids
    sent_at: datetime
    client_id: str
    data_key: DataKey
    raw: bytes


def opened_hold(row: Mapping[str, Any], vault: Vault) -> Waiting:
    """Open what `held_rows` kept, from the share's row with `body` and `record_id` beside it."""
    data_key = vault.unwrap(row["data_key"])
    kept = unpack(data_key.open(row["body"], place("held_shares", "body", row["id"])))
    ids = Ids(row["id"], row["record_id"], row["reference"], bytes.fromhex(kept["seed"]))
    return Waiting(ids, row["sent_at"], row["client_id"], data_key, kept["sent"].encode())
