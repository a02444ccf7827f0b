"""Reading signed tokens (JWT, RFC 7519): key sets, the list of allowed algorithms, times, and use once.

Nothing here trusts a token's own word for its algorithm: a key decides, and symmetric keys and `none` are never taken
(RFC 8725).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ALGORITHMS: Final = frozenset({"ES256", "ES384", "RS512", "PS256", "EdDSA", "Ed25519"})
LONGEST: Final = timedelta(minutes=5)
SKEW: Final = timedelta(seconds=60)
_MAX_TOKEN: Final = 8192
_MIN_RSA_BITS: Final = 2048
_CURVES: Final = frozenset({"P-256", "P-384", "Ed25519"})

PublicKey = ECKey | RSAKey | OKPKey
Why = Literal["malformed", "untrusted", "expired", "clock-skew"]


class UntrustedError(Exception):
    """A token is not to be believed; `why` is all that is said of it."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class KeySetError(Exception):
    """A partner's key set cannot be used; `code` says what to mend, without quoting it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Once:
    """What may be used a single time until `until`: commit it, unique on (kind, token), with what it allowed (TH11)."""

    kind: str
    token: str
    until: datetime


class Seen(Protocol):
    """The record of what was used, shared by every process of the hub."""

    def first_time(self, kind: str, token: str, until: datetime) -> bool:
        """Record it and say True, or say False when it is there already; forgotten after `until`."""


class _AllowedOnly(JWSRegistry):
    """The library's registry narrowed to our list, unknown header members ignored as RFC 7515 section 4 asks."""

    def __init__(self, allowed: Collection[str]) -> None:
        super().__init__(algorithms=allowed, strict_check_header=False)
        self._allowed = frozenset(allowed)

    def get_alg(self, name: str) -> Any:
        """As the library's, without its warning on every use of EdDSA, which partners still send."""
        if name not in self._allowed:
            raise UntrustedError("untrusted")
        return self.algorithms[name]


_REGISTRY: Final = _AllowedOnly(ALGORITHMS)
_OWN_REGISTRY: Final = _AllowedOnly({"ES256"})


@lru_cache(maxsize=16)
def _registry(allowed: frozenset[str]) -> JWSRegistry:
    return _AllowedOnly(allowed)


@lru_cache(maxsize=1024)
def public_keys(jwks: str) -> Mapping[str, PublicKey]:
    """Import a key set (RFC 7517, as JSON text) by kid, once per text; a key without kid gets its thumbprint.

    Raises `KeySetError` on anything but public EC, RSA (2048 bits or more) and Ed25519 signature keys.
    """
    try:
        listed = json.loads(jwks)["keys"]
        keys = [_import_key(member) for member in listed]
        by_kid = {str(key.kid or key.thumbprint()): key for key in keys}
    except (TypeError, KeyError, ValueError, RecursionError, JoseError) as error:
        raise KeySetError("key-set-malformed") from error
    if not by_kid or len(by_kid) != len(keys):
        raise KeySetError("key-set-empty-or-ambiguous")
    return by_kid


def read(
    token: str, keys: Mapping[str, PublicKey], *, own: bool = False, allowed: frozenset[str] = ALGORITHMS
) -> dict[str, Any]:
    """Verify the signature and give the claims; raises `UntrustedError("malformed" | "untrusted")`.

    The key is the one the token's kid names, or the only one of the set. `own` admits only what the hub itself signs:
    ES256 with the type of an access token (RFC 9068); `allowed` another list of asymmetric algorithms than ours.
    """
    registry = _OWN_REGISTRY if own else _registry(allowed)
    content, claims = _parse(token, registry)
    headers = content.headers()
    key = _choose(keys, headers.get("kid"))
    try:
        trusted = jws.validate_compact(content, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        # A header that does not fit the key or the list: wrong curve, wrong algorithm, an unknown `crit`.
        raise UntrustedError("untrusted") from None
    if not trusted or (own and headers.get("typ") != "at+jwt"):
        raise UntrustedError("untrusted")
    return claims


def unverified_issuer(token: str) -> str:
    """Who a token says it is from, to look its keys up by and for nothing else; raises `UntrustedError`."""
    return text(_parse(token, _REGISTRY)[1], "iss")


def text(claims: Mapping[str, Any], name: str, most: int = 200) -> str:
    """A claim that must be a printable text of at most `most` characters; raises `UntrustedError`."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise UntrustedError("untrusted")
    return value


def check_audience(claims: Mapping[str, Any], audience: str) -> None:
    """The token must be for us alone: the exact text, or a list of just that (RFC 7523 section 3)."""
    if claims.get("aud") not in (audience, [audience]):
        raise UntrustedError("untrusted")


def check_times(claims: Mapping[str, Any], now: datetime, longest: timedelta = LONGEST) -> datetime:
    """Check exp, nbf and iat and give exp; raises `UntrustedError`.

    exp is required, and at most `longest` after iat, or after `now` where there is no iat; iat and nbf may be up to 60
    seconds ahead of our clock, so that a partner whose clock is slightly fast is not shut out.
    """
    moment = now.timestamp()
    expires, issued, since = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None:
        raise UntrustedError("untrusted")
    if expires <= moment:
        raise UntrustedError("expired")
    if any(start is not None and start > moment + SKEW.total_seconds() for start in (issued, since)):
        raise UntrustedError("clock-skew")
    if expires - (moment if issued is None else issued) > longest.total_seconds():
        raise UntrustedError("untrusted")
    return datetime.fromtimestamp(expires, UTC)


def once(kind: str, issuer: str, token_id: str, expires: datetime) -> Once:
    """What to record so that this token id of this issuer works once: a digest, so that nothing sent is kept."""
    digest = hashlib.sha256(f"{issuer}\x00{token_id}".encode()).hexdigest()
    return Once(kind, digest, expires + SKEW)


def _parse(token: str, registry: JWSRegistry) -> tuple[jws.CompactSignature, dict[str, Any]]:
    """Take a token apart without believing any of it; a hostile one may nest as deep as its size allows."""
    if len(token) > _MAX_TOKEN or not token.isascii():
        raise UntrustedError("malformed")
    try:
        content = jws.extract_compact(token.encode(), registry=registry)
        claims = json.loads(content.payload or b"")
    except (JoseError, ValueError, TypeError, RecursionError):
        raise UntrustedError("malformed") from None
    if not isinstance(content.headers(), dict) or not isinstance(claims, dict):
        raise UntrustedError("malformed")
    return content, claims


def _choose(keys: Mapping[str, PublicKey], kid: object) -> PublicKey:
    if kid is None and len(keys) == 1:
        return next(iter(keys.values()))
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise UntrustedError("untrusted")
    return key


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519 section 2) as a number of POSIX seconds, or None where it is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UntrustedError("untrusted")
    if not 0 <= value < 2**40:  # not a number is not in the range either
        raise UntrustedError("untrusted")
    return float(value)


def _import_key(member: Any) -> PublicKey:
    if member["kty"] == "RSA" and len(member["n"]) * 6 < _MIN_RSA_BITS:
        raise KeySetError("key-set-weak")
    if "d" in member or "k" in member:
        raise KeySetError("key-set-private")
    key = JWKRegistry.import_key(member)
    if not isinstance(key, ECKey | RSAKey | OKPKey) or member.get("use", "sig") != "sig":
        raise KeySetError("key-set-malformed")
    if not isinstance(key, RSAKey) and member["crv"] not in _CURVES:
        raise KeySetError("key-set-malformed")
    return key
