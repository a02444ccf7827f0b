"""Keys while the hub runs: a new one is used at once, an old one as long as it is needed, a retired one never again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.jwk import OKPKey

from hub.domain.errors import Undecipherable
from hub.security import tokens
from hub.security.clients import Client, TokenEndpoint
from hub.security.envelope import Envelope, header_of
from hub.security.keys import (
    KeyFolderError,
    KeyRing,
    add_signing_key,
    begin_rotation,
    end_rotation,
    generate,
    replace_checkpoint_key,
)
from hub.security.live_keys import LiveKeys
from hub.security.retire import GRACE, listed, retire

LATER = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    generate(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def later() -> Iterator[datetime]:
    """An hour after every key was made: what was under way then has ended."""
    return datetime.now(UTC) + LATER


def test_r59_a_new_key_is_used_at_once_and_the_old_one_still_unwraps(folder: Path) -> None:
    # given a process that has been running
    running = Envelope(LiveKeys(folder))
    old = running.new_data_key()
    sealed = old.seal(b"a story", "t|c|1")
    # when another process rotates
    kid, resumed = begin_rotation(folder)
    # then the next key is wrapped under the new one, and both open
    assert not resumed
    assert running.header == header_of(kid)
    assert running.new_data_key().wrapped.startswith(header_of(kid))
    assert running.unwrap(old.wrapped).open(sealed, "t|c|1") == b"a story"
    # and what is wrapped anew opens the same
    anew = running.rewrap(old.wrapped)
    assert anew.startswith(header_of(kid))
    assert running.unwrap(anew).open(sealed, "t|c|1") == b"a story"


def test_r59_what_another_process_wrapped_under_a_newer_key_opens_here(folder: Path) -> None:
    # given two processes, of which one has not looked since
    here, there = Envelope(LiveKeys(folder)), Envelope(LiveKeys(folder))
    begin_rotation(folder)
    # when the other wraps / then this one unwraps
    assert here.unwrap(there.new_data_key().wrapped)


def test_r59_a_rotation_that_was_cut_short_goes_on_with_its_own_key(folder: Path) -> None:
    kid, _ = begin_rotation(folder)
    assert begin_rotation(folder) == (kid, True)
    end_rotation(folder)
    again, resumed = begin_rotation(folder)
    assert (again != kid, resumed) == (True, False)


def test_r59_while_the_folder_cannot_be_read_the_keys_at_hand_are_used(folder: Path) -> None:
    # given
    running = Envelope(LiveKeys(folder))
    wrapped = running.new_data_key().wrapped
    # when somebody damages the folder
    (folder / "kek" / "active").write_text("nobody", encoding="ascii")
    # then what is running goes on, and a start is refused
    assert running.unwrap(wrapped)
    assert running.unwrap(running.new_data_key().wrapped)
    with pytest.raises(KeyFolderError):
        LiveKeys(folder)


def test_r59_a_retired_key_is_gone_from_disk_and_from_a_running_process(folder: Path, later: datetime) -> None:
    # given something wrapped under a key that is no longer in use
    running = Envelope(LiveKeys(folder))
    old_kid, wrapped = KeyRing.load(folder).active_kid, running.new_data_key().wrapped
    begin_rotation(folder)
    # when it is retired
    assert retire(folder, old_kid, later).kind == "kek"
    # then it opens nowhere any more
    assert [each.kid for each in listed(folder) if each.kind == "kek"] == [KeyRing.load(folder).active_kid]
    with pytest.raises(Undecipherable, match="unknown-key"):
        running.unwrap(wrapped)


def test_r59_a_key_in_use_or_just_put_out_of_use_is_not_retired(folder: Path, later: datetime) -> None:
    ring = KeyRing.load(folder)
    for kid, code in ((ring.active_kid, "key-in-use"), (ring.signing_kid, "key-in-use"), ("nobody", "key-unknown")):
        with pytest.raises(KeyFolderError) as refused:
            retire(folder, kid, later)
        assert refused.value.code == code
    begin_rotation(folder)
    changed = datetime.fromtimestamp(os.stat(folder / "kek" / "active").st_mtime, UTC)
    with pytest.raises(KeyFolderError, match="key-too-fresh"):
        retire(folder, ring.active_kid, changed + GRACE - timedelta(seconds=1))
    assert retire(folder, ring.active_kid, changed + GRACE)


def test_th16_old_access_tokens_stay_good_after_the_signing_key_is_rotated(folder: Path, later: datetime) -> None:
    # given an endpoint that has been running, and a token it signed
    client = Client("c", "p", '{"keys": []}', frozenset({"share"}))
    endpoint = TokenEndpoint(
        "https://hub.example", "https://hub.example/oauth/token", LiveKeys(folder), lambda _: client, None
    )  # type: ignore[arg-type]
    now = datetime.now(UTC)
    old = endpoint._sign(client, client.scopes, now).access_token
    old_kid = KeyRing.load(folder).signing_kid
    # when
    kid = add_signing_key(folder)
    new = endpoint._sign(client, client.scopes, now).access_token
    # then both are good at the same endpoint, and at one that starts now
    fresh = TokenEndpoint("https://hub.example", "x", LiveKeys(folder), lambda _: client, None)  # type: ignore[arg-type]
    for token in (old, new):
        assert endpoint.verify_access_token(f"Bearer {token}", now).client_id == "c"
        assert fresh.verify_access_token(f"Bearer {token}", now).client_id == "c"
    assert tokens._parse(new, tokens._OWN_REGISTRY)[0].headers()["kid"] == kid
    # and its key can go once the last of them has run out
    assert timedelta(minutes=10) < GRACE
    assert retire(folder, old_kid, later).kind == "signing"


def test_r59_checkpoints_signed_before_still_verify_by_the_published_keys(folder: Path) -> None:
    # given a checkpoint of each of three keys
    signed: dict[str, bytes] = {}
    for _ in range(3):
        ring = KeyRing.load(folder)
        signed[ring.checkpoint_kid] = ring.checkpoint_key.sign(b"checkpoint")
        assert replace_checkpoint_key(folder) not in signed
    # when / then: no private part is kept or published, and each verifies by its kid
    published = {key["kid"]: key for key in KeyRing.load(folder).jwks()["keys"]}
    assert not [key for key in published.values() if "d" in key]
    assert not [file for file in (folder / "checkpoint-old").iterdir() if b"PRIVATE" in file.read_bytes()]
    for kid, signature in signed.items():
        public = OKPKey.import_key(published[kid]).get_op_key("verify")
        assert isinstance(public, Ed25519PublicKey)
        public.verify(signature, b"checkpoint")
