"""R47: a champion sends what the trusted person cannot, from their own system, by the same rules, and that is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.caller import Caller
from tests.acceptance.following_up import alert_of, at_console
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share, consent_of, story_of

FOR_YOU = "share.sent_by_champion"


@pytest.fixture
def champion(house: House) -> Iterator[Caller]:
    """The same case system, with a champion at it whom the partner attests as one."""
    caller = Caller(house.url, house.cases.client_id, house.cases.key, "worker-champion", "champion")
    yield caller
    caller.http.close()


def test_r47_what_a_champion_sends_is_told_to_the_trusted_person_and_names_both(house: House, champion: Caller) -> None:
    # given a trusted person who cannot send; when their champion does, from their own system
    receipt = champion.send(a_share(SUPPORTED))
    # then the trusted person's system is told so, by the reference, and nothing of it
    (told,) = until_true("the notice", lambda: house.told(receipt, FOR_YOU))
    assert told["data"] == {
        "share": receipt["id"], "reference": receipt["reference"], "your_reference": told["data"]["your_reference"],
    }  # fmt: skip
    # and the log names both: who sent it, attested as a champion, and whose trusted person it is
    (event,) = house.rows(
        "SELECT detail FROM audit_events WHERE action = 'share.accepted' AND share_id = :id", id=receipt["id"]
    )
    assert '"champion"' in str(event["detail"])
    (share,) = house.rows("SELECT trusted_person FROM shares WHERE id = :id", id=receipt["id"])
    assert share["trusted_person"]
    # and it goes and is answered like any other
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")


def test_r47_what_the_worker_sends_tells_nobody_of_a_champion(house: House) -> None:
    receipt = house.cases.send(a_share(SUPPORTED))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")
    house.settled_notices()
    assert house.told(receipt, FOR_YOU) == []


def test_r47_a_champion_passes_no_gate_and_no_consent_that_a_worker_would_not(house: House, champion: Caller) -> None:
    # given what nobody agreed to, and what a gate lets nobody through with
    refused = a_share(SUPPORTED)
    consent_of(refused, SUPPORTED)["answer"] = "no"
    gated = a_share(HOUSING)
    consent_of(gated, HOUSING)["facts"] = {}
    # when a champion sends it, then they hear what a worker would
    for share in (refused, gated):
        as_champion = champion.post("/v1/shares", share)
        as_worker = house.cases.post("/v1/shares", share)
        assert as_champion.status_code == as_worker.status_code
        assert as_champion.status_code in {403, 422}
        assert as_champion.json()["type"] == as_worker.json()["type"]


def test_r47_from_the_console_it_is_sent_again_unseen(house: House) -> None:
    # given a share that a council refused to take, and an alert about it
    house.troupe.supported.behave(Behaviour.REFUSING)
    try:
        share = a_share(SUPPORTED)
        receipt = house.cases.send(share)
        dead = lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "dead_lettered"  # noqa: E731
        until_true("it to stop", dead)
    finally:
        house.troupe.supported.behave(Behaviour.PROMPT)
    house.at(datetime(2026, 11, 20, 15, 15, 1, tzinfo=UTC))
    path = f"/console/alerts/{alert_of(house, receipt)}"
    # when the champion sends it again from its screen
    ashley = at_console(house)
    page = ashley.get(path)
    assert "Send it again, unseen" in page.text
    reply = ashley.send(f"{path}/resend", on=path, once="once")
    # then it arrives, and nothing of it was shown
    assert (reply.status_code, reply.headers["location"]) == (303, f"{path}?done=resend"), reply.text
    arrived = "SELECT id FROM deliveries WHERE share_id = :id AND state = 'delivered'"
    until_true("it to arrive", lambda: house.rows(arrived, id=receipt["id"]))
    shown = page.text + ashley.get(f"{path}?done=resend").text
    assert not [text for text in story_of(share) if f" {text} " in shown]
    assert until_true("the notice", lambda: house.told(receipt, "delivery.resent"))
