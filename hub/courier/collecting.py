"""What was fetched at a partner, on its way through the inbox: kept before it counts, like any message that came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import TypeAdapter

from hub.sdk.connector import Inbound
from hub.services.ports import Vault
from hub.services.read_inbox import pack_message
from hub.services.receive import Message

#: Marks a message that the connector has read already. No partner can write it: what the hub keeps of a request's
#: headers is named one by one, and this is none of them.
_COLLECTED = ":collected"
_INBOUND: TypeAdapter[Inbound] = TypeAdapter(Inbound)


def kept(connection_id: str, inbound: Inbound, vault: Vault, wall: datetime) -> Message:
    """Return a collected message as the inbox keeps it; the partner's own name for it makes it one, however often."""
    message_id = vault.digest("message", f"{connection_id}|{inbound.message_id}")
    return Message(connection_id, message_id, pack_message({_COLLECTED: "1"}, _INBOUND.dump_json(inbound)), (), wall)


def read_already(headers: Mapping[str, str], body: bytes) -> Inbound | None:
    """Return a collected message out of the inbox; None for one that the host has yet to read."""
    return _INBOUND.validate_json(body) if _COLLECTED in headers else None
