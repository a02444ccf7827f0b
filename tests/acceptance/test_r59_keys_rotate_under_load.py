"""R59: the hub's own keys are rotated while shares come in: none is refused, each can be read, and the old key goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hub.security.keys import KeyRing
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

SHARES = 210


def _hub(house: House, *words: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command as an operator would, in a process of its own."""
    command = [sys.executable, "-m", "hub.cli", *words, "--dir", str(house.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode == 0) is ok, done.stderr
    return done


def _readable(house: House) -> set[str]:
    """The shares whose words open with the keys that the running hub has."""
    found = house.rows("SELECT id, data_key, sender FROM shares")
    opened = {
        each["id"]: house.hub.vault.unwrap(each["data_key"]).open(each["sender"], f"shares|sender|{each['id']}")
        for each in found
    }
    return {share_id for share_id, words in opened.items() if b"trusted_person" in words}


def test_r59_keys_are_rotated_while_two_hundred_shares_come_in(new_house: Callable[..., House]) -> None:
    # given a hub that has been sent shares under its first key, and that is being sent more all the time
    house = new_house()
    old = KeyRing.load(house.folder / "keys").active_kid
    house.cases.token()
    statuses: list[int] = []

    def send(_: int) -> dict[str, Any]:
        reply = house.cases.post("/v1/shares", a_share(HOUSING), key=str(uuid.uuid4()))
        statuses.append(reply.status_code)
        document: dict[str, Any] = reply.json()
        return document

    receipts = [send(0) for _ in range(20)]
    # when the keys are rotated in the midst of it
    with ThreadPoolExecutor(8) as pool:
        sending = [pool.submit(send, number) for number in range(SHARES)]
        until_true("some to be sent", lambda: len(statuses) >= 60)
        rotated = json.loads(_hub(house, "keys", "rotate", "--json").stdout)
        _hub(house, "keys", "rotate", "--signing")
        done_by = len(statuses)
        receipts += [each.result() for each in sending]
    # then none was refused, some came before, some during and some after, and each can be read here
    assert set(statuses) == {202}
    assert done_by >= 60
    assert rotated["rewrapped"] >= 20
    assert rotated["damaged"] == 0
    assert _readable(house) == {each["id"] for each in receipts}
    assert len(receipts) == SHARES + 20
    # and the old key wraps nothing; it cannot go while anything may still be under way with it
    listed = {each["kid"]: each for each in json.loads(_hub(house, "keys", "ls", "--json").stdout)}
    assert listed[old]["wraps"] == 0
    assert listed[rotated["kid"]]["in_use"] is True
    assert "key-too-fresh" in _hub(house, "keys", "retire", old, ok=False).stderr
    assert "are wrapped under" in _hub(house, "keys", "retire", rotated["kid"], ok=False).stderr
    # when an hour has passed, it is retired, and a token that was signed before the rotation is still good
    long_ago = time.time() - 3600
    os.utime(house.folder / "keys" / "kek" / "active", (long_ago, long_ago))
    _hub(house, "keys", "retire", old)
    assert old not in KeyRing.load(house.folder / "keys").key_encryption_keys
    assert house.cases.read(receipts[0]["id"])["reference"] == receipts[0]["reference"]
    # then a hub that starts without it reads them all, and takes more
    house.close()
    house.open()
    assert _readable(house) == {each["id"] for each in receipts}
    assert house.cases.read(receipts[0]["id"])["deliveries"][0]["service"] == HOUSING
    assert send(0)["reference"]
