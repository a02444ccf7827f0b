"""Encryption at rest: data keys wrapped by the instance's key-encryption key, and keyed hashes of identifiers.

AES-256-GCM throughout (NIST SP 800-38D): a 96-bit random nonce per message, and the place a value lives in (table,
column, row id) as associated data, so that ciphertext moved to another row or column does not open.
Destroying a wrapped data key destroys what it sealed (architecture section 11).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.errors import Undecipherable
from hub.security.keys import KEY_BYTES, KeyRing
from hub.security.live_keys import Keys

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_WRAPPED: Final = b"data-key"


@dataclass(frozen=True, slots=True)
class DataKey:
    """One share's key: seals and opens its values; `wrapped` is what is stored, the plain key never is.

    Keep `aad` as `table|column|row id`; the same text opens what it sealed. Fewer than 2**32 values a key.
    """

    wrapped: bytes
    _cipher: AESGCM = field(repr=False)

    def seal(self, plaintext: bytes, aad: str) -> bytes:
        """Encrypt and authenticate one value for the place that `aad` names."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plaintext, aad.encode())

    def open(self, blob: bytes, aad: str) -> bytes:
        """Decrypt one value; raises `Undecipherable` when it was altered, moved, or sealed under another key."""
        if blob[:1] != _VERSION:
            raise Undecipherable("unknown-version")
        return _decrypt(self._cipher, blob[1:], aad.encode())


@dataclass(frozen=True, slots=True)
class _Wrappers:
    """The ciphers of one ring's keys, and the header that the key in use leaves on what it wraps."""

    ring: KeyRing
    ciphers: Mapping[str, AESGCM]
    header: bytes

    @classmethod
    def of(cls, ring: KeyRing) -> _Wrappers:
        ciphers = {kid: AESGCM(key) for kid, key in ring.key_encryption_keys.items()}
        return cls(ring, ciphers, header_of(ring.active_kid))


class Envelope:
    """Makes and unwraps data keys with the keys in use now, asked for at each use; any thread may use it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        ring = keys.current()
        self._made = _Wrappers.of(ring)
        self._index_key = ring.index_key

    @property
    def header(self) -> bytes:
        """The first bytes of every data key that is wrapped under the key in use."""
        return self._wrappers().header

    def new_data_key(self) -> DataKey:
        """Make a fresh random data key, wrapped under the key in use."""
        plain = os.urandom(KEY_BYTES)
        return DataKey(self._wrap(plain), AESGCM(plain))

    def unwrap(self, wrapped: bytes) -> DataKey:
        """Get a stored data key back; raises `Undecipherable` when it was altered or its wrapping key is gone.

        There is deliberately no cache: it costs microseconds, and a shredded key must not live on in memory.
        """
        return DataKey(wrapped, AESGCM(self._unwrap(wrapped)))

    def rewrap(self, wrapped: bytes) -> bytes:
        """Wrap a stored data key anew under the key in use; raises `Undecipherable` as `unwrap`."""
        return self._wrap(self._unwrap(wrapped))

    def digest(self, purpose: str, value: str) -> str:
        """Keyed HMAC-SHA256 (64 hex characters) to compare identifiers by, useless without the instance's key.

        The same value under two purposes gives unrelated digests, so that tables cannot be joined on it.
        """
        if "\x00" in purpose:
            raise ValueError("a purpose is a plain word")
        return hmac.digest(self._index_key, f"{purpose}\x00{value}".encode(), "sha256").hex()

    def _wrappers(self, *, anew: bool = False) -> _Wrappers:
        made, ring = self._made, self._keys.current(anew=anew)
        if made.ring is not ring:
            made = self._made = _Wrappers.of(ring)
        return made

    def _wrap(self, plain: bytes) -> bytes:
        wrappers, nonce = self._wrappers(), os.urandom(_NONCE_BYTES)
        cipher, header = wrappers.ciphers[wrappers.ring.active_kid], wrappers.header
        return header + nonce + cipher.encrypt(nonce, plain, _WRAPPED + header)

    def _unwrap(self, wrapped: bytes) -> bytes:
        kid, header, body = _split(wrapped)
        # Another process may have begun a rotation a moment ago.
        wrapper = self._wrappers().ciphers.get(kid) or self._wrappers(anew=True).ciphers.get(kid)
        if wrapper is None:
            raise Undecipherable("unknown-key")
        return _decrypt(wrapper, body, _WRAPPED + header)


def header_of(kid: str) -> bytes:
    """Return the first bytes of what a key wraps: version, length of its kid, kid."""
    return _VERSION + bytes([len(kid)]) + kid.encode()


def _split(wrapped: bytes) -> tuple[str, bytes, bytes]:
    """Take a wrapped key apart into kid, header (authenticated) and body."""
    if wrapped[:1] != _VERSION or len(wrapped) < 2:
        raise Undecipherable("unknown-version")
    end = 2 + wrapped[1]
    return wrapped[2:end].decode("ascii", "replace"), wrapped[:end], wrapped[end:]


def _decrypt(cipher: AESGCM, body: bytes, aad: bytes) -> bytes:
    if len(body) < _NONCE_BYTES + _TAG_BYTES:
        raise Undecipherable("too-short")
    try:
        return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], aad)
    except InvalidTag:
        # The cause says nothing more, and dropping it keeps keys out of tracebacks that show locals.
        raise Undecipherable("altered-or-other-key") from None
