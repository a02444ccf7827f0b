"""Sent before: the same need of a person, for the same service, through the same trusted person, is sent once (R32)."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.errors import Refusal
from hub.domain.share import Share
from hub.services.keep_trusted_person import LinkKey
from hub.services.ports import Vault


def needs(vault: Vault, link: LinkKey, share: Share) -> dict[str, str]:
    """Return for each service the keyed hash of what is asked of it, for whom, and through whom.

    Another trusted person or partner, and another person or purpose, make another one: people are never matched.
    """
    return {
        each.service: vault.digest("need", "|".join((*link, each.service, each.purpose))) for each in share.consents
    }


def sent_before(
    asked: Mapping[str, str], standing: Mapping[str, str], replaced: Mapping[str, str]
) -> dict[str, Refusal]:
    """Return why services get nothing again: their need is `standing` in an open share, whose id that says.

    What replaces an earlier agreement takes the place of what was sent under it, and goes.
    """
    return {
        service_id: _already_sent(standing[need])
        for service_id, need in asked.items()
        if need in standing and service_id not in replaced
    }


def _already_sent(share_id: str) -> Refusal:
    link = f"/v1/shares/{share_id}"
    return Refusal(
        "already-sent",
        "You have sent them this before, and it is still open.",
        "Read the share at the link to see where it is. If there is more to say, add it to that share.",
        link=link,
    )
