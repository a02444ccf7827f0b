"""R38, R52, R53: a no becomes a barrier that people move until it is gone; what helped is thanked; all of nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli.main import app
from hub.services.barriers import find_barriers
from tests.acceptance.continuing import delivered
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share, told_strings

NO = "declined/no-local-connection"


def _run(house: House, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--dir", str(house.folder)])


def _json(house: House, *words: str) -> Any:
    result = _run(house, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _refused(house: House) -> dict[str, Any]:
    """A share that a council says no to, with its code and with words of its own."""
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    said = {"outcomeReason": "NO_LOCAL_CONNECTION", "owner": "Duty desk", "outcomeNote": "Sam should ask again."}
    house.say(receipt, HOUSING, status="NOT_ACCEPTED", **said)
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answers"])
    return receipt


def _met(house: House) -> int:
    return sum(each["met"] for each in _json(house, "barriers", "ls", "--counted") if each["name"] == NO)


def test_r38_r52_a_coded_no_opens_a_candidate_and_people_move_the_barrier_until_it_is_removed(house: House) -> None:
    # given a council that says no with its code
    receipt = _refused(house)
    # then it is counted for the service and the reason in the transaction of the answer, by month
    (one,) = [each for each in _json(house, "barriers", "ls", "--counted") if each["name"] == NO]
    assert (one["month"], one["service_id"], one["cause"], one["met"], one["barrier"]) == (
        *("2026-11", HOUSING, "door", 1, None),
    )
    # when a champion says that it is a barrier
    champion = house.hub.directory.partners["riverside"].champion.id
    wrong = _run(house, "barriers", "open", HOUSING, "door", NO, "--by", champion, "--words", "Maria was told no.")
    assert (wrong.exit_code, "Maria" in wrong.output) == (1, False)
    words = ("--words", "The rule on local connection is read too narrowly.")
    barrier = _json(house, "barriers", "open", HOUSING, "door", NO, "--by", champion, *words)["barrier"]
    # and moves it
    early = _run(house, "barriers", "move", barrier, "removed", "--reason", "rule-changed", "--by", champion)
    assert "A barrier moves one step at a time" in early.stderr
    for to, why in (("understood", "rule-was-found"), ("acting", "raised-with-leaders"), ("removed", "rule-changed")):
        assert _json(house, "barriers", "move", barrier, to, "--reason", why, "--by", champion)["state"] == to
    # then each move has its reason, its date and who said so
    shown = _json(house, "barriers", "show", barrier)
    assert [(each["state"], each["reason"], each["person"]) for each in shown["moves"]] == [
        ("identified", "people-say-so", champion),
        ("understood", "rule-was-found", champion),
        ("acting", "raised-with-leaders", champion),
        ("removed", "rule-changed", champion),
    ]
    assert all(each["at"].startswith("2026-11-20") for each in shown["moves"])
    # when it is met again, then it is open again by itself
    _refused(house)
    now = house.hub.now
    house.hub.writer.submit(
        lambda tx, _: [find_barriers(tx, house.hub.directory, now.business(), now.wall().replace(year=2099))], None
    ).result(timeout=20)
    (found,) = _json(house, "barriers", "ls")
    assert (found["state"], found["times"], found["met"], _met(house)) == ("identified", 2, 2, 2)
    # and nothing that is kept of it tells of anybody
    kept = json.dumps([house.rows(f"SELECT * FROM {name}") for name in ("barriers", "barrier_moves", "tallies")])
    mine = [receipt["id"], receipt["reference"], *(each["id"] for each in receipt["deliveries"])]
    assert not [each for each in (*mine, *told_strings(a_share(HOUSING)), "Sam should") if each in kept]
    assert "It is identified, and was met 2 times." in _run(house, "barriers", "show", barrier).stdout


def test_r53_this_helped_is_counted_without_whom_and_the_team_is_thanked_once(house: House) -> None:
    # given a share that nobody has answered yet, of which nothing can have helped
    before = len(house.troupe.mails())
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    about = f"/v1/deliveries/{receipt['deliveries'][0]['id']}/helped"
    early = house.cases.post(about, {})
    assert (early.status_code, early.json()["type"]) == (409, "/problems/nobody-answered-yet")
    # when it is answered, and its trusted person says that this helped, and says it again
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Duty desk")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answers"])
    assert house.cases.post(about, {"how": "a story about Sam"}).status_code == 422
    for _ in range(2):
        assert house.cases.post(about, {"how": "kept_in_touch"}).status_code == 201
    # then it is one win of the service's, and no row of it knows of which share
    assert _json(house, "wins", "ls") == [
        {"month": "2026-11", "name": "kept_in_touch", "service_id": HOUSING, "number": 1}
    ]
    # and its team gets one e-mail, in which there is no reference, no name and no story
    house.settled_notices()
    mails = [each for each in house.troupe.mails()[before:] if each["subject"] == "Thank you: this helped"]
    (mail,) = until_true("the mail", lambda: mails)
    service = house.hub.directory.services[HOUSING]
    assert mail["to"] == [service.email or house.hub.directory.partners[service.partner].champion.email]
    everything = mail["subject"] + mail["text"]
    assert not [each for each in (receipt["reference"], receipt["id"], service.name) if each in everything]
    # and another organisation's system is told that there is no such delivery
    assert house.other.post(about, {}).status_code == 404


@pytest.mark.parametrize("words", [("barriers", "ls"), ("wins", "ls"), ("training", "ls")], ids=" ".join)
def test_r55_and_r52_each_list_speaks_to_people_and_to_programs(house: House, words: tuple[str, ...]) -> None:
    assert _run(house, *words).stdout.strip()
    assert isinstance(_json(house, *words), list)
