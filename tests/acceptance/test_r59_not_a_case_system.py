"""R59: a story is forgotten in time, and neither a restart nor a restored backup brings it back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.acceptance.house import House, append_to, until_true
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, story_of, told_strings

SENT = datetime.fromisoformat("2026-11-20T15:00:00+00:00")
SOON = "\n[forgetting]\nafter_answer_days = 2\nafter_sending_days = 5\n"


def _arrived(house: House, share: dict[str, Any], *services: str, key: str | None = None) -> dict[str, Any]:
    receipt = house.cases.send(share, key)
    for service in services:
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    return receipt


def _left(house: House, receipt: dict[str, Any]) -> dict[str, Any] | None:
    house.hub.relay.hurry()
    report = house.cases.read(receipt["id"])
    return report if report.get("forgotten") else None


def _files(house: House) -> bytes:
    """Every byte that the instance keeps: the database, its log, and what stands beside the keys."""
    kept = [file for name in ("data", "keys") for file in sorted((house.folder / name).rglob("*")) if file.is_file()]
    return b"".join(file.read_bytes() for file in kept)


def _wrapped(house: House) -> list[bytes]:
    statement = "SELECT data_key FROM shares UNION ALL SELECT data_key FROM inbox"
    return [row["data_key"] for row in house.rows(statement) if row["data_key"]]


def test_r59_a_story_is_forgotten_and_no_backup_brings_it_back(new_house: Callable[..., House]) -> None:
    # given a share that two services have, of which one answered in words, and a backup of the database from then
    house = new_house()
    share = a_share(HOUSING, TREATMENT)
    receipt = _arrived(house, share, HOUSING, TREATMENT, key="r59-once")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk", outcomeNote="We know him well.")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    house.settled_notices()
    keys = _wrapped(house)
    assert len(keys) >= 2
    house.close()
    shutil.copytree(house.folder / "data", house.folder.parent / "backup")
    house.open()
    # when ninety days have passed since it was sent, and not a day before
    house.at(SENT + timedelta(days=89))
    house.rounds()
    assert _left(house, receipt) is None
    house.at(SENT + timedelta(days=90, hours=1))
    left = until_true("it to be forgotten", lambda: _left(house, receipt))
    # then its sender reads so in plain words, and where it went, and is told by id
    assert left["words"].startswith("We have forgotten this.")
    assert {each["service"]: each["answer"] for each in left["deliveries"] if each["kind"] == "share"} == {
        HOUSING: "accepted",
        TREATMENT: "awaited",
    }
    (told,) = until_true("the notice", lambda: house.told(receipt, "share.forgotten"))
    assert told["data"] == {"share": receipt["id"], "reference": receipt["reference"]}
    # and the same request again gets no copy of what was said then
    again = house.cases.post("/v1/shares", share, key="r59-once")
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "share-forgotten")
    # and no file holds its key any more
    house.close()
    content = _files(house)
    assert len(content) > 100_000
    assert [number for number, key in enumerate(keys) if key in content] == []
    assert not [text for text in told_strings(share) | story_of(share) if text.encode() in content]
    # and when the backup is put back, it is gone again before anything is served
    shutil.rmtree(house.folder / "data")
    shutil.copytree(house.folder.parent / "backup", house.folder / "data")
    assert [number for number, key in enumerate(keys) if key in _files(house)] != []
    house.open()
    assert house.cases.read(receipt["id"])["forgotten"] is True
    assert len(house.rows("SELECT id FROM audit_events WHERE detail LIKE '%restored%'")) == 1


def test_r59_the_partnership_says_how_long_and_a_legal_hold_keeps_one(new_house: Callable[..., House]) -> None:
    # given a partnership that keeps stories for five days, and two days after their answer
    house = new_house(edit=lambda folder: append_to(next((folder / "partnerships").iterdir()), SOON))
    answered, open_one, held = (_arrived(house, a_share(HOUSING), HOUSING) for _ in range(3))
    house.say(answered, HOUSING, status="NOT_ACCEPTED", outcomeNote="No.")
    until_true("the answer", lambda: house.cases.delivery(answered["id"], HOUSING)["answer"] == "declined")
    with house.hub.writer._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE shares SET legal_hold_since = 1 WHERE id = ?", (held["id"],))
    # when three days have passed, then six
    house.at(SENT + timedelta(days=3))
    until_true("the answered one to be forgotten", lambda: _left(house, answered))
    house.rounds()
    assert _left(house, open_one) is None
    house.at(SENT + timedelta(days=6))
    until_true("the open one to be forgotten", lambda: _left(house, open_one))
    # then the one under a legal hold is still there
    house.rounds()
    assert _left(house, held) is None
