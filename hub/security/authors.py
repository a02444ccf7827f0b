"""Authors (workers): the signed `Author-Assertion` that says who typed a request, in which role, and which bytes.

The hub keeps "attested by this partner at this time" and never learns more of the worker than an opaque id (R60).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.errors import Unauthenticated
from hub.security import tokens
from hub.security.clients import Client
from hub.security.refusals import unauthenticated
from hub.security.tokens import KeySetError, Once, UntrustedError
from hub.services.refusals import REPLAYED

#: Letters of any alphabet in words, with single spaces or hyphens between them.
_ROLE = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)*")
_ROLE_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Author:
    """Who typed it, in that partner's own opaque id, and the role that the partner attests.

    `once` is what must be recorded, so that the assertion works a single time; `groups` are those of the partner's that
    the worker belongs to (R02).
    """

    subject: str
    role: str
    once: Once
    groups: tuple[str, ...] = ()


def read_author(assertion: str | None, client: Client, body: bytes, now: datetime, audience: str) -> Author:
    """Read the assertion; the caller commits `once` with what the request changes. Raises `Unauthenticated`.

    iss is the client's id or its partner, aud is `audience`, body_sha256 is the SHA-256 of exactly `body` in hex or
    base64url; exp, iat and jti are required, and it lasts 5 minutes at most.
    """
    if not assertion:
        raise unauthenticated("author-missing")
    try:
        claims = tokens.read(assertion, tokens.public_keys(client.jwks))
        if claims.get("iss") not in (client.id, client.partner) or "iat" not in claims:
            raise unauthenticated("author-untrusted")
        tokens.check_audience(claims, audience)
        expires = tokens.check_times(claims, now)
        author = Author(
            subject=tokens.text(claims, "sub"),
            role=_role(tokens.text(claims, "role")),
            once=tokens.once("author-assertion", client.id, tokens.text(claims, "jti"), expires),
            groups=_groups(claims),
        )
    except KeySetError:
        raise unauthenticated("author-untrusted") from None
    except UntrustedError as error:
        code = {"expired": "author-expired", "clock-skew": "author-clock-skew"}.get(error.why, "author-untrusted")
        raise unauthenticated(code) from None
    if not covers(claims, body):
        raise unauthenticated("author-body-changed")
    return author


def _role(stated: str) -> str:
    """Return a role in words, such as `key worker`; a number, such as a certificate's, has no place in one (R60)."""
    if len(stated) > _ROLE_LONGEST or not _ROLE.fullmatch(stated):
        raise unauthenticated("author-role")
    return stated


#: A worker of more groups than these is nobody's front desk.
_MOST_GROUPS = 50


def _groups(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a claim that may be left out; raises `UntrustedError` when it is not a list of names."""
    groups = claims.get("groups", [])
    if not isinstance(groups, list) or len(groups) > _MOST_GROUPS or not all(isinstance(each, str) for each in groups):
        raise UntrustedError("malformed")
    return tuple(groups)


def author_replayed() -> Unauthenticated:
    """The refusal for an assertion whose `once` was already recorded."""
    return Unauthenticated(REPLAYED)


def covers(claims: Mapping[str, Any], body: bytes) -> bool:
    """Whether `body_sha256` is the digest of exactly these bytes, in hex or unpadded base64url."""
    stated = claims.get("body_sha256")
    if not isinstance(stated, str):
        return False
    digest = hashlib.sha256(body).digest()
    offered = stated.encode("utf-8", "replace")
    encoded = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(offered, digest.hex().encode()) or hmac.compare_digest(offered, encoded)
