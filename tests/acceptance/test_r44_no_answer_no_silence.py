"""R44 and R45: silence becomes exactly one alert a delivery and rung, told to the right people, without the story."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hub.sdk.testing.sandbox import Behaviour
from hub.services.take_on import TakeOn
from hub.services.watch import Watch, watch
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, told_strings

SENT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # a Friday
L2_PASSED = datetime(2026, 11, 23, 17, 0, 5, tzinfo=UTC)
L3_PASSED = datetime(2026, 11, 25, 17, 0, 5, tzinfo=UTC)
L4_PASSED = datetime(2026, 12, 4, 17, 0, 5, tzinfo=UTC)
OPERATOR, OURS = "operator@hub.example", "champion@daycentre.example"
COUNCILS, TRUSTS = "champion@council.example", "champion@trust.example"


def alerts(house: House, receipt: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Rung, kind and state of each alert of a share, in the order of the rungs."""
    found = house.rows(
        "SELECT level, alerts.kind AS kind, alerts.state AS state FROM alerts JOIN deliveries "
        "ON deliveries.id = delivery_id WHERE share_id = :share ORDER BY level",
        share=receipt["id"],
    )
    return [(row["level"], row["kind"], row["state"]) for row in found]


def readers(house: House, receipt: dict[str, Any]) -> list[str]:
    """Who got an alert by mail about this share, once for each; what then passes from hand to hand is left out."""
    house.settled_notices()
    handed = ("This is with you now", "This has gone to somebody else")
    return sorted(mail["to"][0] for mail in house.mails(receipt) if not mail["subject"].startswith(handed))


def hammer(house: House) -> None:
    """Look at the clocks as several processes would at once, and again on the relay's own rounds."""
    now = house.hub.now
    look = partial(watch, directory=house.hub.directory)
    with ThreadPoolExecutor(8) as threads:
        looks = [
            threads.submit(lambda: house.hub.writer.submit(look, Watch(now.business(), now.wall())).result())
            for _ in range(40)
        ]
    assert all(each.result() >= 0 for each in looks)
    house.rounds(4)


def delivered(house: House, service: str, **changes: Any) -> dict[str, Any]:
    """Send a share and wait until the service has it."""
    receipt = house.cases.send(a_share(service, **changes))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], service)["state"] == "delivered")
    return receipt


@contextmanager
def away(house: House, service: str = TREATMENT) -> Iterator[None]:
    """Let a service's system be down."""
    partner = {TREATMENT: house.troupe.health, SUPPORTED: house.troupe.supported}[service]
    partner.behave(Behaviour.DOWN)
    try:
        yield
    finally:
        partner.behave(Behaviour.PROMPT)


def test_r44_one_alert_a_rung_one_notice_a_champion_and_never_a_second(new_house: Callable[..., House]) -> None:
    # given a share that the council has, and of which it says nothing
    house = new_house()
    receipt = delivered(house, SUPPORTED)
    assert alerts(house, receipt) == []

    # when the receipt's clock passes, and is looked at again and again
    house.at(L2_PASSED)
    until_true("the alert", lambda: alerts(house, receipt), seconds=10)
    hammer(house)
    # then there is one alert, one notice to the sender's champion, one to the receiver's, and one to the case system
    assert alerts(house, receipt) == [(2, "unanswered", "open")]
    assert readers(house, receipt) == sorted([OURS, COUNCILS])
    assert len(house.told(receipt, "delivery.overdue")) == 1

    # when the champion has got it, and the hub is stopped and started, twice
    (alert,) = house.rows("SELECT alerts.id FROM alerts JOIN deliveries ON deliveries.id = delivery_id "
                          "WHERE share_id = :share", share=receipt["id"])  # fmt: skip
    taken = TakeOn(alert["id"], "champion-riverside", house.hub.now.business(), house.hub.now.wall())
    assert house.hub.writer.submit(house.hub.ladder.take_on, taken).result() is None
    for _ in range(2):
        house.close()
        house.open()
        house.at(L2_PASSED + timedelta(hours=1))
        hammer(house)
    # then nothing is said again
    assert alerts(house, receipt) == [(2, "unanswered", "open")]
    assert readers(house, receipt) == sorted([OURS, COUNCILS])

    # when the decision's clock passes too (five working days: the manifest's), and then the outcome's
    house.at(datetime(2026, 11, 27, 17, 0, 5, tzinfo=UTC))
    until_true("the next alert", lambda: len(alerts(house, receipt)) == 2, seconds=10)
    house.at(L4_PASSED)
    until_true("the last alert", lambda: len(alerts(house, receipt)) == 3, seconds=10)
    hammer(house)
    # then each rung has its own, once
    assert [level for level, _, _ in alerts(house, receipt)] == [2, 3, 4]
    assert readers(house, receipt) == sorted([OURS, COUNCILS] * 3)
    assert house.cases.delivery(receipt["id"], SUPPORTED)["overdue"] is True


def test_r44_a_clock_jump_over_every_rung_raises_each_once(new_house: Callable[..., House]) -> None:
    # given a delivered share, and a hub that was down until long after every clock
    house = new_house()
    receipt = delivered(house, TREATMENT)
    house.at(L4_PASSED)
    # when it looks at all of them in one round
    until_true("the alerts", lambda: alerts(house, receipt), seconds=10)
    hammer(house)
    # then no rung has two
    found = [level for level, _, _ in alerts(house, receipt)]
    assert found == sorted(set(found))
    assert readers(house, receipt) == sorted([OURS, TRUSTS] * len(found))


def test_r44_an_answer_in_time_raises_nothing_and_a_late_one_closes_what_was_raised(
    new_house: Callable[..., House],
) -> None:
    # given two shares, one answered in time and one late
    house = new_house()
    prompt, late = delivered(house, HOUSING), delivered(house, HOUSING)
    assert house.say(prompt, HOUSING, status="NOT_ACCEPTED", owner="Duty desk").status_code == 202
    until_true("the answer", lambda: house.cases.delivery(prompt["id"], HOUSING)["answer"] == "declined")
    house.at(L2_PASSED)
    until_true("the late one's alert", lambda: alerts(house, late), seconds=10)
    # when the late answer comes, twice
    for _ in range(2):
        house.say(late, HOUSING, status="NOT_ACCEPTED", owner="Duty desk")
    until_true("the alert to close", lambda: alerts(house, late) == [(2, "unanswered", "closed")])
    # and each team was asked, in a parcel of its own, for the reason that its answer lacks
    house.settled()
    # then nothing more is raised for either, however late it gets
    house.at(L4_PASSED)
    hammer(house)
    assert alerts(house, prompt) == []
    assert alerts(house, late) == [(2, "unanswered", "closed")]


def test_r44_not_delivered_the_operator_at_once_and_the_sender_after_four_working_hours(
    new_house: Callable[..., House],
) -> None:
    # given a partner that is down on a Friday at 15:00
    house = new_house()
    with away(house):
        receipt = house.cases.send(a_share(TREATMENT))
        until_true("a try", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "retrying")
        house.at(SENT + timedelta(minutes=14))
        house.rounds()
        assert alerts(house, receipt) == []

        # when a quarter of an hour has passed
        house.at(SENT + timedelta(minutes=15, seconds=1))
        until_true("the alert", lambda: alerts(house, receipt), seconds=10)
        hammer(house)
        # then the operator alone is told
        assert alerts(house, receipt) == [(1, "undelivered", "open")]
        assert readers(house, receipt) == [OPERATOR]
        assert house.told(receipt, "delivery.not_delivered") == []

        # when four working hours have passed: two on Friday, two on Monday
        house.at(datetime(2026, 11, 23, 10, 59, 50, tzinfo=UTC))
        house.rounds()
        assert readers(house, receipt) == [OPERATOR]
        house.at(datetime(2026, 11, 23, 11, 0, 1, tzinfo=UTC))
        until_true("the sender's side", lambda: house.told(receipt, "delivery.not_delivered"), seconds=10)
        hammer(house)
        # then the sending side hears, once, and the receiver's champion does not: they cannot answer what they lack
        assert len(house.told(receipt, "delivery.not_delivered")) == 1
        assert readers(house, receipt).count(OURS) == 1
        assert TRUSTS not in readers(house, receipt)
        found = house.cases.delivery(receipt["id"], TREATMENT)
        assert "does not have this yet" in found["words"]
        assert "Ring them on 01223 000300" in found["words"]

    # and when it arrives after all, its alerts close
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    until_true("the alerts to close", lambda: {each[2] for each in alerts(house, receipt)} == {"closed"})


def test_r44_what_arrives_after_all_is_called_undelivered_no_longer(new_house: Callable[..., House]) -> None:
    # given a partner that was down past the receipt's clock
    house = new_house()
    with away(house, SUPPORTED):
        receipt = house.cases.send(a_share(SUPPORTED))
        until_true("a try", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "retrying")
        house.at(L2_PASSED)
        # that it did not arrive is said by the clocks of arriving alone: what has not arrived is not unanswered
        until_true("the alerts", lambda: len(alerts(house, receipt)) == 2, seconds=10)
        house.rounds()
        assert {kind for _, kind, _ in alerts(house, receipt)} == {"undelivered"}
    # when it arrives
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")
    # then no open alert says that it did not
    assert "undelivered" not in {kind for _, kind, state in alerts(house, receipt) if state == "open"}


def test_r44_urgent_and_not_delivered_the_sender_hears_after_thirty_minutes(new_house: Callable[..., House]) -> None:
    # given a partner that is down, and an urgent share on a Friday evening
    evening = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
    house = new_house(start=evening.isoformat())
    with away(house):
        receipt = house.cases.send(a_share(TREATMENT, urgent=True))
        # when twenty-nine minutes have passed, and then thirty
        house.at(evening + timedelta(minutes=29))
        house.rounds()
        assert OURS not in readers(house, receipt)
        house.at(evening + timedelta(minutes=30, seconds=1))
        # then the sending side hears by night and by weekend
        until_true("the sender's side", lambda: house.told(receipt, "delivery.not_delivered"), seconds=10)
        assert OURS in readers(house, receipt)


def test_r45_no_alert_tells_the_story(new_house: Callable[..., House]) -> None:
    # given alerts of every kind about one share: not delivered, not received, not decided
    house = new_house()
    share = a_share(TREATMENT, HOUSING)
    with away(house):
        receipt = house.cases.send(share)
        until_true("housing", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
        house.at(SENT + timedelta(minutes=16))
        until_true("the operator's", lambda: OPERATOR in readers(house, receipt), seconds=10)
        house.at(L2_PASSED)
        until_true("the champions'", lambda: {OURS, COUNCILS} <= set(readers(house, receipt)), seconds=10)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    house.at(L4_PASSED)
    until_true("the trust's", lambda: TRUSTS in readers(house, receipt), seconds=20)

    # then each mail holds the speakable reference, how long, and one link
    told, places = told_strings(share), ("Housing", "Treatment", "council", "Riverside", "trust", HOUSING, TREATMENT)
    for mail in house.mails(receipt):
        assert receipt["reference"] in mail["subject"]
        assert receipt["reference"] in mail["text"]
        assert re.search(r"\d+ (minute|hour|day)s?", mail["text"])
        links = re.findall(r"https?://\S+", mail["text"])
        # the operator has the command line, and no screen
        assert "`hub trace" in mail["text"] if mail["to"] == [OPERATOR] else links[0].startswith(house.url)
        # and no name, need, service or place, in head or body
        said = mail["subject"] + mail["text"]
        assert not [text for text in told if text in mail["raw"]]
        assert not [place for place in places if place.lower() in said.lower()]
    # and the webhooks that are alerts name no service either: the case system asks, as itself, what it is about
    overdue = house.told(receipt, "delivery.overdue") + house.told(receipt, "delivery.not_delivered")
    assert overdue
    for each in overdue:
        assert not [text for text in told if text in str(each)]
        assert not [service for service in (HOUSING, TREATMENT) if service in str(each)]
        assert set(each["data"]) >= {"share", "reference", "your_reference", "delivery"}
