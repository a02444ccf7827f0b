"""What earlier shares say of a new one, read before it is decided: where it was sent on from, and its plan's age."""

from __future__ import annotations

from dataclasses import replace

from hub.bootstrap import Hub
from hub.domain.errors import HubError
from hub.domain.share import Plan, Share
from hub.services.before import NOTHING_BEFORE, Before, is_stale, plan_key, redirect_of
from hub.services.keep_trusted_person import link_key_of
from hub.store.read_before import plan_versions, read_redirect


async def what_was_before(hub: Hub, share: Share, partner_id: str) -> Before:
    """Return what earlier shares say of this one; raises where nobody sent it on, or too many did (R33)."""
    before = NOTHING_BEFORE
    if share.redirected_from is not None:
        row = await hub.read(read_redirect, share.redirected_from, partner_id)
        found = redirect_of(row, link_key_of(hub.vault, partner_id, share)[2], hub.directory.most_redirects)
        if isinstance(found, HubError):
            raise found
        before = found
    return replace(before, plan_stale=await plan_is_old(hub, partner_id, share.plan))


async def plan_is_old(hub: Hub, partner_id: str, named: Plan | None) -> bool:
    """Tell whether a partner has named a newer version of a person's plan (R20)."""
    if named is None:
        return False
    key, version = plan_key(hub.vault, partner_id, named)
    return is_stale(version, await hub.read(plan_versions, partner_id, key))
