"""The keys of one trial: the hub's own as a client, a partner's, and a callback secret, all made fresh."""

from __future__ import annotations

import base64
import json
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey, KeySet, RSAKey

from hub.security.callbacks import CallbackKeys


class Keys:
    """Made when first asked for; the partner's private key is a file, for a sandbox of another process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.callback_secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()

    @cached_property
    def _client(self) -> tuple[ECKey, RSAKey]:
        return ECKey.generate_key("P-256", {"kid": "kit-ec"}), RSAKey.generate_key(2048, {"kid": "kit-rsa"})

    @cached_property
    def _partner(self) -> tuple[RSAKey, Path]:
        key, file = RSAKey.generate_key(2048, {"kid": "partner-1"}), self._folder / "partner-signing"
        file.touch(mode=0o600)
        file.write_bytes(key.as_pem(private=True))
        return key, file

    def words(self) -> dict[str, str]:
        """Return the words that a trial may use for them."""
        elliptic, rsa = self._client
        return {
            "ec_key": elliptic.as_pem(private=True).decode(),
            "rsa_key": rsa.as_pem(private=True).decode(),
            "secret": self.secret,
            "partner_key_file": str(self._partner[1]),
            "callback_secret": self.callback_secret,
        }

    @cached_property
    def secret(self) -> str:
        """A secret of no shape, for what a partner gives as text."""
        return secrets.token_urlsafe(24)

    def client_jwks(self) -> dict[str, Any]:
        """Return the public halves of the hub's keys, as a sandbox takes them."""
        return dict(KeySet(list(self._client)).as_dict(private=False))

    def secret_texts(self) -> list[str]:
        """Return what may stand in no log: each key's longest line, and the secrets."""
        pems = [max(key.as_pem(private=True).decode().splitlines(), key=len) for key in self._client]
        return [*pems, self.callback_secret.removeprefix("whsec_"), self.secret]

    def for_callbacks(self, issuer: str, audience: str) -> CallbackKeys:
        """Return what the hub holds callbacks against."""
        jwks = json.dumps(KeySet([self._partner[0]]).as_dict(private=False))
        return CallbackKeys(secrets=(self.callback_secret,), jwks=jwks, issuer=issuer, audience=audience)
