"""Keys on disk: made private, refused when others can read them, rotated without losing the old ones."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from hub.security.keys import KeyFolderError, KeyRing, add_key_encryption_key, add_signing_key, generate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fresh instance's key folder."""
    place = tmp_path / "keys"
    generate(place)
    return place


def test_new_keys_are_for_their_owner_only(folder: Path) -> None:
    # given a generated folder, when its modes are read
    folders = {stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")] if path.is_dir()}
    files = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}
    # then nobody else can reach them
    assert (folders, files) == ({0o700}, {0o600})


def test_two_instances_share_no_key(tmp_path: Path) -> None:
    # given two instances, when both are generated
    one, two = generate(tmp_path / "one"), generate(tmp_path / "two")
    # then no secret is the same
    assert one.index_key != two.index_key
    assert set(one.key_encryption_keys.values()).isdisjoint(two.key_encryption_keys.values())
    assert one.jwks() != two.jwks()


def test_generating_again_touches_nothing(folder: Path) -> None:
    # given keys that data was sealed with
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    # when somebody runs init again, then it is refused and every byte stands
    with pytest.raises(KeyFolderError, match="keys-exist"):
        generate(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["kek/*.key", "kek/active", "signing/*.pem", "index.key", "checkpoint.pem", "."])
@pytest.mark.parametrize("extra", [0o040, 0o004, 0o020, 0o002])
def test_a_key_that_others_can_reach_is_refused(folder: Path, name: str, extra: int) -> None:
    # given one file or folder that group or others may reach
    path = folder if name == "." else next(iter(folder.glob(name)))
    path.chmod(stat.S_IMODE(path.stat().st_mode) | extra)
    # when the ring is loaded, then the refusal says what to type
    with pytest.raises(KeyFolderError) as refused:
        KeyRing.load(folder)
    assert refused.value.code == "key-readable-by-others"
    assert f"chmod {700 if name == '.' else 600} {path}" in refused.value.fix


@pytest.mark.parametrize("name", ["kek/*.key", "signing/*.pem", "index.key", "checkpoint.pem"])
def test_damaged_and_missing_keys_are_told_apart(folder: Path, name: str) -> None:
    # given a key cut short, when it is loaded, then it is called damaged
    path = next(iter(folder.glob(name)))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(KeyFolderError, match="key-damaged"):
        KeyRing.load(folder)
    # given no file at all, then it is called missing
    path.unlink()
    with pytest.raises(KeyFolderError, match=r"key-missing|active-key-missing"):
        KeyRing.load(folder)


def test_added_keys_become_active_and_old_ones_stay(folder: Path) -> None:
    # given a running instance
    before = KeyRing.load(folder)
    # when both keys are rotated
    kek, signing = add_key_encryption_key(folder), add_signing_key(folder)
    after = KeyRing.load(folder)
    # then the new ones are in use, and the old ones still open what they closed
    assert (after.active_kid, after.signing_kid) == (kek, signing)
    assert after.key_encryption_keys[before.active_kid] == before.key_encryption_keys[before.active_kid]
    assert set(after.signing_keys) == {before.signing_kid, signing}


def test_published_keys_hold_no_private_part_and_nothing_is_printed(folder: Path) -> None:
    # given a ring, when its public set and its repr are read
    ring = KeyRing.load(folder)
    published = ring.jwks()["keys"]
    # then each key is public, named and for signatures only, and repr shows no secret
    assert {key["alg"] for key in published} == {"ES256", "Ed25519"}
    assert all(key["use"] == "sig" and key["kid"] and "d" not in key for key in published)
    assert not re.search(r"\bb['\"]", repr(ring))  # no bytes; an id may well end in b
    assert "PRIVATE" not in repr(ring)
