"""R01: nobody is given a trusted person: no operation lists, finds, suggests, ranks or assigns one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
import pytest
from typer.main import get_command

from hub.cli.main import app
from tests.acceptance.house import House
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.trusting import keep_link, link_of, put

#: What somebody would call it.
_VERBS = ("assign", "allocat", "suggest", "rank", "recommend", "match", "search", "find", "lookup", "propose", "pick")


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the command line, with its options."""
    yield (*path, *(option for parameter in command.params for option in parameter.opts))
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


def test_r01_no_operation_of_the_api_gives_or_finds_a_trusted_person(house: House) -> None:
    # given every operation that the hub has
    paths = house.cases.http.get("/openapi.json").json()["paths"]
    operations = {(method, path) for path, methods in paths.items() for method in methods}
    # then none is called so
    assert not [each for each in operations if any(verb in each[1].lower() for verb in _VERBS)]
    # and all there is about trusted people is to say whom the person chose, and when those are away or leave (R07, R08)
    one = "/v1/trusted-people/{reference}"
    assert {each for each in operations if "trusted" in each[1]} == {
        ("put", one),
        *((method, f"{one}/{what}") for method in ("put", "delete") for what in ("away", "leaving")),
        ("get", f"{one}/handover"),
    }
    for method in ("GET", "POST", "DELETE", "PATCH"):
        reply = house.cases.send_as(method, "/v1/trusted-people/tp-77", {})
        refused(reply, 405)
    refused(house.cases.get("/v1/trusted-people"), 404)


def test_r01_no_command_of_the_command_line_does() -> None:
    words = [part.lower() for line in commands(get_command(app)) for part in line]
    assert len(words) > 20
    assert not [each for each in words if any(verb in each for verb in _VERBS) or "trusted" in each]


@pytest.mark.parametrize("chosen", [False, None, "yes", "absent"])
def test_r01_a_link_that_the_person_did_not_choose_is_refused(house: House, chosen: Any) -> None:
    body = link_of(a_share(HOUSING), chosen_by_person=chosen)
    if chosen == "absent":
        del body["chosen_by_person"]
    before = house.counts()
    reply = refused(put(house.cases, "tp-given", body), 422)
    assert reply["next_step"]
    assert house.counts() == before
    assert house.rows("SELECT 1 FROM trusted_people WHERE seen = ''") == []


def test_r01_a_chosen_one_is_kept_sealed_by_keyed_hashes_and_the_same_again_changes_nothing(house: House) -> None:
    # given what a partner's system knows of a choice
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = "tp-chosen"
    for _ in range(2):
        keep_link(house.cases, share, topics=["find-somewhere-to-live"])
    keep_link(house.other, share)  # another organisation's of the same references is another
    # then there is one for each partner, and nothing of it stands in clear
    rows = house.rows("SELECT * FROM trusted_people")
    key = house.hub.vault.digest("trusted-person", "riverside|tp-chosen")
    assert [each["partner_id"] for each in rows if each["trusted_person"] == key] == ["riverside"]
    assert len({each["id"] for each in rows}) == len(rows)
    clear = str(rows)
    for told in ("tp-chosen", share["person"]["reference"], share["trusted_person"]["name"], "front.desk"):
        assert told not in clear
    # and it is audited by ids and codes, with who said so
    (event, *_) = house.rows("SELECT detail FROM audit_events WHERE action = 'trusted_person.kept' ORDER BY id DESC")
    assert len(json.loads(event["detail"])["author"]) == 64
    assert "tp-chosen" not in event["detail"]
