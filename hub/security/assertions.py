"""The signing side of client and author assertions: what a partner's system does before it calls the hub."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from hub.security.clients import ASSERTION_TYPE
from hub.security.tokens import ALGORITHMS, LONGEST

_CURVES: Final = {"ES256": "P-256", "ES384": "P-384"}
_EDWARDS: Final = ("EdDSA", "Ed25519")

PrivateKey = ECKey | RSAKey | OKPKey


class _Signing(JWSRegistry):
    """The algorithms a partner may sign with, none of which warns."""

    def get_alg(self, name: str) -> Any:
        """One of the allowed algorithms; `ValueError` on any other."""
        if name not in ALGORITHMS:
            raise ValueError("algorithm not allowed")
        return self.algorithms[name]


_REGISTRY: Final = _Signing()


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A partner's private signing key, its kid and its algorithm."""

    kid: str
    algorithm: str
    _key: PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, algorithm: str = "ES256") -> ClientKey:
        """A new key for one of the allowed algorithms."""
        key: PrivateKey
        if algorithm in _CURVES:
            key = ECKey.generate_key(_CURVES[algorithm])
        elif algorithm in _EDWARDS:
            key = OKPKey.generate_key("Ed25519")
        elif algorithm in ALGORITHMS:
            key = RSAKey.generate_key(3072)
        else:
            raise ValueError("algorithm not allowed")
        return cls(key.thumbprint(), algorithm, key)

    @classmethod
    def from_pem(cls, pem: bytes, algorithm: str = "ES256") -> ClientKey:
        """A key read from PEM; its kid is its thumbprint (RFC 7638). `ValueError` when it is not such a key."""
        key: PrivateKey
        if algorithm in _CURVES:
            key = ECKey.import_key(pem)
        elif algorithm in _EDWARDS:
            key = OKPKey.import_key(pem)
        else:
            key = RSAKey.import_key(pem)
        if algorithm not in ALGORITHMS or not key.is_private:
            raise ValueError("not a private key for an allowed algorithm")
        return cls(key.thumbprint(), algorithm, key)

    def pem(self) -> bytes:
        """The private key, to be kept in a file of mode 0600."""
        return self._key.as_pem(private=True)

    def jwks(self) -> str:
        """The public half as a key set, to register with the hub."""
        public = self._key.as_dict(private=False)
        return json.dumps({"keys": [{**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}]})

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact JWT over these claims."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "JWT"}
        return jws.serialize_compact(header, json.dumps(claims), self._key, registry=_REGISTRY)


def client_assertion(client_id: str, token_url: str, key: ClientKey, now: datetime, life: timedelta = LONGEST) -> str:
    """Prove to the token endpoint who this client is (RFC 7523); good once, for at most 5 minutes."""
    return key.sign({"iss": client_id, "sub": client_id, "aud": token_url, **_fresh(now, life)})


def token_request(
    client_id: str, token_url: str, key: ClientKey, now: datetime, scopes: frozenset[str] = frozenset()
) -> dict[str, str]:
    """The form to post to the token endpoint; no scopes means all that the client is registered for."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion(client_id, token_url, key, now),
    }
    return {**form, "scope": " ".join(sorted(scopes))} if scopes else form


def author_assertion(  # noqa: PLR0913 - each is a claim
    client_id: str,
    audience: str,
    key: ClientKey,
    now: datetime,
    *,
    subject: str,
    role: str,
    body: bytes,
    life: timedelta = LONGEST,
    groups: Sequence[str] = (),
) -> str:
    """Say which worker typed exactly these bytes, in which role and groups; good once, for at most 5 minutes."""
    claims = {"iss": client_id, "aud": audience, "sub": subject, "role": role, **_fresh(now, life)}
    claims |= {"groups": list(groups)} if groups else {}
    return key.sign({**claims, "body_sha256": hashlib.sha256(body).hexdigest()})


def _fresh(now: datetime, life: timedelta) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {"iat": issued, "exp": issued + int(life.total_seconds()), "jti": str(uuid.uuid4())}
