"""Checkpoints of the audit log: signed with the hub's Ed25519 key, checked against a published key set (TH13)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.domain.audit import Checkpoint
from hub.security.live_keys import Keys


class CheckpointSigner:
    """Signs with whatever checkpoint key is in use at that moment."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def __call__(self, unsigned: Checkpoint) -> Checkpoint:
        """Return a checkpoint with the key's name and its signature, in base64url without padding."""
        ring = self._keys.current()
        named = replace(unsigned, kid=ring.checkpoint_kid)
        raw = ring.checkpoint_key.sign(named.signed_bytes())
        return replace(named, signature=base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


def checkpoint_keys(jwks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return those public keys of a key set that may sign checkpoints (RFC 8037), each in one form."""
    listed = jwks.get("keys")
    found = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    ours = [each for each in found if each.get("kty") == "OKP" and each.get("crv") == "Ed25519"]
    return [{name: each.get(name) for name in ("crv", "kid", "kty", "x")} for each in ours]


def is_signed_by(keys: Iterable[Mapping[str, Any]]) -> Callable[[str, bytes, str], bool]:
    """Return a test of (kid, bytes, signature) against these public keys; one that cannot be read signs nothing."""
    by_kid = {str(each.get("kid")): key for each in keys if (key := _public(each.get("x"))) is not None}

    def is_signed(kid: str, message: bytes, signature: str) -> bool:
        key, raw = by_kid.get(kid), _decoded(signature)
        if key is None or raw is None:
            return False
        try:
            key.verify(raw, message)
        except InvalidSignature:
            return False
        return True

    return is_signed


def _public(x: object) -> Ed25519PublicKey | None:
    raw = _decoded(x) if isinstance(x, str) else None
    return Ed25519PublicKey.from_public_bytes(raw) if raw is not None and len(raw) == 32 else None


def _decoded(text: str) -> bytes | None:
    """Return what base64url without padding stands for, in its one form: another spelling is another signature."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text else None
