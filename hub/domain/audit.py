"""The audit log's own form: canonical bytes, the hash chain over them, and the checkpoints that are signed (TH13).

What a third party needs to check a log without this code:

- Canonical JSON: keys sorted by code point, no white space, UTF-8 with only what JSON demands escaped, no floats.
- Instants are ISO 8601 in UTC with microseconds: `2026-11-20T15:00:00.000000+00:00`.
- An event is `{action, actor, at, delivery, detail, kept_at, position, share}`; positions are 1, 2, 3 … without a gap.
- hash(0) = SHA-256("trusted-person-hub audit chain 1\\n" + chain id in ASCII), and
  hash(n) = SHA-256("trusted-person-hub audit event 1\\n" + hash(n-1) as 32 bytes + canonical event n); shown in hex.
- A checkpoint is `{after, at, chain, hash, kid, position, signature}`: `hash` is hash(position), `after` the position
  of the checkpoint before it. Its signature is Ed25519 over "trusted-person-hub audit checkpoint 1\\n" + its canonical
  JSON without `signature`, in base64url without padding; `kid` names a key of the hub's `/.well-known/jwks.json`.

Whoever keeps one checkpoint knows every event up to its position: a log that was changed, cut or begun anew before it
can never again be made to agree with it, whoever holds the key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

#: An event that has waited so long for its place in the chain stops all sending: no audit, no send.
LATE: Final = timedelta(seconds=60)

_CHAIN: Final = b"trusted-person-hub audit chain 1\n"
_EVENT: Final = b"trusted-person-hub audit event 1\n"
_CHECKPOINT: Final = b"trusted-person-hub audit checkpoint 1\n"
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one way in which a document is written down."""
    return _encode(document).encode("utf-8", "surrogatepass")


def instant(at: datetime) -> str:
    """Return a UTC instant as it is written down."""
    return at.isoformat(timespec="microseconds")


def event(row: Mapping[str, Any], position: int) -> dict[str, Any]:
    """Return what is hashed of an audit event: all that is kept of it, and its place."""
    return {
        "action": row["action"],
        "actor": row["actor"],
        "at": instant(row["at"]),
        "delivery": row["delivery_id"],
        "detail": row["detail"],
        "kept_at": instant(row["kept_at"]),
        "position": position,
        "share": row["share_id"],
    }


def beginning(chain: str) -> bytes:
    """Return the hash that a chain begins with, before its first event."""
    return hashlib.sha256(_CHAIN + chain.encode("ascii", "backslashreplace")).digest()


def link(before: bytes, written: bytes) -> bytes:
    """Return the hash after one more event, from its canonical bytes."""
    return hashlib.sha256(_EVENT + before + written).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the hub signs: that the chain had this hash at this position; `after` is the checkpoint before it."""

    after: int
    at: str
    chain: str
    hash: str
    kid: str
    position: int
    signature: str = ""

    def signed_bytes(self) -> bytes:
        """Return the bytes that its signature is over."""
        return _CHECKPOINT + canonical({name: value for name, value in asdict(self).items() if name != "signature"})

    def document(self) -> dict[str, Any]:
        """Return it as it is shown, kept and exported."""
        return asdict(self)


def read_checkpoint(document: object) -> Checkpoint | None:
    """Return a checkpoint from its document, or from a receipt that holds one; None for anything else."""
    if isinstance(document, dict) and isinstance(document.get("checkpoint"), dict):
        document = document["checkpoint"]
    if not isinstance(document, dict) or set(document) != set(Checkpoint.__slots__):
        return None
    numbers = all(type(document[name]) is int and document[name] >= 0 for name in ("after", "position"))
    texts = all(isinstance(document[name], str) for name in ("at", "chain", "hash", "kid", "signature"))
    return Checkpoint(**document) if numbers and texts else None
