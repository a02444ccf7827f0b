"""Name a cover: the person says who hears what comes back while theirs is away, or who is next (R07, R08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.alert import AlertKind
from hub.domain.errors import Conflict, Forbidden, HubError, NotFound, Unauthenticated
from hub.domain.trusted_person import LOOK_FIRST
from hub.services.death import DIED
from hub.services.hold_share import HELD, NOT_SAFE
from hub.services.keep_trusted_person import opened
from hub.services.ports import Row, Transaction, Vault, audited
from hub.services.refusals import FORGOTTEN, REPLAYED
from hub.services.remember import OneTime, first_times, keep_used
from hub.services.tell import notice_row
from hub.services.withdraw import NOT_FOUND


@dataclass(frozen=True, slots=True)
class NameCover:
    """What one person said for a share: `cover` (a keyed hash) reads while theirs is away or, if it `stays`, is next.

    `contacts` are who hear where that choice was marked as not safe: the champion, then the senior contact (R04).
    """

    share_id: str
    partner_id: str
    cover: str
    stays: bool
    client_id: str
    author: str
    how: str
    business: datetime
    wall: datetime
    once: OneTime
    contacts: Sequence[str] = ()


def name_cover(tx: Transaction, items: Sequence[NameCover], *, vault: Vault) -> list[HubError | None]:
    """Write each down, and close what champions were told: nobody but the person ever names one (R01)."""
    results: list[HubError | None] = []
    for item, is_first in zip(items, first_times(tx, [item.once for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        keep_used(tx, [item.once])
        results.append(_name(tx, item, vault))
    return results


def _name(tx: Transaction, item: NameCover, vault: Vault) -> HubError | None:
    share = tx.lock_own(item.share_id, item.partner_id)
    if share is None:
        return NotFound(NOT_FOUND)
    if share["died_at"] is not None:
        return Conflict(DIED)
    if share["data_key"] is None:
        return Conflict(FORGOTTEN)
    key = (item.partner_id, item.cover, share["person"])
    if opened(tx.links([key]).get(key), vault).not_safe:
        return _look_first(tx, item)
    if item.stays:
        tx.hand_over(item.share_id, item.cover)
    else:
        tx.set_cover(item.share_id, item.cover)
    ids = [row["id"] for row in tx.deliveries_of_shares([item.share_id])]
    tx.close_alerts_of(ids, [AlertKind.AWAY, *([AlertKind.LEFT] if item.stays else [])], item.business)
    tx.insert("audit_events", [_event(item, share)])
    return None


def _event(item: NameCover, share: Row) -> Row:
    action = "share.handed_over" if item.stays else "share.covered"
    detail = {"from": share["trusted_person"], "to": item.cover, "how": item.how, "author": item.author}
    return audited(item.business, action, f"client:{item.client_id}", item.share_id, None, detail)


def _look_first(tx: Transaction, item: NameCover) -> HubError:
    """The same words as for any share that waits to be looked at (R04)."""
    topics = zip((HELD, NOT_SAFE), item.contacts, strict=False)
    told = [notice_row("email", topic, to, item.wall, share_id=item.share_id) for topic, to in topics]
    tx.insert("notices", told)
    event = audited(item.business, "share.look_first", f"client:{item.client_id}", item.share_id)
    tx.insert("audit_events", [event])
    tx.nudge_notices()
    return Forbidden(LOOK_FIRST)
