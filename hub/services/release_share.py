"""Release a held share: decided anew at this moment, it goes as if it had been sent now; its clocks run on (R04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.errors import Conflict, HubError, Unauthenticated
from hub.domain.route import Directory
from hub.domain.trusted_person import NOT_WAITING
from hub.services.death import DIED
from hub.services.hold_share import HELD, not_safe_notices, share_event
from hub.services.plan import Plan
from hub.services.ports import DataKey, Row, Transaction, Vault
from hub.services.refusals import REPLAYED, AgreementEnded, reused
from hub.services.remember import OneTime, first_times, keep_used
from hub.services.sent_before import sent_before
from hub.services.submit import Acceptance, Kept, changed_link, keep, queue_as_connections_stand, reply_row, seal
from hub.services.supersede import supersede, why_not
from hub.services.who_hears import who_hears


@dataclass(frozen=True, slots=True)
class Release:
    """What a release keeps: where the choice is marked as not safe, only that it was asked for."""

    acceptance: Acceptance


def prepare_release(  # noqa: PLR0913 - as `prepare`, for a share that is there already
    planned: Plan,
    vault: Vault,
    directory: Directory,
    wall: datetime,
    data_key: DataKey,
    idempotency_key: str,
    body_sha256: str,
    receipt: dict[str, Any],
    once: OneTime,
) -> Release:
    """Seal a plan made anew, under the key that its share has already; raises `NothingMayGo` when no service passed."""
    made = seal(planned, vault, wall, data_key, idempotency_key, body_sha256, receipt, once)
    made.rows["notices"] = who_hears(planned, directory, wall)
    if planned.held:
        made.rows["notices"] = not_safe_notices(planned, directory, wall)
        made.rows["audit_events"] = []
    action = HELD if planned.held else "share.released"
    made.rows["audit_events"].insert(0, share_event(action, planned, directory, made.by.author))
    return Release(made)


def release(tx: Transaction, items: Sequence[Release]) -> list[Acceptance | Kept | HubError]:
    """Release each item, under the lock of its consents: a withdrawal that commits first always wins (TH10)."""
    return [_release_one(tx, item.acceptance) for item in items]


def _release_one(tx: Transaction, made: Acceptance) -> Acceptance | Kept | HubError:
    if not first_times(tx, [made.once])[0]:
        return Unauthenticated(REPLAYED)
    to_replace = tx.lock_agreements(list(made.replaced.values()))
    locked = tx.lock_consents(made.plan.ids.record)
    earlier = tx.kept_replies([(made.partner_id, made.key)]).get((made.partner_id, made.key))
    if earlier is not None:
        same = earlier["body"] == made.body
        return Kept(earlier["share_id"], earlier["reply"], earlier["data_key"]) if same else reused()
    if (barred := _barred(tx, made, locked, {row["agreement"] for row in to_replace})) is not None:
        return barred
    keep_used(tx, [made.once])
    if not made.plan.held:
        supersede(tx, to_replace, made.by)
        tx.end_hold(made.plan.ids.share, released=True)
    queue_as_connections_stand(made, tx.held_connections())
    keep(tx, _new(made, {row["id"] for row in locked}) | {"replies": [reply_row(made)]}, [made])
    return made


def _barred(tx: Transaction, made: Acceptance, locked: Sequence[Row], known: set[str]) -> HubError | None:
    """Return why it may not go: they have died (R69), nothing waits, or it was decided by what stands no longer."""
    if any(row["died_at"] is not None for row in locked):
        return Conflict(DIED)
    if not tx.is_held(made.plan.ids.share):
        return Conflict(NOT_WAITING)
    if (changed := changed_link(tx.links([made.link]).get(made.link), made)) is not None:
        return changed
    again = sent_before(made.asked, tx.open_needs(list(made.asked.values())), made.replaced)
    refusals = again | why_not(made.agreed, made.replaced, tx.ended_agreements(list(made.agreed.values())), known)
    return AgreementEnded(refusals) if refusals else None


def _new(made: Acceptance, known: set[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that are not there yet: a consent that was kept while the share waited stands already."""
    rows = dict(made.rows)
    for name, column in (("consents", "id"), ("consent_events", "consent_id"), ("lawful_bases", "consent_id")):
        rows[name] = [row for row in rows[name] if row[column] not in known]
    return rows
