"""How to reach the trusted person of a share: their role, and the role's mailbox and telephone, never a name (R45)."""

from __future__ import annotations

from collections.abc import Mapping

from hub.services.pack import place, unpack
from hub.services.ports import Vault


def contact_of(delivery_id: str, frame: bytes, data_key: bytes | None, vault: Vault) -> Mapping[str, str]:
    """Return `role`, `email` and `phone` of a delivery's trusted person; nothing once its story is forgotten."""
    if data_key is None:
        return {}
    opened = unpack(vault.unwrap(data_key).open(frame, place("deliveries", "frame", delivery_id)))
    return dict(opened["trusted_person"]["contact"])
