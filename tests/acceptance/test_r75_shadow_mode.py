"""R75: in shadow mode everything is decided, previewed and recorded, nothing is sent, and nobody is told it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from tests.acceptance.house import House, replace_in
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, story_of


def in_shadow(folder: Path) -> None:
    """Put housing in shadow mode; supported housing stays live."""
    replace_in(folder / "services" / f"{HOUSING}.toml", "[connection]\n", "[connection]\nshadow = true\n")


@pytest.fixture
def trying(new_house: Callable[..., House]) -> House:
    return new_house(edit=in_shadow)


def report(house: House) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["shadow", "report", "--json", "--dir", str(house.folder)])
    assert found.exit_code == 0, found.output
    said: dict[str, Any] = json.loads(found.stdout)
    return said


def test_r75_what_is_only_tried_is_decided_made_and_reported_and_never_sent(trying: House) -> None:
    # given a service in shadow mode, and what its team's system has
    share = a_share(HOUSING)
    had = len(trying.troupe.housing.entries())
    # when a share for it is previewed and sent
    shown = trying.cases.post("/v1/shares/preview", share).json()
    receipt = trying.cases.send(share)
    # then the preview shows the very bytes that would go, and the receipt says that nothing went
    assert shown["deliveries"] == []
    (tried,) = shown["shadow"]
    assert tried["service"] == HOUSING
    assert len(tried["parcel"].encode()) == tried["bytes"] == receipt["shadow"][0]["bytes"]
    assert receipt["status"] == "shadow"
    assert receipt["deliveries"] == []
    assert receipt["id"] is receipt["reference"] is None
    assert "Nothing was sent" in receipt["words"]
    assert "Do not tell the person that it was sent" in receipt["words"]
    # and nothing of it is kept: no share, consent, delivery, clock or notice, and no word of the story
    counts = trying.settled()
    assert {counts[each] for each in ("shares", "consents", "deliveries", "clocks", "notices", "alerts")} == {0}
    (kept,) = trying.rows("SELECT * FROM rehearsals")
    assert not [each for each in story_of(share) if each in str(kept)]
    # and nothing went to the team
    assert len(trying.troupe.housing.entries()) == had
    # and the report tells what would have gone
    said = report(trying)
    assert said["in_shadow_mode"] == [HOUSING]
    (one,) = said["services"]
    assert (one["service"], one["would_have_gone"], one["would_have_been_refused"]) == (HOUSING, 1, 0)
    assert one["categories"]["housing"] == 1
    # and the log says that it was tried
    assert trying.rows("SELECT count(*) AS n FROM audit_events WHERE action = 'share.rehearsed'") == [{"n": 1}]


def test_r75_the_same_request_again_is_counted_once_and_gets_the_same_answer(trying: House) -> None:
    share = a_share(HOUSING)
    first, second = (trying.cases.send(share, key="try-1") for _ in range(2))
    assert first == second
    assert report(trying)["services"][0]["would_have_gone"] == 1


def test_r75_consent_counts_in_shadow_mode_as_ever(trying: House) -> None:
    # given a share whose consent is for something else
    share = a_share(HOUSING)
    share["consents"][0]["purpose"] = "something-else"
    # when it is sent, then it is refused as it would be
    problem = refused(trying.cases.post("/v1/shares", share), 403)
    (why,) = problem["refused"]
    # and the report counts that with its reason
    (one,) = report(trying)["services"]
    assert (one["would_have_gone"], one["would_have_been_refused"]) == (0, 1)
    assert one["refusals"] == {why["type"].removeprefix("/problems/"): 1}


def test_r75_beside_a_live_service_only_the_live_one_gets_it(trying: House) -> None:
    # given a share for one service in shadow mode and one that is live
    receipt = trying.cases.send(a_share(HOUSING, SUPPORTED))
    # then the live one has it, and the receipt names the other as tried alone
    assert [each["service"] for each in receipt["deliveries"]] == [SUPPORTED]
    assert [each["service"] for each in receipt["shadow"]] == [HOUSING]
    trying.settled()
    assert trying.rows("SELECT service_id FROM deliveries") == [{"service_id": SUPPORTED}]
    assert trying.rows("SELECT service_id FROM consents") == [{"service_id": SUPPORTED}]
    # and who reads the share finds nothing of the other: nobody can think that it was sent
    read = trying.cases.read(receipt["id"])
    assert [each["service"] for each in read["deliveries"]] == [SUPPORTED]
    assert report(trying)["services"][0]["would_have_gone"] == 1
