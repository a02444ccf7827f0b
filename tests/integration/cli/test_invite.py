"""`hub invite`: an operator sees where links went, ends those of a share, and forgets the devices of a team."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.cli.conftest import NOW

SERVICE = "city-housing"


@pytest.fixture
def linked(instance, share):
    """An instance whose team was sent two links to one share, one that ran out, and has two devices, one that did."""
    share()
    link = {"delivery_id": instance.delivery_id, "created_at": NOW, "tries": 0}
    instance.insert(
        "invites",
        **link | {"id": "1" * 32, "number": 0, "token": "a" * 64, "address": "duty@council.example"},
        expires_at=NOW - timedelta(days=1),
    )
    instance.insert(
        "invites",
        **link | {"id": "2" * 32, "number": 1, "token": "b" * 64, "address": "nights@council.example"},
        expires_at=NOW + timedelta(days=14),
        opened_at=NOW,
    )
    device = {"service_id": SERVICE, "code": "c" * 64, "began_at": NOW}
    until = NOW + timedelta(hours=8)
    instance.insert("devices", **device, id="3" * 32, token="d" * 64, remembered=True, until=until)
    instance.insert("devices", **device, id="4" * 32, token="e" * 64, remembered=False, until=NOW - timedelta(hours=8))
    return instance


def test_links_are_listed_with_how_each_stands_and_the_look_is_recorded(linked) -> None:
    # given, when
    found = linked.json("invite", "ls", "k7m 4qx")
    # then
    assert [(each["address"], each["state"]) for each in found] == [
        ("duty@council.example", "over"),
        ("nights@council.example", "opened"),
    ]
    assert "invite.listed" in [row["action"] for row in linked.rows("audit_events")]
    assert "nights@council.example" in linked.hub("invite", "ls", linked.reference).stdout


def test_links_are_ended_once(linked) -> None:
    # given, when
    assert linked.json("invite", "end", linked.reference, "--service", SERVICE)["ended"] == 2
    # then nothing opens them, it is recorded, and there is nothing more to end
    assert all(row["revoked_at"] is not None for row in linked.rows("invites"))
    assert [row["actor"][:9] for row in linked.rows("audit_events") if row["action"] == "invite.ended"] == ["operator:"]
    again = linked.hub("invite", "end", linked.reference)
    assert (again.exit_code, "no link that could be ended" in again.stderr) == (1, True)


def test_the_devices_of_a_team_are_listed_and_forgotten(linked) -> None:
    # given a team with an answer page
    file = linked.folder / "services" / f"{SERVICE}.toml"
    page = '\n[answer_page]\ncode = "file:secrets/code"\n\n[connection]\n'
    file.write_text(file.read_text(encoding="utf-8").replace("\n[connection]\n", page), encoding="utf-8")
    assert [each["id"] for each in linked.json("invite", "devices")] == ["3" * 32]
    # when they are forgotten
    assert linked.json("invite", "forget", SERVICE)["forgotten"] >= 1
    # then none is known
    assert "every team is asked for its code" in linked.hub("invite", "devices").stdout
    # and a name that is no team's is refused
    wrong = linked.hub("invite", "forget", "nobody")
    assert (wrong.exit_code, SERVICE in wrong.stderr) == (1, True)


def test_a_share_that_is_not_there_is_said_so(linked) -> None:
    # given, when
    missing = linked.hub("invite", "ls", "ZZZ-ZZZ")
    # then
    assert (missing.exit_code, "no share by that reference" in missing.stderr) == (1, True)
