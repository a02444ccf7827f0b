"""Approvals of services' entries on disk: one small file a service, signed with the hub's Ed25519 key (TH20)."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from hub.domain.entry import Approval, Seen
from hub.security.keys import KeyRing, sync_folder

#: What is signed begins with this, so that no signature over anything else is ever one over an approval.
_PURPOSE = b"trusted-person-hub entry approval 1\n"

IsSigned = Callable[[str, bytes, str], bool]


class UnsignedError(Exception):
    """The file is there, and this hub did not sign what it says."""


def read_approval(path: Path, is_signed: IsSigned) -> Approval | None:
    """Return an approval; None where there is none. Raises `UnsignedError` on one that this hub did not sign."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        raise UnsignedError(path.name) from None
    if not isinstance(document, dict):
        raise UnsignedError(path.name)
    signature, kid = str(document.pop("signature", "")), str(document.get("kid", ""))
    if not is_signed(kid, _signed_bytes(document), signature):
        raise UnsignedError(path.name)
    return Approval(
        service=document["service"],
        digest=document["digest"],
        approved_by=tuple(document["approved_by"]),
        seen_on=date.fromisoformat(document["seen_on"]),
        seen_how=Seen(document["seen_how"]),
        last_day=date.fromisoformat(document["last_day"]),
    )


def write_approval(path: Path, approval: Approval, ring: KeyRing) -> None:
    """Sign an approval and put it in place of the one before, in one step that a crash cannot halve."""
    document: dict[str, Any] = {
        "service": approval.service,
        "digest": approval.digest,
        "approved_by": list(approval.approved_by),
        "seen_on": approval.seen_on.isoformat(),
        "seen_how": str(approval.seen_how),
        "last_day": approval.last_day.isoformat(),
        "kid": ring.checkpoint_kid,
    }
    raw = ring.checkpoint_key.sign(_signed_bytes(document))
    document["signature"] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(json.dumps(document, indent=2).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _signed_bytes(document: dict[str, Any]) -> bytes:
    return _PURPOSE + json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
