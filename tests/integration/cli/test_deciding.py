"""The commands that decide: resume, check, allow, revoke and restore, each with its record or its refusal."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

HELD_SINCE = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def held(instance, share):
    """An instance whose housing connection is held, with a delivery behind it."""
    instance.insert("connections", id="housing", held_since=HELD_SINCE, held_reason="credentials")
    share(state="held")
    return instance


def test_a_held_connection_is_shown_with_its_reason(held) -> None:
    (found,) = held.json("connection", "ls")

    assert (found["state"], found["held_since"]) == ("held", "2026-11-20T15:00:00Z")
    assert found["why"] == "credentials: mend it, then `hub connection resume housing`"
    assert held.json("status")["held"][0]["held_reason"] == "credentials"
    assert held.json("trace", held.reference)["why"].startswith("Stuck: city-housing waits: the connection housing")


@pytest.mark.parametrize("as_json", [True, False])
def test_resume_queues_what_waited_and_records_who_decided(held, as_json) -> None:
    if as_json:
        assert held.json("connection", "resume", "housing") == {"connection": "housing", "resumed": True, "waiting": 1}
    else:
        assert "deliveries waiting on it: 1" in held.hub("connection", "resume", "housing").stdout

    assert [row["state"] for row in held.rows("deliveries")] == ["queued"]
    assert [row["held_since"] for row in held.rows("connections")] == [None]
    recorded = [(row["action"], row["actor"]) for row in held.rows("audit_events")]
    assert ("connection.resumed", f"operator:{os.getuid()}") in recorded


def test_resume_of_what_is_not_held_changes_and_records_nothing(instance, share) -> None:
    share()
    before = instance.rows("audit_events")

    result = instance.hub("connection", "resume", "housing")

    assert result.exit_code == 1
    assert "is not held" in result.stderr
    assert instance.rows("audit_events") == before


@pytest.mark.parametrize("verb", ["resume", "check"])
def test_an_unknown_connection_is_answered_with_the_known_ones(instance, verb) -> None:
    result = instance.hub("connection", verb, "Sam Rivers")

    assert result.exit_code == 1
    assert "There are: housing." in result.stderr


def test_a_connection_that_works_says_so(instance, council) -> None:
    # given a council that runs
    instance.reach(council.url)

    # when its connection is tried, in a host of its own
    assert instance.json("connection", "check", "housing") == {
        "connection": "housing",
        "works": True,
        "reason": "",
        "words": "",
    }

    # then nothing was sent
    assert [entry for entry in council.entries() if entry.effect] == []


def test_a_connection_to_nobody_does_not_work_and_says_so_both_ways(instance) -> None:
    plain, as_json = (
        instance.hub("connection", "check", "housing"),
        instance.hub("connection", "check", "housing", "--json"),
    )

    assert (plain.exit_code, as_json.exit_code) == (1, 1)
    assert "housing does not work: retrylater:" in plain.stderr
    assert "the README of the pack housing, under Troubleshooting" in plain.stderr
    assert '"works": false' in as_json.stdout


def test_an_address_that_is_not_public_says_how_to_allow_it(instance) -> None:
    # given a connection to this machine that nobody allowed
    text = (instance.folder / "services/city-housing.toml").read_text(encoding="utf-8")
    instance.write("services/city-housing.toml", text.replace('allow_addresses = ["127.0.0.0/8"]', ""))

    # when it is tried
    result = instance.hub("connection", "check", "housing")

    # then the code is there, and what to do
    assert result.exit_code == 1
    assert "address-refused" in result.stderr
    assert "name its network in allow_addresses" in result.stderr


def test_a_connection_whose_plugin_may_not_run_is_not_tried(instance) -> None:
    instance.write("connectors.toml", "")

    result = instance.hub("connection", "check", "housing")

    assert result.exit_code == 1
    assert "hub connector allow housing" in result.stderr


def test_what_is_installed_is_listed_without_being_allowed(empty) -> None:
    found = {plugin["name"]: plugin for plugin in empty.json("connector", "ls")}

    assert found["housing"]["status"] == "unlisted"
    assert "duty-to-refer" in found["housing"]["connectors"]
    assert found["housing"]["sdk"] == "1"


def test_allowing_shows_what_it_is_and_asks(empty) -> None:
    # when the question is answered with yes
    result = empty.hub("connector", "allow", "housing", stdin="y\n")

    # then name, version and hash were shown, and it may run
    (housing,) = [plugin for plugin in empty.json("connector", "ls") if plugin["name"] == "housing"]
    assert result.exit_code == 0
    assert housing["status"] == "allowed"
    assert [word for word in (housing["sha256"], housing["version"], "hub-housing") if word not in result.stdout] == []


@pytest.mark.parametrize(("words", "stdin"), [((), "n\n"), ((), ""), (("--json",), "")])
def test_without_a_yes_nothing_is_written(empty, words, stdin) -> None:
    before = (empty.folder / "connectors.toml").read_bytes()

    result = empty.hub("connector", "allow", "housing", *words, stdin=stdin)

    assert result.exit_code == 1
    assert (empty.folder / "connectors.toml").read_bytes() == before


def test_allowing_twice_changes_nothing_more(empty) -> None:
    assert empty.json("connector", "allow", "housing", "--yes")["changed"] is True
    once = (empty.folder / "connectors.toml").read_bytes()

    assert empty.json("connector", "allow", "housing")["changed"] is False
    assert (empty.folder / "connectors.toml").read_bytes() == once


def test_a_plugin_with_other_files_than_were_allowed_is_shown_and_can_be_allowed_again(instance) -> None:
    # given a list that names other files
    text = (instance.folder / "connectors.toml").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("sha256")]
    instance.write("connectors.toml", text.replace(line, f'sha256 = "{"0" * 64}"'))
    (found,) = instance.json("connection", "ls")
    assert (found["state"], "not as it was allowed (files)" in found["why"]) == ("not allowed", True)

    # when what is installed is allowed again
    instance.json("connector", "allow", "housing", "--yes")

    # then the connection is ready
    assert instance.json("connection", "ls")[0]["state"] == "ready"


def test_an_unknown_plugin_is_answered_with_the_installed_ones(empty) -> None:
    result = empty.hub("connector", "allow", "nonsense", "--yes")

    assert result.exit_code == 1
    assert "housing" in result.stderr


def test_a_list_written_another_way_is_left_and_the_lines_are_given(empty) -> None:
    empty.write("connectors.toml", "allow = []\n")

    result = empty.hub("connector", "allow", "housing", "--yes")

    assert result.exit_code == 1
    assert 'name = "housing"' in result.stderr
    assert (empty.folder / "connectors.toml").read_text(encoding="utf-8") == "allow = []\n"


def test_a_client_is_revoked_and_restored_with_a_record_of_each_change(instance) -> None:
    # when it is revoked twice and restored twice
    changes = [instance.json("client", verb, "centre-cases") for verb in ("revoke", "revoke", "restore", "restore")]

    # then only the first of each changed something, and was recorded
    assert [(each["revoked"], each["changed"]) for each in changes] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert [row["action"] for row in instance.rows("audit_events")] == ["client.revoked", "client.restored"]
    assert [client["revoked_at"] for client in instance.json("client", "ls")] == [None]


def test_a_revoked_client_is_listed_as_such(instance) -> None:
    assert "centre-cases is revoked" in instance.hub("client", "revoke", "centre-cases").stdout

    (client,) = instance.json("client", "ls")
    assert client["revoked_at"] is not None
    assert "was revoked already" in instance.hub("client", "revoke", "centre-cases").stdout


def test_an_unknown_client_is_answered_with_the_known_ones(instance) -> None:
    result = instance.hub("client", "revoke", "Sam Rivers")

    assert result.exit_code == 1
    assert "There are: centre-cases." in result.stderr
    assert instance.rows("clients") == []
