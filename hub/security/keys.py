"""The instance's own keys on disk: making them, adding new ones, and loading them into a `KeyRing`.

Layout of the folder (0700, every file 0600)::

    kek/<kid>.key      32 random bytes that wrap data keys        kek/active       the kid in use
    signing/<kid>.pem  ES256 key that signs access tokens         signing/active   the kid in use
    checkpoint.pem     Ed25519 key that signs audit checkpoints   checkpoint-old/  public keys of earlier ones
    index.key          32 random bytes for keyed hashes of identifiers
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc.jwk import ECKey, OKPKey

KEY_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyFolderError(Exception):
    """The key folder cannot be used as it is; `code` is stable and `fix` is what the operator should type or do."""

    def __init__(self, code: str, fix: str) -> None:
        super().__init__(f"{code}: {fix}")
        self.code = code
        self.fix = fix


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of one instance, in memory; never printed (`repr` shows key ids only)."""

    active_kid: str
    key_encryption_keys: Mapping[str, bytes] = field(repr=False)
    signing_kid: str
    signing_keys: Mapping[str, ECKey] = field(repr=False)
    checkpoint_kid: str
    checkpoint_key: Ed25519PrivateKey = field(repr=False)
    index_key: bytes = field(repr=False)
    #: Public keys by kid, as JWKs, that earlier checkpoints are verified by.
    old_checkpoint_keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def current(self, *, anew: bool = False) -> KeyRing:
        """A ring stands still; `LiveKeys` is what follows the folder."""
        del anew
        return self

    @classmethod
    def load(cls, folder: Path) -> KeyRing:
        """Read every key; raises `KeyFolderError` when one is missing, damaged, or readable by anyone but its owner."""
        for place in (folder, folder / "kek", folder / "signing"):
            _refuse_shared(place, "700")
        active_kid = _read_text(folder / "kek" / "active")
        keks = {path.stem: _read_key(path) for path in sorted((folder / "kek").glob("*.key"))}
        signing_kid = _read_text(folder / "signing" / "active")
        signing = {path.stem: _read_signing(path) for path in sorted((folder / "signing").glob("*.pem"))}
        if active_kid not in keks or signing_kid not in signing:
            raise KeyFolderError("active-key-missing", f"restore {folder} from its backup: an active file names no key")
        checkpoint = _read_checkpoint(folder / "checkpoint.pem")
        return cls(
            active_kid=active_kid,
            key_encryption_keys=keks,
            signing_kid=signing_kid,
            signing_keys=signing,
            checkpoint_kid=_checkpoint_jwk(checkpoint).thumbprint(),
            checkpoint_key=checkpoint,
            index_key=_read_key(folder / "index.key"),
            old_checkpoint_keys={
                path.stem: OKPKey.import_key(_read(path)).as_dict(private=False)
                for path in sorted((folder / "checkpoint-old").glob("*.pem"))
            },
        )

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Public keys for `/.well-known/jwks.json`: the token-signing keys and the checkpoint key (RFC 7517)."""
        keys: list[dict[str, Any]] = [
            {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "ES256"}
            for kid, key in self.signing_keys.items()
        ]
        checkpoint = _checkpoint_jwk(self.checkpoint_key).as_dict(private=False)
        for kid, key_of in {**self.old_checkpoint_keys, self.checkpoint_kid: checkpoint}.items():
            keys.append({**key_of, "kid": kid, "use": "sig", "alg": "Ed25519"})
        return {"keys": keys}


def generate(folder: Path) -> KeyRing:
    """Make a new instance's keys; raises `KeyFolderError` when the folder already holds some, and touches nothing."""
    if folder.exists() and any(folder.iterdir()):
        raise KeyFolderError(
            "keys-exist", f"keep {folder}, or move it away first: without it stored data is unreadable"
        )
    for place in (folder, folder / "kek", folder / "signing"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
    _write(folder / "index.key", secrets.token_bytes(KEY_BYTES))
    _write(folder / "checkpoint.pem", _pem(Ed25519PrivateKey.generate()))
    add_key_encryption_key(folder)
    add_signing_key(folder)
    return KeyRing.load(folder)


def add_key_encryption_key(folder: Path) -> str:
    """Add a key-encryption key and make it the one in use; old ones stay, to unwrap with. Returns its kid."""
    kid = secrets.token_hex(4)
    _write(folder / "kek" / f"{kid}.key", secrets.token_bytes(KEY_BYTES))
    activate(folder / "kek", kid)
    return kid


def begin_rotation(folder: Path) -> tuple[str, bool]:
    """Add a key-encryption key, unless an earlier rotation was cut short; returns the kid in use, and if it was."""
    mark = folder / "kek" / "unfinished"
    if mark.exists():
        return KeyRing.load(folder).active_kid, True
    kid = add_key_encryption_key(folder)
    _write(mark, kid.encode())
    return kid, False


def end_rotation(folder: Path) -> None:
    """Note that every data key is wrapped under the key in use."""
    (folder / "kek" / "unfinished").unlink(missing_ok=True)
    sync_folder(folder / "kek")


def add_signing_key(folder: Path) -> str:
    """Add a token-signing key and make it the one in use; old ones stay, to verify with. Returns its kid."""
    kid = secrets.token_hex(4)
    _write(folder / "signing" / f"{kid}.pem", ECKey.generate_key("P-256").as_pem(private=True))
    activate(folder / "signing", kid)
    return kid


def replace_checkpoint_key(folder: Path) -> str:
    """Make a new key for audit checkpoints; of the old one its public half stays, to verify with. Returns its kid."""
    ring, old = KeyRing.load(folder), folder / "checkpoint-old"
    old.mkdir(mode=0o700, exist_ok=True)
    kept = old / f"{ring.checkpoint_kid}.pem"
    if not kept.exists():
        _write(kept, ring.checkpoint_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    fresh = folder / f".checkpoint.{secrets.token_hex(4)}"
    _write(fresh, _pem(Ed25519PrivateKey.generate()))
    fresh.replace(folder / "checkpoint.pem")
    sync_folder(folder)
    return KeyRing.load(folder).checkpoint_kid


def activate(place: Path, kid: str) -> None:
    """Point `active` at a key in one atomic step, so that a crash leaves the old or the new one."""
    fresh = place / f".active.{secrets.token_hex(4)}"
    _write(fresh, kid.encode())
    fresh.replace(place / "active")
    sync_folder(place)


def _write(path: Path, content: bytes) -> None:
    """Create a file that never existed with other permissions, and have it on disk before returning."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on disk: a file whose name a crash loses is lost with it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes:
    _refuse_shared(path, "600")
    return path.read_bytes()


def _read_text(path: Path) -> str:
    return _read(path).decode("ascii", "replace").strip()


def _read_key(path: Path) -> bytes:
    key = _read(path)
    if len(key) != KEY_BYTES:
        raise KeyFolderError("key-damaged", f"restore {path} from its backup: it must be {KEY_BYTES} bytes")
    return key


def _read_signing(path: Path) -> ECKey:
    content = _read(path)
    try:
        key = ECKey.import_key(content, {"kid": path.stem})
    except ValueError as error:
        raise KeyFolderError("key-damaged", f"restore {path} from its backup: it is not a PEM private key") from error
    if not key.is_private or key.curve_name != "P-256":
        raise KeyFolderError("key-damaged", f"restore {path} from its backup: it is not a P-256 private key")
    return key


def _read_checkpoint(path: Path) -> Ed25519PrivateKey:
    content = _read(path)
    try:
        key = load_pem_private_key(content, password=None)
    except ValueError as error:
        raise KeyFolderError("key-damaged", f"restore {path} from its backup: it is not a PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFolderError("key-damaged", f"restore {path} from its backup: it is not an Ed25519 private key")
    return key


def _checkpoint_jwk(key: Ed25519PrivateKey) -> OKPKey:
    return OKPKey.import_key(_pem(key))


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _refuse_shared(path: Path, mode: str) -> None:
    """Refuse what is missing, and what group or others may reach: a key that others can read is no longer ours."""
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise KeyFolderError("key-missing", f"run `hub init`, or restore {path} from its backup") from error
    if os.name == "posix" and found.st_mode & _OTHERS:
        raise KeyFolderError(
            "key-readable-by-others", f"run `chmod {mode} {path}`, and rotate the key if it was shared"
        )
