"""Envelope encryption: what is sealed opens in its own place only, under its own key only, and unaltered only."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.errors import Undecipherable
from hub.security.envelope import Envelope
from hub.security.keys import KeyRing, add_key_encryption_key, generate

PLACE = "deliveries|parcel|0192"


@pytest.fixture(scope="module")
def envelope(ring: KeyRing) -> Envelope:
    """An envelope over the session's ring."""
    return Envelope(ring)


@given(plaintext=st.binary(max_size=4096), aad=st.text(max_size=80))
def test_what_is_sealed_opens(envelope: Envelope, plaintext: bytes, aad: str) -> None:
    # given any value and place, when it is sealed and the key has been through the store
    key = envelope.new_data_key()
    blob = key.seal(plaintext, aad)
    # then it opens to the same bytes, and the stored form does not show them
    assert envelope.unwrap(key.wrapped).open(blob, aad) == plaintext
    assert len(plaintext) < 8 or plaintext not in blob


@given(one=st.text(max_size=40), other=st.text(max_size=40))
def test_a_value_moved_elsewhere_does_not_open(envelope: Envelope, one: str, other: str) -> None:
    # given a value sealed for one place, when it is opened for another
    key = envelope.new_data_key()
    blob = key.seal(b"story", one)
    # then only its own place opens it
    if one == other:
        assert key.open(blob, other) == b"story"
    else:
        with pytest.raises(Undecipherable):
            key.open(blob, other)


def test_every_altered_byte_is_noticed(envelope: Envelope) -> None:
    # given a sealed value and its wrapped key
    key = envelope.new_data_key()
    blob = key.seal(b"a story of some length, long enough for a thousand flips", PLACE)
    opened = 0
    # when any single bit of either is flipped
    for position in range(len(blob) * 8):
        with pytest.raises(Undecipherable):
            key.open(_flip(blob, position), PLACE)
        opened += 1
    for position in range(len(key.wrapped) * 8):
        with pytest.raises(Undecipherable):
            envelope.unwrap(_flip(key.wrapped, position))
        opened += 1
    # then none opened, of more than a thousand
    assert opened > 1000


@given(blob=st.binary(max_size=120))
@settings(max_examples=200)
def test_rubbish_is_refused_by_value(envelope: Envelope, blob: bytes) -> None:
    # given bytes that were never sealed, when opened or unwrapped, then one error and no other
    with pytest.raises(Undecipherable):
        envelope.new_data_key().open(blob, PLACE)
    with pytest.raises(Undecipherable):
        envelope.unwrap(blob)


def test_cut_short_is_refused(envelope: Envelope) -> None:
    # given a sealed value, when it is cut at any length, then it does not open
    key = envelope.new_data_key()
    blob = key.seal(b"story", PLACE)
    for length in range(len(blob)):
        with pytest.raises(Undecipherable):
            key.open(blob[:length], PLACE)
    for length in range(len(key.wrapped)):
        with pytest.raises(Undecipherable):
            envelope.unwrap(key.wrapped[:length])


def test_another_share_and_another_instance_cannot_open_it(envelope: Envelope, tmp_path: Path) -> None:
    # given a value under one share's key
    key = envelope.new_data_key()
    blob = key.seal(b"story", PLACE)
    # when another share's key, or another instance's ring, is tried, then nothing opens
    with pytest.raises(Undecipherable):
        envelope.new_data_key().open(blob, PLACE)
    with pytest.raises(Undecipherable, match="unknown-key"):
        Envelope(generate(tmp_path / "keys")).unwrap(key.wrapped)


def test_a_second_key_wraps_what_is_new_and_the_first_still_opens_what_is_old(tmp_path: Path) -> None:
    # given data sealed before another key-encryption key came
    folder = tmp_path / "keys"
    old = Envelope(generate(folder)).new_data_key()
    blob = old.seal(b"story", PLACE)
    # when there are two
    kid = add_key_encryption_key(folder)
    ring = KeyRing.load(folder)
    envelope = Envelope(ring)
    fresh = envelope.new_data_key()
    # then what is old opens, and what is new needs the new key only
    assert envelope.unwrap(old.wrapped).open(blob, PLACE) == b"story"
    (folder / "kek" / f"{next(k for k in ring.key_encryption_keys if k != kid)}.key").unlink()
    later = Envelope(KeyRing.load(folder))
    assert later.unwrap(fresh.wrapped).wrapped == fresh.wrapped
    with pytest.raises(Undecipherable, match="unknown-key"):
        later.unwrap(old.wrapped)


def test_sealing_twice_never_looks_the_same(envelope: Envelope) -> None:
    # given one value, when sealed many times, then no two blobs are equal: nonces are fresh
    key = envelope.new_data_key()
    assert len({key.seal(b"story", PLACE) for _ in range(1000)}) == 1000


@given(value=st.text(max_size=60), other=st.text(max_size=60))
def test_digests_compare_within_one_purpose_only(envelope: Envelope, value: str, other: str) -> None:
    # given two values, when digested, then equality is kept within a purpose and lost across purposes
    assert (envelope.digest("person", value) == envelope.digest("person", other)) == (value == other)
    assert envelope.digest("person", value) != envelope.digest("author", value)
    assert len(envelope.digest("person", value)) == 64


def test_digests_need_this_instances_key(envelope: Envelope, tmp_path: Path) -> None:
    # given another instance, when it digests the same value, then the digests differ
    assert Envelope(generate(tmp_path / "keys")).digest("person", "P-1") != envelope.digest("person", "P-1")
    with pytest.raises(ValueError, match="plain word"):
        envelope.digest("person\x00author", "P-1")


def test_keys_are_not_printed(envelope: Envelope) -> None:
    # given a data key, when it is printed in a log or traceback, then its cipher is not shown
    assert "AESGCM" not in repr(envelope.new_data_key())


def _flip(blob: bytes, position: int) -> bytes:
    changed = bytearray(blob)
    changed[position // 8] ^= 1 << position % 8
    return bytes(changed)
