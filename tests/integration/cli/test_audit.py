"""`hub audit`: the log is exported whole and checked, of a database and of a file; who looked is in it."""

from __future__ import annotations

import json
import os

from hub import config
from hub.bootstrap import store_url
from hub.store import tables
from hub.store.engine import open_engine


def test_a_log_is_exported_with_who_exported_it_and_verified_from_the_file(instance, share, tmp_path) -> None:
    # given an instance with a share, looked at by an operator
    share()
    assert instance.hub("trace", instance.reference).exit_code == 0
    assert instance.hub("alerts", "ls").exit_code == 0
    # when its log is exported
    file = tmp_path / "log.jsonl"
    found = instance.json("audit", "export", str(file))
    # then the file has every event, the operator's own too, and nobody else may read it
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert found == {"file": str(file), "lines": len(lines)}
    actions = [(line["event"]["action"], line["event"]["actor"]) for line in lines if "event" in line]
    operator = f"operator:{os.getuid()}"
    assert actions == [
        ("share.accepted", "client:centre-cases"),
        ("share.traced", operator),
        ("alerts.read", operator),
        ("log.exported", operator),
    ]
    assert file.stat().st_mode & 0o077 == 0
    # and is whole, as far as can be known from it alone
    verdict = instance.json("audit", "verify", str(file))
    assert (verdict["verified"], verdict["events"], len(verdict["warnings"])) == (True, 4, 2)
    # and what was exported is not written over
    assert instance.hub("audit", "export", str(file)).exit_code == 1


def test_a_database_that_somebody_changed_is_found(instance, share) -> None:
    # given a log that is well
    share()
    assert instance.json("audit", "verify")["verified"]
    # when someone with the database's file changes who did something
    engine = open_engine(store_url(config.load(instance.folder)))
    with engine.begin() as connection:
        connection.execute(tables.audit_events.update().where(tables.audit_events.c.position == 1).values(actor="me"))
    engine.dispose()
    # then it is named, with what to do
    plain, found = instance.hub("audit", "verify"), instance.hub("audit", "verify", "--json")
    assert (plain.exit_code, found.exit_code) == (1, 1)
    assert "position 1" in plain.stderr
    assert "Compare with a backup" in plain.stderr
    assert json.loads(found.stdout)["findings"][0]["code"] == "changed"


def test_what_is_no_checkpoint_or_key_is_named(instance, share, tmp_path) -> None:
    share()
    nothing, broken = tmp_path / "nothing.json", tmp_path / "broken.json"
    nothing.write_text("{}")
    broken.write_text("{")
    for words in (("--checkpoint", nothing), ("--key", nothing), ("--key", broken), ("--checkpoint", broken)):
        found = instance.hub("audit", "verify", *map(str, words))
        assert (found.exit_code, len(found.stderr.splitlines())) == (1, 2), found.stderr


def test_a_refused_look_is_known_too(instance, share) -> None:
    share()
    assert instance.hub("trace", "0" * 32).exit_code == 1
    (_, looked) = instance.rows("audit_events")
    assert (looked["action"], looked["share_id"]) == ("share.trace_refused", None)
