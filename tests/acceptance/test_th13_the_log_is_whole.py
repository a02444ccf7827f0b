"""TH13: whoever edits, drops, moves, cuts, signs anew or forks the audit log is found by one partner's checkpoint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typer.testing import CliRunner

from hub.cli.main import app
from hub.domain.audit import Checkpoint, canonical, read_checkpoint
from hub.domain.audit_check import check
from hub.security.checkpoints import checkpoint_keys, is_signed_by
from hub.security.keys import KeyRing
from tests.acceptance.house import House, until_true
from tests.acceptance.tampering import Forger, base64url
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share

TRIALS = 1000


@dataclass
class Written:
    """An exported log, what a partner kept of it, and the hub's keys as they were published."""

    file: Path
    lines: list[bytes]
    receipts: list[dict[str, Any]]
    kept: Checkpoint
    jwks: dict[str, Any]
    key: Ed25519PrivateKey

    def verdict(self, lines: list[bytes]) -> Any:
        """Check lines with the pinned key and the partner's checkpoint."""
        pinned = checkpoint_keys(self.jwks)
        return check(lines[0] if lines else b"", lines[1:], is_signed_by(pinned), [self.kept], pinned)


@pytest.fixture(scope="module")
def written(house: House, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A day's log of a real hub: shares sent, read, answered and withdrawn."""
    receipts = []
    for _ in range(6):
        receipts.append(house.cases.send(a_share(HOUSING, SUPPORTED)))
        house.cases.read(receipts[-1]["id"])
        until_true("the event to be sealed", lambda: not unsealed(house), 5)
    house.cases.post(f"/v1/consents/{receipts[0]['consent']}/withdraw", {"services": []})
    house.settled()
    until_true("the log to be sealed", lambda: not unsealed(house), 5)
    kept = read_checkpoint(house.cases.get("/v1/checkpoint").json())
    assert kept is not None
    jwks = house.cases.http.get("/.well-known/jwks.json").json()
    file = tmp_path_factory.mktemp("exported") / "log.jsonl"
    done = CliRunner().invoke(app, ["audit", "export", str(file), "--dir", str(house.folder)])
    assert done.exit_code == 0, done.output
    key = KeyRing.load(house.folder / "keys").checkpoint_key
    return Written(file, file.read_bytes().splitlines(), receipts, kept, jwks, key)


def unsealed(house: House) -> int:
    """How many events wait for their place."""
    return int(house.rows("SELECT count(*) AS n FROM audit_events WHERE position IS NULL")[0]["n"])


def test_th13_an_untouched_log_is_verified(written: Written) -> None:
    # when the log is checked with the pinned key and each checkpoint that a partner's receipts hold
    verdict = written.verdict(written.lines)
    # then all is well, and every event is in it
    assert (verdict.findings, verdict.verified) == ([], True)
    assert verdict.position > 40
    for receipt in written.receipts:
        checkpoint = read_checkpoint(receipt)
        assert checkpoint is not None
        assert check(written.lines[0], written.lines[1:], _trusted(written), [checkpoint]).verified


def test_th13_a_thousand_falsifications_are_found(written: Written) -> None:
    # given someone who falsifies in every way they can, also with the hub's own key
    forger = Forger(written.lines, 13, written.kept.position, written.kept.kid, written.key)
    missed, tried = [], 0
    for number in range(TRIALS):
        kind, falsified = forger.falsified(number)
        assert falsified != written.lines, kind
        # when the falsified log is checked, then it is found, and said where
        verdict = written.verdict(falsified)
        tried += 1
        if verdict.verified or not verdict.findings:
            missed.append((number, kind))
    assert (tried, missed) == (TRIALS, [])


def test_th13_one_changed_event_is_named_by_its_position(written: Written) -> None:
    # given one event that says something else
    at = next(i for i, line in enumerate(written.lines) if b'"position":17,' in line and b'"event"' in line)
    document = json.loads(written.lines[at])
    document["event"]["actor"] = "somebody-else"
    changed = canonical(document)
    # when it is checked
    verdict = written.verdict([*written.lines[:at], changed, *written.lines[at + 1 :]])
    # then that one is named, and nothing else
    assert [(each.code, each.position) for each in verdict.findings] == [("changed", 17)]


def test_th13_another_partys_own_reading_of_the_rules_agrees(written: Written) -> None:
    """A second implementation, from what `hub.domain.audit` says and nothing else of the hub's."""
    # given the file, and the keys as published
    keys = {each["kid"]: each["x"] for each in written.jwks["keys"] if each["kty"] == "OKP"}
    header, *lines = (json.loads(line) for line in written.file.read_bytes().splitlines())
    reached = hashlib.sha256(f"trusted-person-hub audit chain 1\n{header['log']['chain']}".encode()).digest()
    position, signed, hashes = 0, 0, {}
    for line in lines:
        if "event" in line:
            position += 1
            assert line["event"]["position"] == position
            text = json.dumps(line["event"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            reached = hashlib.sha256(b"trusted-person-hub audit event 1\n" + reached + text).digest()
        else:
            checkpoint = dict(line["checkpoint"])
            signature = checkpoint.pop("signature")
            assert (checkpoint["position"], checkpoint["hash"]) == (position, reached.hex())
            public = Ed25519PublicKey.from_public_bytes(_unpadded(keys[checkpoint["kid"]]))
            text = json.dumps(checkpoint, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            public.verify(_unpadded(signature), f"trusted-person-hub audit checkpoint 1\n{text}".encode())
            signed += 1
        hashes[position] = reached.hex()
    # then what the partner kept is what it comes to as well
    assert hashes[written.kept.position] == written.kept.hash
    assert signed > 5


def test_th13_a_receipt_has_the_newest_checkpoint_and_a_repeat_the_same(house: House) -> None:
    # given a share that was sent
    share = a_share(HOUSING)
    first = house.cases.post("/v1/shares", share, key="once-and-again")
    before = house.cases.get("/v1/checkpoint").json()["position"]
    # when the log has grown, and the same is sent again
    until_true("a newer checkpoint", lambda: house.cases.get("/v1/checkpoint").json()["position"] > before, 5)
    again = house.cases.post("/v1/shares", share, key="once-and-again")
    # then the receipt is the same to the byte, and the next one has a newer checkpoint
    assert (again.status_code, again.content) == (202, first.content)
    newer = house.cases.send(a_share(HOUSING))
    assert newer["checkpoint"]["position"] > first.json()["checkpoint"]["position"]


def test_th13_every_event_is_sealed_within_a_second(house: House) -> None:
    # given an event that was just committed
    house.cases.read(house.cases.send(a_share(HOUSING))["id"])
    # then its place in the chain is given within a second, and no place is left empty
    until_true("the event to be sealed", lambda: not unsealed(house), 1.0)
    found = house.rows("SELECT count(*) AS n, max(position) AS most FROM audit_events WHERE position IS NOT NULL")[0]
    assert found["n"] == found["most"]


def test_th13_the_command_finds_what_was_changed_in_the_database(
    written: Written, house: House, tmp_path: Path
) -> None:
    # given a file that somebody mended to their liking, and what a partner kept
    receipt, jwks, file = tmp_path / "receipt.json", tmp_path / "jwks.json", tmp_path / "log.jsonl"
    receipt.write_text(json.dumps(written.receipts[-1]), encoding="utf-8")
    jwks.write_text(json.dumps(written.jwks), encoding="utf-8")
    file.write_bytes(b"\n".join(written.lines[:20]) + b"\n")
    how = ["--checkpoint", str(receipt), "--key", str(jwks)]
    # when each is checked from the file alone
    whole = CliRunner().invoke(app, ["audit", "verify", str(written.file), *how])
    cut = CliRunner().invoke(app, ["audit", "verify", str(file), *how])
    alone = CliRunner().invoke(app, ["audit", "verify", str(written.file), "--json"])
    # then one is well, the other is named with what to do, and what cannot be known without help is said
    assert (whole.exit_code, whole.stdout.splitlines()[1:]) == (0, [])
    assert cut.exit_code == 1
    assert "(cut)" in cut.stderr
    assert "privacy officer" in cut.stderr
    assert len(json.loads(alone.stdout)["warnings"]) == 2


def _trusted(written: Written) -> Any:
    return is_signed_by(checkpoint_keys(written.jwks))


def _unpadded(text: str) -> bytes:
    import base64

    raw = base64.urlsafe_b64decode(text + "==")
    assert base64url(raw) == text
    return raw
