"""Partners' callbacks: proof that a message in came from the partner of its connection (architecture section 8).

Four ways, as a manifest's `callback_auth` names them. Each gives the message's id, which the inbox keeps unique: where
the way signs no id, the digest of the body is the id, so that the same bytes twice are one message whatever a header
says. A legitimate second attempt therefore passes here and changes nothing; the very same proof again is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from urllib.parse import unquote

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from hub.domain.errors import Unauthenticated
from hub.security import tokens
from hub.security.authors import covers
from hub.security.refusals import unauthenticated
from hub.security.tokens import KeySetError, Seen, UntrustedError

Kind = Literal["standard-webhooks", "jwt", "bearer", "mutual-tls"]

_WINDOW: Final = timedelta(minutes=5)
_ID: Final = re.compile(r"[A-Za-z0-9_:-]{1,120}")
_TIMESTAMP: Final = re.compile(r"[0-9]{10,11}")
_MAX_SIGNATURES: Final = 10


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What a connection's callbacks are held against; only the fields of its kind are used.

    `secrets`: `whsec_…` (standard-webhooks) or bearer tokens, several while rotating. The next three are for jwt.
    `fingerprints`: SHA-256 of the partner's certificates, hex; `proxies`: networks (CIDR) of the proxy that ends TLS;
    `certificate_header`: where it puts the certificate, as RFC 9440 or URL-encoded PEM.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    jwks: str = ""
    issuer: str = ""
    audience: str = ""
    fingerprints: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    certificate_header: str = "client-cert"


@dataclass(frozen=True, slots=True)
class Callback:
    """One request to a connection's callback address; header names are lower case.

    `peer` is the address of the socket's other end, never one out of a header.
    """

    connection: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""


def verify_callback(kind: Kind, callback: Callback, keys: CallbackKeys, now: datetime, seen: Seen) -> str:
    """Prove one callback and give its message id; raises `Unauthenticated` with one of the callback- types.

    Call it before reading anything else of the message.
    """
    match kind:
        case "standard-webhooks":
            return _standard_webhooks(callback, keys.secrets, now, seen)
        case "jwt":
            return _signed_token(callback, keys, now, seen)
        case "bearer":
            return _bearer(callback, keys.secrets)
        case "mutual-tls":
            return _mutual_tls(callback, keys)


def _standard_webhooks(callback: Callback, secrets: Sequence[str], now: datetime, seen: Seen) -> str:
    """Standard Webhooks v1: HMAC-SHA256 over id, time and body, within 5 minutes either way.

    The library computes the signature; the comparison is ours, because the library's own reads a clock that cannot be
    injected, takes any base64 that decodes alike (so that an altered header passes), and fails on a malformed one.
    """
    identity = callback.headers.get("webhook-id", "")
    moment = callback.headers.get("webhook-timestamp", "")
    offered = callback.headers.get("webhook-signature", "")
    if not (identity and moment and offered):
        raise _refused("callback-unproved")
    if not _ID.fullmatch(identity) or not _TIMESTAMP.fullmatch(moment):
        raise _refused("callback-untrusted")
    sent = datetime.fromtimestamp(int(moment), UTC)
    if not any(_matches(secret, identity, sent, callback.body, offered) for secret in secrets):
        raise _refused("callback-untrusted")
    if now - sent > _WINDOW:
        raise _refused("callback-expired")
    if sent - now > _WINDOW:
        raise _refused("callback-clock-skew")
    # The proof is the id at that time: another attempt carries another time, and the inbox knows the id.
    used = tokens.once("callback", callback.connection, f"{identity}.{moment}", sent + _WINDOW)
    if not seen.first_time(used.kind, used.token, used.until):
        raise _refused("callback-replayed")
    return identity


def _matches(secret: str, identity: str, sent: datetime, body: bytes, offered: str) -> bool:
    """Whether one of the offered signatures is exactly the one that this secret gives."""
    try:
        expected = Webhook(secret).sign(identity, sent, body.decode()).encode()
    except (ValueError, EmptyWebhookSecretError):
        return False
    candidates = offered.encode("utf-8", "replace").split(b" ")[:_MAX_SIGNATURES]
    return any(hmac.compare_digest(expected, candidate) for candidate in candidates)


def _signed_token(callback: Callback, keys: CallbackKeys, now: datetime, seen: Seen) -> str:
    """A bearer JWT by the partner's key, for our address, once; a body_sha256 in it must fit the body."""
    assertion = _bearer_value(callback.headers)
    try:
        claims = tokens.read(assertion, tokens.public_keys(keys.jwks))
        if not keys.issuer or claims.get("iss") != keys.issuer:
            raise _refused("callback-untrusted")
        tokens.check_audience(claims, keys.audience)
        expires = tokens.check_times(claims, now)
        used = tokens.once("callback", callback.connection, tokens.text(claims, "jti"), expires)
    except KeySetError:
        raise _refused("callback-untrusted") from None
    except UntrustedError as error:
        code = {"expired": "callback-expired", "clock-skew": "callback-clock-skew"}.get(error.why, "callback-untrusted")
        raise _refused(code) from None
    if "body_sha256" in claims and not covers(claims, callback.body):
        raise _refused("callback-untrusted")
    if not seen.first_time(used.kind, used.token, used.until):
        raise _refused("callback-replayed")
    return _body_id(callback.body)


def _bearer(callback: Callback, secrets: Sequence[str]) -> str:
    """A shared token, compared in constant time with each one in use."""
    offered = _bearer_value(callback.headers).encode("utf-8", "replace")
    if not any(hmac.compare_digest(offered, secret.encode()) for secret in secrets if secret):
        raise _refused("callback-untrusted")
    return _body_id(callback.body)


def _mutual_tls(callback: Callback, keys: CallbackKeys) -> str:
    """The certificate that a proxy of ours checked: believed from that proxy's address only."""
    if not _from_proxy(callback.peer, keys.proxies):
        raise _refused("callback-untrusted")
    stated = callback.headers.get(keys.certificate_header.lower(), "")
    if not stated:
        raise _refused("callback-unproved")
    fingerprint = hashlib.sha256(_certificate(stated)).hexdigest()
    known = [one.replace(":", "").lower() for one in keys.fingerprints]
    if fingerprint not in known:
        raise _refused("callback-untrusted")
    return _body_id(callback.body)


def _from_proxy(peer: str, proxies: Sequence[str]) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network) for network in proxies)


def _certificate(stated: str) -> bytes:
    """The DER bytes of a certificate in a header: `:base64:` (RFC 9440) or URL-encoded PEM (nginx)."""
    try:
        if stated.startswith(":") and stated.endswith(":") and len(stated) > 2:
            return base64.b64decode(stated[1:-1], validate=True)
        return ssl.PEM_cert_to_DER_cert(unquote(stated, errors="strict"))
    except (ValueError, binascii.Error):
        raise _refused("callback-untrusted") from None


def _bearer_value(headers: Mapping[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise _refused("callback-unproved")
    return value


def _body_id(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _refused(code: str) -> Unauthenticated:
    """A refusal whose origin is the receiving service: it is the partner's side that has to mend it."""
    return unauthenticated(code, "receiver")
