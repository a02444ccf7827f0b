"""Legal hold: a share that a court or a regulator may ask for is kept, by a named privacy officer and for a reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.domain.errors import Conflict, Forbidden, HubError, Malformed, NotFound, Refusal
from hub.services.ports import Row, Transaction, audited

#: Why a story may be kept longer; free text would be a place for somebody's life, so there is none.
REASONS = (
    *("access-request", "complaint", "court-order", "inquest", "legal-claim", "police-request"),
    *("regulator-request", "safeguarding-review"),
)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """Place a hold on one share, or lift it where `reason` is None; `officer` is a privacy officer's id."""

    share_id: str
    officer: str
    reason: str | None
    business: datetime


NO_OFFICER = Refusal(
    type="not-a-privacy-officer",
    title="Only a privacy officer may place a legal hold, or lift it.",
    next_step="Give the id of one from [[privacy_officers]] in the partnership's file.",
    origin="hub",
)
NO_REASON = Refusal(
    type="legal-hold-reason",
    title="A legal hold needs one of the known reasons.",
    next_step=f"Give one of: {', '.join(REASONS)}. Write no more than that here.",
    origin="hub",
)
UNKNOWN = Refusal(
    type="not-found",
    title="There is no share by that name.",
    next_step="Give the reference that the sender was given, such as K7M-4QX.",
    origin="hub",
)
FORGOTTEN_ALREADY = Refusal(
    type="share-forgotten",
    title="This share was forgotten already. There is nothing left to keep.",
    next_step="Run `hub trace` with its reference: it shows what stays of it.",
    origin="hub",
)
HELD_ALREADY = Refusal(
    type="legal-hold-placed",
    title="This share is under a legal hold already, and nothing was changed.",
    next_step="Run `hub legal-hold ls` to see who placed it, and why.",
    origin="hub",
)
NOT_HELD = Refusal(
    type="legal-hold-missing",
    title="This share is under no legal hold, and nothing was changed.",
    next_step="Run `hub legal-hold ls` to see which shares are.",
    origin="hub",
)


def set_legal_hold(tx: Transaction, items: Sequence[LegalHold], *, officers: Collection[str]) -> list[HubError | None]:
    """Place holds and lift them; returns why nothing was done, or None. A held share is never forgotten (R59).

    It goes on as any other: a withdrawal still stops it.
    """
    return [_set(tx, item, officers) for item in items]


def _set(tx: Transaction, item: LegalHold, officers: Collection[str]) -> HubError | None:
    if item.officer not in officers:
        return Forbidden(NO_OFFICER)
    if item.reason is not None and item.reason not in REASONS:
        return Malformed(NO_REASON)
    row = tx.lock_share(item.share_id)
    refused = _refusal(row, item)
    if refused is not None:
        return refused
    actor, action = f"officer:{item.officer}", "legal_hold.lifted"
    if item.reason is None:
        tx.set_legal_hold(item.share_id, None, None, None)
    else:
        action = "legal_hold.placed"
        tx.set_legal_hold(item.share_id, item.business, item.officer, item.reason)
    detail = {"reason": item.reason} if item.reason else {}
    tx.insert("audit_events", [audited(item.business, action, actor, item.share_id, None, detail)])
    return None


def _refusal(row: Row | None, item: LegalHold) -> HubError | None:
    if row is None:
        return NotFound(UNKNOWN)
    is_held = row["legal_hold_since"] is not None
    if item.reason is None:
        return None if is_held else Conflict(NOT_HELD)
    if row["is_forgotten"]:
        return Conflict(FORGOTTEN_ALREADY)
    return Conflict(HELD_ALREADY) if is_held else None
