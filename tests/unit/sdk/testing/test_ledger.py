"""The ledger: what counts as an effect, and what a crash may not lose."""

from __future__ import annotations

from pathlib import Path

from hub.sdk.testing.ledger import Entry, Ledger


def entry(key: str, *, effect: bool = True, body: bytes = b"\x00\xffparcel") -> Entry:
    return Entry(1.5, key, "case", "/parcels", body, {"x-request-id": key}, 201, effect)


def test_a_second_arrival_without_effect_does_not_replace_the_first() -> None:
    # given a parcel that the partner acted on, and its deduped second arrival
    ledger = Ledger()
    first = entry("k1")
    ledger.append(first)
    ledger.append(entry("k1", effect=False))
    # then both arrivals stand, and one effect
    assert len(ledger.entries()) == 2
    assert ledger.effects() == (first,)
    assert ledger.find("k1") is first


def test_an_arrival_that_was_refused_is_no_effect() -> None:
    ledger = Ledger()
    ledger.append(entry("k1", effect=False))
    assert not ledger.has("k1")
    assert ledger.find("k1") is None


def test_a_file_is_read_again_byte_for_byte(tmp_path: Path) -> None:
    # given a ledger with a file that was never closed
    file = tmp_path / "ledger.jsonl"
    before = Ledger(file)
    before.append(entry("k1", body=bytes(range(256))))
    before.append(entry("k1", effect=False))
    # when another process opens it
    after = Ledger(file)
    # then nothing is missing or changed
    assert after.entries() == before.entries()
    assert after.has("k1")


def test_a_line_torn_by_a_crash_is_left_out_and_the_file_goes_on(tmp_path: Path) -> None:
    # given a file whose last line was cut
    file = tmp_path / "ledger.jsonl"
    Ledger(file).append(entry("k1"))
    with file.open("ab") as raw:
        raw.write(b'{"at": 1.5, "key": "k2", "bo')
    # when it is opened and written again
    Ledger(file).append(entry("k3"))
    # then the whole lines stand
    assert [e.key for e in Ledger(file).entries()] == ["k1", "k3"]


def test_a_file_with_nothing_but_a_torn_line_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "ledger.jsonl"
    file.write_bytes(b'{"at": 1.5')
    assert Ledger(file).entries() == ()
    assert file.read_bytes() == b""
